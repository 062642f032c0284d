//! One request over HTTP, and its answer as lines.
//!
//! `ask METHOD PATH [WORD...]`; the words: `user=NAME:PASS` (a blank in it is written as `+`; `user=` asks without a name),
//! `token=T` (the cookie), `form=BODY`, `line=Name:value` (a header), `show=Name` (a header of the answer that is to be
//! seen, `-` in front: that it is not there), `socket=NAME` (over a socket file of the sandbox).

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who asks where nothing else is said.
const USER: &str = "us:let+me+in";

/// The status, the headers that are wanted, and the body: texts as they are, of an error its message, of pages whether there
/// is anything.
///
/// # Errors
/// There is no answer.
pub fn ask(dir: &Path, port: u16, request: &str) -> Result<Vec<String>, String> {
    let mut words = request.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let words: Vec<&str> = words.collect();
    let value = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let mut head = format!("{method} {path} HTTP/1.0\r\n");
    let user = value("user").unwrap_or(USER).replace('+', " ");
    if !user.is_empty() {
        head.push_str(&format!("Authorization: Basic {}\r\n", base64(user.as_bytes())));
    }
    if let Some(token) = value("token") {
        head.push_str(&format!("Cookie: securitytoken={token}\r\n"));
    }
    for word in &words {
        if let Some((name, value)) = word.strip_prefix("line=").and_then(|line| line.split_once(':')) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    if let Some(form) = value("form") {
        let kind = "application/x-www-form-urlencoded";
        head.push_str(&format!("Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{form}", form.len()));
    } else {
        head.push_str("\r\n");
    }
    let answer = match value("socket") {
        Some(socket) => UnixStream::connect(dir.join(socket)).and_then(|stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            exchange(stream, &head)
        }),
        None => TcpStream::connect(("127.0.0.1", port)).and_then(|stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            exchange(stream, &head)
        }),
    };
    let answer = match answer {
        Err(why) if matches!(why.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound) => {
            return Ok(vec!["nobody listens".to_owned()]);
        }
        answer => answer.map_err(|why| format!("{path}: {why}"))?,
    };
    if answer.is_empty() {
        return Ok(vec!["closed without an answer".to_owned()]);
    }
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("an answer without a head")?;
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let header = |name: &str| headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|found| found.1);
    let mut seen = vec![status.split_whitespace().take(2).collect::<Vec<_>>().join(" ")];
    for name in words.iter().filter_map(|word| word.strip_prefix("show=")) {
        match (name.strip_prefix('-'), header(name.trim_start_matches('-'))) {
            (Some(name), None) => seen.push(format!("{name} is not there")),
            (_, Some(value)) => seen.push(format!("{name}: {}", value.split("; charset").next().unwrap_or_default())),
            (None, None) => seen.push(format!("{name} is missing")),
        }
    }
    let is_text = header("Content-Type").is_some_and(|kind| kind.starts_with("text/plain"));
    let message = body.split_once("</h2>").and_then(|(_, rest)| rest.split_once("<hr>")).map(|(message, _)| message);
    match message {
        // Words for people, of which no program reads a word.
        Some(_) if status.contains(" 401 ") => seen.push("a message".to_owned()),
        Some(message) if !status.contains(" 200 ") => {
            seen.push(format!("message {}", unescaped(message.trim_end_matches("<p>"))));
        }
        _ if body.is_empty() => seen.push("no body".to_owned()),
        _ if is_text => seen.extend(body.lines().map(|line| line.replace('\x1b', "\\e"))),
        _ => seen.push("a body".to_owned()),
    }
    Ok(seen)
}

fn unescaped(text: &str) -> String {
    let pairs = [("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn exchange(mut stream: impl Read + Write, request: &str) -> std::io::Result<String> {
    // Whoever is turned away may be so before all is sent.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(why) if why.kind() != ErrorKind::ConnectionReset => Err(why),
        _ => Ok(String::from_utf8_lossy(&answer).into_owned()),
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[test]
fn names_and_passwords_are_written_as_they_are_sent() {
    assert_eq!(base64(b"us:let me in"), "dXM6bGV0IG1lIGlu");
    assert_eq!((base64(b"a").as_str(), base64(b"ab").as_str(), base64(b"").as_str()), ("YQ==", "YWI=", ""));
}
