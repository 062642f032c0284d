//! The XML of the status as lines: the path of each element, with the value of those that are the same each time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Elements whose values are the same in both programs and each time.
const STEADY: [&str; 18] = [
    "status",
    "status_hint",
    "monitor",
    "monitormode",
    "onreboot",
    "pendingaction",
    "type",
    "number",
    "cron",
    "mode",
    "size",
    "checksum",
    "state",
    "speed",
    "duplex",
    "output",
    "poll",
    "ssl",
];

struct Element {
    /// With its attributes.
    tag: String,
    parent: Option<usize>,
    text: String,
}

impl Element {
    fn name(&self) -> &str {
        self.tag.split(' ').next().unwrap_or_default()
    }
}

/// The elements below the service of that name, in their order; for no name those that belong to no service.
///
/// # Errors
/// What is wrong with the answer.
pub fn tree(port: u16, path: &str, service: &str) -> Result<Vec<String>, String> {
    let answer = get(port, path).map_err(|why| format!("{path}: {why}"))?;
    let elements = elements(answer.split_once("?>").ok_or("no XML")?.1)?;
    let is_named = |at: usize| {
        let own = elements[at].tag.contains(&format!("name=\"{service}\""));
        own || elements.iter().any(|e| e.parent == Some(at) && e.tag == "name" && e.text == service)
    };
    let mut lines = Vec::new();
    for element in &elements {
        let mut names = vec![element.name()];
        let mut of = (element.tag.starts_with("service ")).then_some(None);
        let mut parent = element.parent;
        while let (Some(at), None) = (parent, of) {
            if elements[at].tag.starts_with("service ") {
                of = Some(Some(at));
            } else {
                names.push(elements[at].name());
                parent = elements[at].parent;
            }
        }
        let is_wanted = match of {
            None => service.is_empty(),
            Some(at) => !service.is_empty() && at.is_some_and(is_named),
        };
        if is_wanted {
            names.reverse();
            let text = if STEADY.contains(&element.name()) { element.text.replace('\n', "\\n") } else { String::new() };
            lines.push(format!("{} {text}", names.join("/")).trim_end().to_owned());
        }
    }
    Ok(lines)
}

fn elements(xml: &str) -> Result<Vec<Element>, String> {
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = xml;
    while let Some((text, tag)) = rest.split_once('<') {
        let section = tag.strip_prefix("![CDATA[").map(|section| section.split_once("]]>"));
        let (more, after) = match section {
            Some(section) => section.ok_or("a section without an end")?,
            None => ("", rest),
        };
        if let Some(last) = open.last() {
            elements[*last].text.push_str(text);
            elements[*last].text.push_str(more);
        }
        if section.is_some() {
            rest = after;
            continue;
        }
        let (tag, after) = tag.split_once('>').ok_or("a tag without an end")?;
        rest = after;
        match tag.strip_prefix('/') {
            None => {
                elements.push(Element { tag: tag.to_owned(), parent: open.last().copied(), text: String::new() });
                open.push(elements.len() - 1);
            }
            Some(name) => {
                let last = open.pop().ok_or("an end without a beginning")?;
                if elements[last].name() != name {
                    return Err(format!("<{}> ends as {name}", elements[last].tag));
                }
            }
        }
    }
    Ok(elements)
}

/// The whole answer; the original's need not be UTF-8.
fn get(port: u16, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    // `us:let me in`
    let login = "Authorization: Basic dXM6bGV0IG1lIGlu";
    stream.write_all(format!("GET {path} HTTP/1.0\r\n{login}\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
