//! What the daemon shows over HTTP: to programs that read XML, and to people.

use crate::harness::{Sandbox, page, until};

/// The text between two marks, the first of each.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}")).1;
    rest.split_once(to).unwrap_or_else(|| panic!("no {to} behind {from} in {text}")).0
}

/// The names of the elements of a part of a document, in their order, each with `/` where it ends.
fn elements(xml: &str) -> String {
    let mut names = Vec::new();
    let mut rest = xml;
    while let Some((_, tag)) = rest.split_once('<') {
        rest = match tag.strip_prefix("![CDATA[") {
            Some(section) => section.split_once("]]>").expect("the end of the section").1,
            None => {
                let (tag, after) = tag.split_once('>').expect("the end of the tag");
                names.push(tag.split(' ').next().unwrap_or_default().trim_start_matches('/').to_owned());
                after
            }
        };
    }
    names.dedup();
    names.join(" ")
}

const COMMON: &str = "name collected_sec collected_usec status status_hint monitor monitormode onreboot pendingaction";

/// A daemon that shows a service of each local kind, one that is gone, and a program that prints whatever it likes.
fn running() -> (Sandbox, u16) {
    let sandbox = Sandbox::new();
    let dir = sandbox.dir.display();
    let port = page::free_port();
    sandbox.script("noise", "#!/bin/sh\nprintf '\\001\\377\\033[1m]]>\\n<b>&\\n'\nexit 3\n");
    let body = format!(
        "set httpd port {port} use address 127.0.0.1 allow 127.0.0.1 allow ro:'x' read-only allow us:'x'\n\
         check system machine\n\
         {}\
         check process \"a <b>/?&'\" with pidfile {dir}/run/none if not exist then alert\n\
         check file file with path {dir}/monitrc if failed checksum then alert\n\
         check directory dir with path {dir}\n\
         check filesystem root with path /\n\
         check network nolink with interface nolink0\n\
         check program noise with path {dir}/bin/noise if status != 0 then alert\n",
        sandbox.service_with("puma", "group web every 2 cycles"),
    );
    sandbox.control(&body);
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.cycle();
    sandbox.await_log("'noise' status failed (3)");
    (sandbox, port)
}

/// GET as the user who may look only.
fn get(port: u16, path: &str, user: &str) -> String {
    page::get_with(port, path, &format!("Authorization: Basic {user}\r\n")).expect("an answer")
}

/// `us:x` and `ro:x`.
const US: &str = "dXM6eA==";
const RO: &str = "cm86eA==";

#[test]
#[cfg_attr(not(feature = "tls"), ignore = "OpenSSL computes checksums and MD5")]
fn programs_read_xml_with_the_elements_they_know() {
    let (_sandbox, port) = running();
    let xml = until("the document", || {
        let answer = get(port, "/_status?format=xml&level=full", RO);
        answer.contains("<name>machine</name>").then_some(answer)
    });
    assert!(xml.starts_with("HTTP/1.0 200 OK\r\n") && xml.contains("\r\nContent-Type: text/xml"), "{xml}");
    assert!(xml.contains("<?xml version=\"1.0\" encoding=\"UTF-8\"?><monit><server><id>"), "{xml}");
    let service =
        |kind: u8, name: &str| between(&xml, &format!("<service type=\"{kind}\"><name>{name}</name>"), "</service>");
    let has = |kind: u8, name: &str, wanted: &str| {
        let found = elements(&format!("<name></name>{}", service(kind, name)));
        assert!(found.starts_with(&format!("{COMMON}{wanted}")), "{name}: {found}");
    };
    has(
        5,
        "machine",
        " filedescriptors allocated unused maximum filedescriptors system load avg01 avg05 avg15 load cpu user",
    );
    let usage = " memory percent percenttotal kilobyte kilobytetotal memory cpu percent percenttotal cpu";
    let ids = " every type counter number every pid ppid uid euid gid uptime threads children";
    has(3, "puma", &format!("{ids}{usage}"));
    has(3, "a &lt;b&gt;/?&amp;'", usage);
    let stat = " mode uid gid timestamps access change modify timestamps";
    has(2, "file", &format!("{stat} size checksum"));
    has(1, "dir", stat);
    has(0, "root", " fstype fsflags mode uid gid block percent usage total block");
    has(8, "nolink", " link state speed duplex download packets now total packets bytes now total bytes errors");
    has(7, "noise", " program started status output program");
    let output = between(service(7, "noise"), "<output>", "</output>");
    assert_eq!(output, "<![CDATA[\u{fffd}\u{fffd}\u{fffd}[1m]]]]><![CDATA[>\n<b>&]]>");
    assert!(service(7, "noise").contains("<status>3</status>"));
    let second = get(port, "/_status2?format=xml", RO);
    assert!(second.contains("<services><service name=\"machine\"><type>5</type>"), "{second}");
    assert!(second.contains("<servicegroup name=\"web\"><service>puma</service></servicegroup>"), "{second}");
}

#[test]
#[cfg_attr(not(feature = "tls"), ignore = "OpenSSL computes checksums and MD5")]
fn people_read_pages_and_read_only_users_no_log() {
    let (sandbox, port) = running();
    let overview = get(port, "/", RO);
    let link = between(&overview, "<td class=\"name\"><a href=\"", "\"");
    assert!(overview.contains("status failed (3) -- "), "why something failed: {overview}");
    assert!(get(port, link, RO).starts_with("HTTP/1.0 200 OK\r\n"), "{link}");
    let page = get(port, "/a%20%3Cb%3E%2F%3F%26%27", RO);
    assert!(page.contains("<h1>a &lt;b&gt;/?&amp;&#39;</h1>"), "{page}");
    assert!(page.contains("process is not running") && page.contains("If doesn&#39;t exist then alert"), "{page}");
    assert!(get(port, "/puma", US).contains("<th scope=\"row\">PID</th>"));
    assert!(get(port, "/nosuch", RO).contains("<h2>Not Found</h2>There is no service named \"nosuch\"<hr>"));
    assert!(get(port, "/_viewlog", RO).starts_with("HTTP/1.0 403 "));
    let log = get(port, "/_viewlog", US);
    assert!(log.contains("&#39;noise&#39; status failed (3)") && !log.contains("<b>"), "{log}");
    let daemon = get(port, "/_runtime", US);
    assert!(daemon.contains(&sandbox.control_path().display().to_string()), "{daemon}");
    for (path, body) in [("/_ping", "pong"), ("/_monit", "")] {
        let answer = get(port, path, RO);
        assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
        assert_eq!(answer.split_once("\r\n\r\n").map(|(_, body)| body), Some(body));
    }
}
