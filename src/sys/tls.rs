//! Encrypted connections that others make to us, by OpenSSL (feature `tls`). The only module that knows the library for them.
//!
//! A session is driven by a poll loop: its handshake goes on with the first read, and whenever nothing can be done it says
//! which readiness of the socket it waits for.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::posix::poll::Interest;

/// Versions of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // 1.0 to 1.3
pub enum Version {
    V10,
    V11,
    V12,
    V13,
}

/// What a server shows and asks for.
#[derive(Clone)]
pub struct Identity {
    /// The certificates in PEM, its own first.
    pub certificates: Vec<u8>,
    /// The private key in PEM, without a passphrase; never shown.
    pub key: Vec<u8>,
    /// Certificates in PEM of the clients that may connect, or of those who have signed theirs; `None`: all.
    pub clients: Option<Vec<u8>>,
    /// The versions that may be spoken, at least one.
    pub versions: Vec<Version>,
    /// The ciphers of versions before 1.3, as openssl-ciphers(1) writes them; `None`: those of today.
    pub ciphers: Option<String>,
}

/// The library's word for a client that speaks HTTP in the clear.
pub const PLAIN_HTTP: &str = "http request";

/// Why there can be no encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsError {
    /// This program was built without OpenSSL.
    NotBuilt,
    /// No certificate is in the file of the page.
    NoCertificate,
    /// No private key is in it, or it has a passphrase; what the library says.
    NoKey(String),
    /// The key belongs to another certificate.
    OtherKey,
    /// No certificate is in the file of clients.
    NoClients,
    /// The list of ciphers has none that the library knows.
    Ciphers,
    /// All versions are switched off.
    NoVersion,
    /// Anything else, in the library's words.
    Library(String),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::NotBuilt => f.write_str("this pollux was built without OpenSSL"),
            TlsError::NoCertificate => f.write_str("there is no certificate in its file"),
            TlsError::NoKey(why) => write!(f, "no private key without a passphrase ({why}) is in its file"),
            TlsError::OtherKey => f.write_str("the private key does not belong to the certificate"),
            TlsError::NoClients => f.write_str("there is no certificate in the file of the clients"),
            TlsError::Ciphers => f.write_str("the library knows none of the ciphers"),
            TlsError::NoVersion => f.write_str("no version of the protocol is left"),
            TlsError::Library(why) => f.write_str(why),
        }
    }
}

pub use library::{Acceptor, Session};

impl AsFd for Session {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket()
    }
}

#[cfg(feature = "tls")]
mod library {
    use super::*;
    use crate::sys::posix::net;
    use openssl::error::ErrorStack;
    use openssl::pkey::PKey;
    use openssl::ssl::{
        Error, ErrorCode, Ssl, SslAcceptor, SslAcceptorBuilder, SslMethod, SslOptions, SslSessionCacheMode, SslStream,
        SslVerifyMode,
    };
    use openssl::stack::Stack;
    use openssl::x509::X509;
    use openssl::x509::store::X509StoreBuilder;
    use openssl::x509::verify::X509VerifyFlags;

    /// Makes sessions of connections.
    #[derive(Clone)]
    pub struct Acceptor(SslAcceptor);

    /// An encrypted connection.
    pub struct Session {
        stream: SslStream<Socket>,
        waits_for: Option<Interest>,
    }

