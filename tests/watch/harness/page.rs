//! A client of the page that asks as plainly as can be.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// A port of the loopback that is free now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Connects, with a bound on how long an answer may take.
pub fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.set_write_timeout(Some(Duration::from_secs(20)))?;
    Ok(stream)
}

/// The whole answer to GET.
pub fn get(port: u16, path: &str) -> io::Result<String> {
    get_with(port, path, "")
}

/// The same with header lines.
pub fn get_with(port: u16, path: &str, lines: &str) -> io::Result<String> {
    let mut stream = connect(port)?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n{lines}\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// How long the daemon takes for a sign of life, which is how long its loop was busy with something else.
pub fn lag(port: u16) -> Duration {
    let begun = Instant::now();
    let answer = get(port, "/_ping").expect("an answer");
    assert!(answer.contains("200"), "{answer}");
    begun.elapsed()
}
