//! One connection: bytes in, one request, one answer, bytes out, end. Every step has a deadline that nothing but the next
//! step moves.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use crate::base::time::Mono;
use crate::sys::posix::poll::Interest;

use super::head::{self, BODY_MAX, HEAD_MAX, Head};
use super::listener::Peer;
use super::route::{Method, Refusal};
use super::stream::Stream;

/// How long a client may take for the head of its request, from accept.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// How long it may take for the body, from the end of the head.
const BODY_TIME: Duration = Duration::from_secs(5);
/// How long the daemon may take for the answer: a reload waits 30 s for others, and may have to wait for an earlier one.
const ANSWER_TIME: Duration = Duration::from_secs(70);
/// How long the client may take to read the answer.
const WRITE_TIME: Duration = Duration::from_secs(20);
/// How long we wait for its end of file afterwards. Closing a socket with unread bytes would make the kernel send a reset,
/// which can destroy the answer before the client has read it.
const LINGER_TIME: Duration = Duration::from_secs(2);
/// Bytes that are thrown away meanwhile.
const LINGER_BYTES: usize = 256 * 1024;

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    pub(super) peer: Peer,
    /// Tells it from earlier and later holders of its slot; counts up, so it also tells its age.
    pub(super) generation: u64,
    deadline: Mono,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Waits for the end of the head.
    Head { buffer: Vec<u8> },
    /// Waits for the end of the body; the buffer begins with the head.
    Body { head: Head, buffer: Vec<u8> },
    /// The request is complete, its answer is being made.
    Answering { head_only: bool },
    /// The answer is being sent.
    Writing { bytes: Vec<u8>, sent: usize },
    /// The answer is sent; waits for the client's end of file.
    Lingering { swallowed: usize },
}

/// What became of a connection.
#[derive(Debug)]
pub(super) enum Step {
    /// It waits for more.
    Waits,
    /// A request is complete.
    Request(Head, Vec<u8>),
    /// It sent what we do not serve.
    Refused(Refusal),
    /// The client and we do not agree about encryption: why not.
    NoHandshake(String),
    /// It is over.
    Ended,
}

/// How much would be lost if a connection were closed now, from little to much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    Answered,
    Reading,
    Writing,
    Answering,
}

impl Connection {
    pub(super) fn new(stream: Stream, peer: Peer, generation: u64, now: Mono) -> Connection {
        let state = State::Head { buffer: Vec::new() };
        Connection { stream, peer, generation, deadline: now.plus(HEAD_TIME), state }
    }

    pub(super) fn deadline(&self) -> Mono {
        self.deadline
    }

    pub(super) fn worth(&self) -> Worth {
        match self.state {
            State::Lingering { .. } => Worth::Answered,
            State::Head { .. } | State::Body { .. } => Worth::Reading,
            State::Writing { .. } => Worth::Writing,
            State::Answering { .. } => Worth::Answering,
        }
    }

    /// What poll(2) must watch. Nothing while the answer is being made: a client that hangs up then would only spin the loop.
    pub(super) fn interest(&self) -> Option<(RawFd, Interest)> {
        let interest = match self.state {
            State::Head { .. } | State::Body { .. } | State::Lingering { .. } => Interest::Read,
            State::Writing { .. } => Interest::Write,
            State::Answering { .. } => return None,
        };
        Some((self.stream.fd(), self.stream.waits_for(interest)))
    }

    /// Goes on after poll(2) said that there is something to do.
    pub(super) fn ready(&mut self, now: Mono) -> Step {
        match self.state {
            State::Head { .. } | State::Body { .. } => self.read(now),
            State::Writing { .. } => self.write(now),
            State::Lingering { .. } => self.swallow(),
            State::Answering { .. } => Step::Waits,
        }
    }