    impl fmt::Debug for Acceptor {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Acceptor")
        }
    }

    impl fmt::Debug for Session {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "Session({:?})", self.waits_for)
        }
    }

    /// The first reason that the library gives.
    fn reason(stack: &ErrorStack) -> String {
        let reason = stack.errors().iter().find_map(|error| error.reason());
        reason.unwrap_or("the library does not say why").to_owned()
    }

    impl From<ErrorStack> for TlsError {
        fn from(stack: ErrorStack) -> TlsError {
            TlsError::Library(reason(&stack))
        }
    }

    impl Acceptor {
        /// A server with that identity.
        ///
        /// # Errors
        /// [`TlsError`].
        pub fn new(identity: &Identity) -> Result<Acceptor, TlsError> {
            let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
            speak(&mut builder, &identity.versions)?;
            if let Some(ciphers) = &identity.ciphers {
                builder.set_cipher_list(ciphers).map_err(|_| TlsError::Ciphers)?;
            }
            let certificates = X509::stack_from_pem(&identity.certificates).map_err(|_| TlsError::NoCertificate)?;
            let mut certificates = certificates.into_iter();
            let own = certificates.next().ok_or(TlsError::NoCertificate)?;
            builder.set_certificate(&own)?;
            for certificate in certificates {
                builder.add_extra_chain_cert(certificate)?;
            }
            // Without the callback the library would ask for a passphrase at the terminal.
            let key = PKey::private_key_from_pem_callback(&identity.key, |_| Ok(0));
            let key = key.map_err(|stack| TlsError::NoKey(reason(&stack)))?;
            builder.set_private_key(&key).and_then(|()| builder.check_private_key()).map_err(|_| TlsError::OtherKey)?;
            if let Some(clients) = &identity.clients {
                ask_clients(&mut builder, clients)?;
            }
            // Tickets are the client's to keep; nothing grows here.
            builder.set_session_cache_mode(SslSessionCacheMode::OFF);
            builder.set_session_id_context(b"pollux")?;
            builder.set_options(SslOptions::NO_RENEGOTIATION | SslOptions::CIPHER_SERVER_PREFERENCE);
            Ok(Acceptor(builder.build()))
        }

        /// Begins a session on a non-blocking socket.
        ///
        /// # Errors
        /// The library's, when memory is short.
        pub fn accept(&self, socket: OwnedFd) -> io::Result<Session> {
            let mut ssl = Ssl::new(self.0.context())?;
            ssl.set_accept_state();
            Ok(Session { stream: SslStream::new(ssl, Socket(socket))?, waits_for: None })
        }
    }

    fn speak(builder: &mut SslAcceptorBuilder, versions: &[Version]) -> Result<(), TlsError> {
        if versions.is_empty() {
            return Err(TlsError::NoVersion);
        }
        builder.set_min_proto_version(None)?;
        builder.set_max_proto_version(None)?;
        for (version, off) in [
            (Version::V10, SslOptions::NO_TLSV1),
            (Version::V11, SslOptions::NO_TLSV1_1),
            (Version::V12, SslOptions::NO_TLSV1_2),
            (Version::V13, SslOptions::NO_TLSV1_3),
        ] {
            if versions.contains(&version) {
                builder.clear_options(off);
            } else {
                builder.set_options(off);
            }
        }
        Ok(())
    }

    /// A client must show a certificate that is in the file, or that one in the file has signed.
    fn ask_clients(builder: &mut SslAcceptorBuilder, pem: &[u8]) -> Result<(), TlsError> {
        let certificates = X509::stack_from_pem(pem).map_err(|_| TlsError::NoClients)?;
        if certificates.is_empty() {
            return Err(TlsError::NoClients);
        }
        let mut store = X509StoreBuilder::new()?;
        store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        let mut names = Stack::new()?;
        for certificate in certificates {
            names.push(certificate.subject_name().to_owned()?)?;
            store.add_cert(certificate)?;
        }
        builder.set_verify_cert_store(store.build())?;
        builder.set_client_ca_list(names);
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        Ok(())
    }

    impl Session {
        /// The socket below.
        pub(super) fn socket(&self) -> BorrowedFd<'_> {
            self.stream.get_ref().0.as_fd()
        }

        /// What the socket must be ready for before it goes on; `None` when the last call did what it was asked.
        pub fn waits_for(&self) -> Option<Interest> {
            self.waits_for
        }

        /// Whether the handshake is not done yet.
        pub fn is_shaking_hands(&self) -> bool {
            !self.stream.ssl().is_init_finished()
        }

        /// Reads all that has arrived, up to the length of `buffer`; what the library has already taken in makes no socket
        /// readable any more. 0 is the end.
        ///
        /// # Errors
        /// [`io::ErrorKind::WouldBlock`] when nothing has arrived; those of recv(2); whatever the library objects to.
        pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let mut filled = 0;
            while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
                match self.stream.ssl_read(room) {
                    Ok(0) => break,
                    Ok(count) => filled += count,
                    Err(error) if error.code() == ErrorCode::ZERO_RETURN => break,
                    Err(error) if filled == 0 => return Err(self.refused(error)),
                    // What was read counts; the error comes again.
                    Err(_) => break,
                }
            }
            self.waits_for = None;
            Ok(filled)
        }

        /// Writes as much as there is room for, and tells how much.
        ///
        /// # Errors
        /// As [`Session::receive`].
        pub fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.stream.ssl_write(bytes) {
                Ok(count) => {
                    self.waits_for = None;
                    Ok(count)
                }
                Err(error) => Err(self.refused(error)),
            }
        }

        /// Tells the peer that no more bytes will come.
        ///
        /// # Errors
        /// Those of shutdown(2).
        pub fn finish_sending(&mut self) -> io::Result<()> {
            // Where there is no room for the notice the end of the stream is notice enough: the length was told before.
            let _ = self.stream.shutdown();
            self.waits_for = None;
            net::finish_sending(self.socket())
        }

        /// The socket alone, after a handshake that failed: what the library had to say of that is sent.
        ///
        /// # Errors
        /// No descriptor left.
        pub fn into_socket(self) -> io::Result<OwnedFd> {
            self.socket().try_clone_to_owned()
        }

        fn refused(&mut self, error: Error) -> io::Error {
            self.waits_for = match error.code() {
                ErrorCode::WANT_READ => Some(Interest::Read),
                ErrorCode::WANT_WRITE => Some(Interest::Write),
                _ => None,
            };
            if self.waits_for.is_some() {
                return io::ErrorKind::WouldBlock.into();
            }
            let text = error.ssl_error().map(reason);
            match (text, error.into_io_error()) {
                (Some(text), _) => io::Error::other(text),
                (None, Ok(error)) => error,
                (None, Err(_)) => io::ErrorKind::UnexpectedEof.into(),
            }
        }
    }

    /// The bytes of a session, without the signal that write(2) sends when the peer is gone.
    struct Socket(OwnedFd);

    impl io::Read for Socket {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            net::receive(self.0.as_fd(), buffer)
        }
    }

    impl io::Write for Socket {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            net::send(self.0.as_fd(), bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(not(feature = "tls"))]
#[allow(missing_docs)] // the functions are those above
mod library {
    use super::*;

    /// There is none.
    #[derive(Clone, Debug)]
    pub enum Acceptor {}

    /// There is none.
    #[derive(Debug)]
    pub enum Session {}

    impl Acceptor {
        pub fn new(_: &Identity) -> Result<Acceptor, TlsError> {
            Err(TlsError::NotBuilt)
        }

        pub fn accept(&self, _: OwnedFd) -> io::Result<Session> {
            match *self {}
        }
    }

    impl Session {
        pub(super) fn socket(&self) -> BorrowedFd<'_> {
            match *self {}
        }

        pub fn waits_for(&self) -> Option<Interest> {
            match *self {}
        }

        pub fn is_shaking_hands(&self) -> bool {
            match *self {}
        }

        pub fn receive(&mut self, _: &mut [u8]) -> io::Result<usize> {
            match *self {}
        }

        pub fn send(&mut self, _: &[u8]) -> io::Result<usize> {
            match *self {}
        }

        pub fn into_socket(self) -> io::Result<OwnedFd> {
            match self {}
        }

        pub fn finish_sending(&mut self) -> io::Result<()> {
            match *self {}
        }
    }
}
