//! Programs of `exec`: what they are given, how long they may take, and how many run.

use std::fs;

use crate::harness::{Sandbox, process, until};

#[test]
fn programs_have_a_defined_environment_and_what_the_control_file_adds() {
    let sandbox = Sandbox::new().with_env("FOO", "bar").with_env("LC_TIME", "C").with_env("PATH", "/nowhere");
    let show = sandbox.script(
        "show",
        "#!/bin/sh\nPATH=$PATH:/bin:/usr/bin\nenv | sort >@DIR@/run/env.new\nmv @DIR@/run/env.new @DIR@/run/env\n",
    );
    let watch = format!(
        "check process puma matching \"nobody-has-this-{}\"\n if does not exist then exec \"{show}\"\n",
        sandbox.tag
    );
    let environment = || until("the program", || fs::read_to_string(sandbox.path("run/env")).ok());
    let names = |text: &str| {
        let names = text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.to_owned());
        // What a shell adds by itself, and the event.
        let own = ["OLDPWD", "PWD", "SHLVL", "_"];
        names.filter(|name| !own.contains(&name.as_str()) && !name.starts_with("MONIT_")).collect::<Vec<_>>()
    };
    sandbox.control(&watch);
    sandbox.start();
    let text = environment();
    assert_eq!(names(&text), ["HOME", "LC_TIME", "LOGNAME", "PATH", "SHELL", "TZ", "USER"], "{text}");
    assert!(text.contains("PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:"), "{text}");
    sandbox.stop();

    fs::remove_file(sandbox.path("run/env")).unwrap();
    fs::remove_file(sandbox.path("state/state")).unwrap();
    let set = "set environment {\n  PATH = /opt/bin:/bin\n  RAILS_ENV = \"a b\"\n  API_TOKEN=s3cret\n}\n";
    sandbox.control(&(set.to_owned() + &watch));
    sandbox.start();
    let text = environment();
    for line in ["PATH=/opt/bin:/bin:/bin:/usr/bin\n", "RAILS_ENV=a b\n", "API_TOKEN=s3cret\n"] {
        assert!(text.contains(line), "{text}");
    }
    let dump = sandbox.cli(&["config", "dump"]).out;
    assert!(dump.contains("RAILS_ENV = \"a b\"") && !dump.contains("s3cret"), "{dump}");
}

#[test]
fn a_program_past_its_timeout_is_ended_with_what_it_started() {
    let sandbox = Sandbox::new();
    let slow = sandbox.script(
        "slow",
        "#!/bin/sh\n/bin/sleep 600 &\necho \"$$ slow\" >>@DIR@/run/pids\necho $! >@DIR@/run/child.new\n\
         mv @DIR@/run/child.new @DIR@/run/child\nwait\n",
    );
    for (limits, timeout) in [("", " timeout 1 seconds"), ("set limits { execTimeout: 1 second }\n", "")] {
        let _ = fs::remove_file(sandbox.path("run/child"));
        sandbox.control(&format!(
            "{limits}check process puma matching \"nobody-has-this-{}\"\n if does not exist then exec \"{slow}\"{timeout}\n",
            sandbox.tag
        ));
        sandbox.start();
        let child = until("the program", || fs::read_to_string(sandbox.path("run/child")).ok()?.trim().parse().ok());
        sandbox.await_log("'puma' exec program took longer than its timeout and was ended -- no output\n");
        until("the end of what it started", || (!process::lives(child)).then_some(()));
        sandbox.stop();
        fs::remove_file(sandbox.path("state/state")).unwrap();
    }
}

/// The next cycle is an hour away.
#[test]
fn what_prints_without_end_does_not_fill_the_disk() {
    let sandbox = Sandbox::new();
    let (dir, tag) = (sandbox.path("state/state.output"), &sandbox.tag);
    // It prints at most 128 MB, and ends as soon as its file is shorter than before.
    let babble = format!(
        "#!/bin/sh\nPATH=/bin:/usr/bin\necho \"$$ babble\" >>@DIR@/run/pids\nfor file in {}/*; do :; done\n\
         last=0 n=0\nwhile [ $n -lt 2000 ]; do\n n=$((n + 1))\n dd if=/dev/zero bs=65536 count=1 2>/dev/null | tr '\\0' x\n\
         size=$(wc -c <\"$file\")\n [ $size -lt $last ] && break\n last=$size\ndone\n\
         echo $n >@DIR@/run/chunks.new\nmv @DIR@/run/chunks.new @DIR@/run/chunks\n",
        dir.display()
    );
    let babble = sandbox.script("babble", &babble);
    let chunks =
        || until("the program's end", || fs::read_to_string(sandbox.path("run/chunks")).ok()?.trim().parse().ok());
    for action in [
        format!("start program \"{babble}\" with timeout 60 seconds\n if does not exist then start"),
        format!("if does not exist then exec \"{babble}\""),
    ] {
        sandbox.control(&format!("check process puma matching \"nobody-has-this-{tag}\"\n {action}\n"));
        sandbox.start();
        let printed: u32 = chunks();
        assert!((17..2000).contains(&printed), "{printed} chunks of 64 KiB");
        sandbox.stop();
        fs::remove_file(sandbox.path("run/chunks")).unwrap();
        fs::remove_file(sandbox.path("state/state")).unwrap();
    }
}

#[test]
fn programs_that_never_end_do_not_pile_up() {
    let sandbox = Sandbox::new();
    sandbox.fifo("run/never");
    sandbox.script("hang", "#!/bin/sh\necho \"$$ hang\" >>@DIR@/run/pids\nread -r line <@DIR@/run/never\n");
    sandbox.control(&format!(
        "check process puma matching \"nobody-has-this-{}\"\n if does not exist then exec \"@DIR@/bin/hang\" repeat every 1 cycles\n",
        sandbox.tag
    ));
    sandbox.start();
    for _ in 0..18 {
        sandbox.cycle();
    }
    sandbox.await_log("'puma' exec not run: 16 of its exec programs still run");
    let hangs = || fs::read_to_string(sandbox.path("run/pids")).unwrap_or_default().lines().count();
    until("all of them", || (hangs() == 16).then_some(()));
    // One ends, one begins.
    sandbox.tell("run/never", "go\n");
    until("the next one", || {
        sandbox.cycle();
        (hangs() == 17).then_some(())
    });
}