    fn read(&mut self, now: Mono) -> Step {
        let (State::Head { buffer } | State::Body { buffer, .. }) = &mut self.state else { return Step::Waits };
        // One read takes all that may have arrived, so that a deadline that passed meanwhile is not held against it.
        let mut chunk = [0; HEAD_MAX + BODY_MAX];
        let room = chunk.len().saturating_sub(buffer.len());
        let Some(chunk) = chunk.get_mut(..room).filter(|chunk| !chunk.is_empty()) else { return Step::Ended };
        match self.stream.receive(chunk) {
            Ok(0) => return Step::Ended,
            Ok(count) => buffer.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Step::Waits,
            Err(error) if self.stream.is_shaking_hands() => return Step::NoHandshake(error.to_string()),
            Err(_) => return Step::Ended,
        }
        if let State::Head { buffer } = &mut self.state {
            match head::parse(buffer) {
                Ok(None) => return Step::Waits,
                Ok(Some(head)) => {
                    let buffer = std::mem::take(buffer);
                    self.state = State::Body { head, buffer };
                    self.deadline = now.plus(BODY_TIME);
                }
                Err(refusal) => return Step::Refused(refusal),
            }
        }
        self.finish_request(now)
    }

    fn finish_request(&mut self, now: Mono) -> Step {
        let State::Body { head, buffer } = &self.state else { return Step::Waits };
        let end = head.length + head.body_length;
        let Some(body) = buffer.get(head.length..end) else { return Step::Waits };
        let (head, body) = (head.clone(), body.to_vec());
        self.state = State::Answering { head_only: head.method == Method::Head };
        self.deadline = now.plus(ANSWER_TIME);
        Step::Request(head, body)
    }

    /// Whether the request asked for a head alone.
    pub(super) fn head_only(&self) -> bool {
        matches!(self.state, State::Answering { head_only: true })
    }

    /// Whether the connection is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// The same connection without encryption, after a handshake that failed: it waits for the client to read why, or with
    /// `answers` for an answer of ours. `None` when no descriptor is left.
    pub(super) fn without_encryption(self, answers: bool, now: Mono) -> Option<Connection> {
        let mut stream = self.stream.without_encryption().ok()?;
        let (state, time) = if answers {
            (State::Answering { head_only: false }, ANSWER_TIME)
        } else {
            stream.finish_sending().ok()?;
            (State::Lingering { swallowed: 0 }, LINGER_TIME)
        };
        Some(Connection { stream, state, deadline: now.plus(time), ..self })
    }

    /// Whether a request is complete and waits for its answer.
    pub(super) fn is_answering(&self) -> bool {
        matches!(self.state, State::Answering { .. })
    }

    /// Whether a request waits for its answer, or the answer is not sent yet.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.state, State::Answering { .. } | State::Writing { .. })
    }

    /// Starts to send an answer.
    pub(super) fn answer(&mut self, bytes: Vec<u8>, now: Mono) -> Step {
        self.state = State::Writing { bytes, sent: 0 };
        self.deadline = now.plus(WRITE_TIME);
        self.write(now)
    }

    fn write(&mut self, now: Mono) -> Step {
        let State::Writing { bytes, sent } = &mut self.state else { return Step::Waits };
        while let Some(rest) = bytes.get(*sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.send(rest) {
                Ok(count) => *sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Step::Waits,
                Err(_) => return Step::Ended,
            }
        }
        if self.stream.finish_sending().is_err() {
            return Step::Ended;
        }
        self.state = State::Lingering { swallowed: 0 };
        self.deadline = now.plus(LINGER_TIME);
        Step::Waits
    }

    fn swallow(&mut self) -> Step {
        let State::Lingering { swallowed } = &mut self.state else { return Step::Waits };
        let mut chunk = [0; 16 * 1024];
        match self.stream.receive(&mut chunk) {
            Ok(count) if count > 0 && *swallowed < LINGER_BYTES => {
                *swallowed += count;
                Step::Waits
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Step::Waits,
            _ => Step::Ended,
        }
    }

    /// The deadline has passed.
    pub(super) fn expire(&mut self) -> Step {
        let slow = |what| Step::Refused(Refusal::new(408, format!("The {what} did not arrive in time")));
        match &self.state {
            State::Head { buffer } if !buffer.is_empty() => slow("request head"),
            State::Body { .. } => slow("request body"),
            _ => Step::Ended,
        }
    }
}
