//! Where the parser goes on behind a mistake.

use super::parsed;
use crate::syntax::diagnostic::Diagnostic;

#[test]
fn ten_mistakes_give_ten_messages() {
    const IN_SERVICES: [&str; 13] = [
        "if cpu > 5% then exec \"/bin/x\" as uid root repaet every 3 cycles else if succeeded then alert",
        "if does not exist then restrat",
        "start programm = \"/bin/true\"",
        "stop program = \"/bin/true\" with timeout 60 minutes",
        "if cpu > 80 for 5 cycles then alert",
        "depends on",
        "if failed uid daemon then alert",
        "group",
        "mode activ",
        "every two cycles",
        "onreboot never",
        "if memory > 50MB then alert",
        "restart program = \"\"",
    ];
    const GLOBAL: [&str; 9] = [
        "set deamon 30",
        "set daemon 30 with start dealy 240",
        "set log x.log",
        "set httpd port x",
        "set limits { programOutput = 5 b }",
        "chekc process a with pidfile /a",
        "check process a with pidfile a",
        "include",
        "set onreboot maybe",
    ];
    // Each list forwards and backwards: what a mistake is followed by must not matter.
    let lines = |service: bool, backwards: bool| {
        let mut all: Vec<&str> = if service { IN_SERVICES.to_vec() } else { GLOBAL.to_vec() };
        if backwards {
            all.reverse();
        }
        all
    };
    for backwards in [false, true] {
        let one = lines(true, backwards).join("\n ");
        let text = format!("check process x with pidfile /x\n {one}\nset init\n");
        assert_lines(&text, (2..).take(IN_SERVICES.len()).collect());
        let several: String =
            lines(true, backwards).iter().map(|line| format!("check process x with pidfile /x\n {line}\n")).collect();
        assert_lines(&several, (2..).step_by(2).take(IN_SERVICES.len()).collect());
        let global = lines(false, backwards).join("\n");
        assert_lines(&format!("{global}\nset init\n"), (1..).take(GLOBAL.len()).collect());
    }
}

/// Each of these lines has exactly one mistake, the others have none.
fn assert_lines(text: &str, expected: Vec<u32>) {
    let (sources, parsed) = parsed(text);
    let line = |diagnostic: &Diagnostic| {
        let at = diagnostic.location.unwrap();
        sources.get(at.source).unwrap().line(at.span.start)
    };
    let found: Vec<u32> = parsed.diagnostics.iter().map(line).collect();
    assert_eq!(found, expected, "{text}\n{}", parsed.diagnostics.render(&sources));
}
