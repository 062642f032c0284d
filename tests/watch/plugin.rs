//! `check`: one line and an exit code for programs of the kind of Nagios and Sensu.

use crate::harness::Sandbox;

#[test]
fn each_exit_code_comes_with_its_word_on_one_line() {
    for name in ["pollux", "monit"] {
        let sandbox = Sandbox::new().called(name);
        sandbox.control(&(sandbox.service_with("puma", "group web") + &sandbox.service_with("node", "mode passive")));
        let check = |arguments: &[&str], code: i32, begins: &str| {
            let told = sandbox.cli(arguments);
            assert_eq!(told.code, Some(code), "{arguments:?}: {told:?}");
            assert!(told.out.starts_with(begins), "{arguments:?}: {told:?}");
            assert_eq!((told.out.matches('\n').count(), told.err.as_str()), (1, ""), "{arguments:?}: {told:?}");
            told.out
        };
        check(&["check", "puma"], 3, "UNKNOWN: no daemon runs with the control file ");
        sandbox.bring_up("puma");
        let node = sandbox.bring_up("node");
        sandbox.start();
        sandbox.cycle();
        let well = check(&["check", "PUMA"], 0, "OK: 'puma' OK, pid ");
        let (_, data) = well.split_once(" | ").expect("what was measured");
        assert!(data.starts_with("cpu=") && data.contains(" threads=1;;;0"), "{data}");
        check(&["check", "-g", "web"], 0, "OK: 1 of 1 services are well | ok=1;;;0;1 ");
        check(&["check"], 0, "OK: 3 of 3 services are well | ");
        sandbox.kill_standin("node");
        sandbox.cycle();
        let bad = check(&["check", "node"], 2, "CRITICAL: 'node' Does not exist (If doesn't exist then ");
        assert!(!bad.contains(&format!("pid {node}")), "{bad}");
        check(&["check", "all"], 2, "CRITICAL: 2 of 3 services are well: 'node' Does not exist | ");
        assert_eq!(sandbox.cli(&["unmonitor", "puma", "--for", "1h"]).code, Some(0));
        check(&["check", "puma"], 3, "UNKNOWN: 'puma' Not monitored until ");
        sandbox.shut_gate("puma");
        assert_eq!(sandbox.cli(&["restart", "puma"]).code, Some(0));
        check(&["check", "puma"], 1, "WARNING: 'puma' Not monitored - restart pending");
        sandbox.remove_gate("puma");
        check(&["check", "nobody"], 3, "UNKNOWN: Service 'nobody' not found");
        check(&["check", ""], 3, "UNKNOWN: Service '' not found");
        check(&["check", "-g", ""], 3, "UNKNOWN: Service group '' not found");
        check(&["check", "-g", "nobodies"], 3, "UNKNOWN: Service group 'nobodies' not found");
        assert_eq!(sandbox.cli(&["check", "--nonsense"]).code, Some(3), "of a wrong question nothing is known");
    }
}
