//! Crates, checksums and files of the port against Cargo.lock, cargo's cache and what the Makefile installs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::room::{ROOT, Room, found, read, said};

const PORT: &str = "port/sysutils/pollux";

/// Where crates are in the directory of distfiles.
const CRATES: &str = "rust/crates";

/// The crates of Cargo.lock that come from a registry, each with its checksum, in its order.
fn locked() -> Vec<(String, String)> {
    let text = read("Cargo.lock");
    let value = |block: &str, key: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
        line.and_then(|rest| rest.strip_suffix('"')).map(str::to_owned)
    };
    let block = |block: &str| {
        let name = format!("{}-{}", value(block, "name")?, value(block, "version")?);
        Some((name, value(block, "checksum")?))
    };
    text.split("[[package]]").filter_map(block).collect()
}

/// The lines `KIND (FILE) = VALUE` of distinfo.
fn distinfo(kind: &str) -> Vec<(String, String)> {
    let text = read(&format!("{PORT}/distinfo"));
    let line = |line: &str| {
        let (file, value) = line.strip_prefix(kind)?.trim_start().strip_prefix('(')?.split_once(") = ")?;
        Some((file.to_owned(), value.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// The values of a variable in the port's Makefile, words by words.
fn variable(file: &str, name: &str) -> Vec<String> {
    let text = read(&format!("{PORT}/{file}")).replace("\\\n", " ");
    let value = |line: &str| {
        let rest = line.strip_prefix(name)?.trim_start_matches(['+', '?']);
        Some(rest.strip_prefix('=')?.split('#').next()?.to_owned())
    };
    let words = text.lines().filter_map(value);
    words.flat_map(|words| words.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn cached(name: &str) -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))?;
    let registries = fs::read_dir(home.join("registry/cache")).ok()?;
    let files = registries.flatten().map(|entry| entry.path().join(format!("{name}.crate")));
    files.into_iter().find(|file| file.is_file())
}

#[test]
fn the_crates_are_those_of_the_lock_file() {
    let locked = locked();
    assert!(locked.len() > 10, "{locked:?}");
    let names: Vec<_> = locked.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(variable("Makefile.crates", "CARGO_CRATES"), names, "sh port/generate.sh makes them anew");
    let file = |name: &str| format!("{CRATES}/{name}.crate");
    let sums: Vec<_> = locked.iter().map(|(name, sum)| (file(name), sum.clone())).collect();
    assert_eq!(distinfo("SHA256"), sums, "sh port/generate.sh makes them anew");
    let sizes = distinfo("SIZE");
    assert_eq!(
        sizes.iter().map(|(file, _)| file.clone()).collect::<Vec<_>>(),
        names.iter().map(|n| file(n)).collect::<Vec<_>>()
    );
    let mut missing = 0;
    for (name, (_, size)) in names.iter().zip(&sizes) {
        let size: u64 = size.parse().expect("a size is a number");
        match cached(name) {
            Some(file) => assert_eq!(fs::metadata(&file).expect("crate").len(), size, "{name}"),
            None => missing += 1,
        }
    }
    if missing > 0 {
        eprintln!("skipped: the sizes of {missing} crates, which are not in cargo's cache");
    }
}

#[test]
fn the_generator_writes_what_is_there() {
    if let Some((name, _)) = locked().into_iter().find(|(name, _)| cached(name).is_none()) {
        eprintln!("skipped: {name} is not in cargo's cache");
        return;
    }
    let room = Room::new("generate");
    let run = |arguments: &[&Path]| {
        let mut command = room.command("sh");
        let home =
            std::env::var_os("CARGO_HOME").or_else(|| std::env::home_dir().map(|home| home.join(".cargo").into()));
        command.env("CARGO_HOME", home.expect("home")).env("TMPDIR", &room.0);
        let output = command.arg(format!("{ROOT}/port/generate.sh")).args(arguments).output().expect("sh");
        assert!(output.status.success(), "{}", said(&output));
    };
    let (to, distfile) = (room.path("port"), room.file("pollux-1.tar.gz", 0o644, "sources"));
    run(&[&to]);
    let lines = |dir: &Path| {
        let text = fs::read_to_string(dir.join("distinfo")).expect("distinfo");
        let (first, rest) = text.split_once('\n').expect("lines");
        assert!(first.starts_with("TIMESTAMP = "), "{first}");
        rest.to_owned()
    };
    assert_eq!(fs::read_to_string(to.join("Makefile.crates")).unwrap(), read(&format!("{PORT}/Makefile.crates")));
    assert_eq!(lines(&to), lines(&Path::new(ROOT).join(PORT)));
    let before = fs::metadata(to.join("distinfo")).unwrap().modified().unwrap();
    run(&[&to]);
    assert_eq!(fs::metadata(to.join("distinfo")).unwrap().modified().unwrap(), before, "nothing has changed");
    run(&[&to, &distfile]);
    let expected = "SHA256 (pollux-1.tar.gz) = 878a52fc5ff6a57d50b7b870aa51637a3dfd38fc22352a39f95a3c292eb976d5";
    assert_eq!(lines(&to).lines().next(), Some(expected));
    assert!(lines(&to).contains("\nSIZE (pollux-1.tar.gz) = 7\n"), "{}", lines(&to));
}

#[test]
fn the_makefile_says_what_the_project_is() {
    let cargo = read("Cargo.toml");
    let version = cargo.lines().find_map(|line| line.strip_prefix("version = ")).expect("version").trim_matches('"');
    let one = |name: &str| variable("Makefile", name).join(" ");
    assert_eq!(one("DISTVERSION"), version);
    assert_eq!(one("LICENSE"), "BSD2CLAUSE");
    assert!(cargo.contains("license = \"BSD-2-Clause\""));
    assert_eq!((one("USES").as_str(), one("USE_RC_SUBR").as_str()), ("cargo ssl", "pollux"));
    assert_eq!(one("CONFLICTS_INSTALL"), "monit");
    let features = cargo.split("[features]").nth(1).and_then(|rest| rest.split("\n[").next()).expect("features");
    let used = read(&format!("{PORT}/Makefile"));
    for feature in used.lines().filter_map(|line| line.split("CARGO_FEATURES").nth(1)) {
        let feature = feature.trim_start_matches(['+', '=']).trim();
        assert!(
            features.lines().any(|line| line.starts_with(&format!("{feature} ="))),
            "there is no feature {feature}"
        );
    }
}

#[test]
fn each_option_installs_what_the_packing_list_has_for_it() {
    let (makefile, plist) = (read(&format!("{PORT}/Makefile")), read(&format!("{PORT}/pkg-plist")));
    let options = variable("Makefile", "OPTIONS_DEFINE");
    assert_eq!(options, ["MONIT_LINK", "PAM"]);
    for option in &options {
        let rule = makefile.split(&format!("\npost-install-{option}-on:\n")).nth(1).expect("a rule");
        let rule: String = rule.lines().take_while(|line| line.starts_with('\t')).collect();
        let listed: Vec<_> = plist.lines().filter_map(|line| line.strip_prefix(&format!("%%{option}%%"))).collect();
        assert!(!listed.is_empty(), "{option}");
        for file in listed.iter().map(|line| line.trim_start_matches("@sample ")) {
            assert!(rule.ends_with(&format!("/{file}")), "{option} does not install {file}: {rule}");
        }
        assert!(makefile.contains(&format!("\n{option}_DESC=")), "{option}");
    }
    let foreign = plist.lines().filter(|line| line.starts_with("%%"));
    let known = |line: &&str| options.iter().any(|option| line.starts_with(&format!("%%{option}%%")));
    assert!(foreign.clone().all(|line| known(&line)), "{plist}");
    let source = makefile.split_whitespace().find_map(|word| word.strip_prefix("${WRKSRC}/port/")).expect("pam");
    assert!(read(&format!("port/{source}")).contains("pam_unix.so"));
}

/// Every `%%NAME%%` of the scripts is one that the ports and the Makefile fill in.
#[test]
fn nothing_in_the_scripts_stays_unfilled() {
    let given: BTreeSet<String> = variable("Makefile", "SUB_LIST")
        .into_iter()
        .map(|word| word.split('=').next().unwrap_or_default().to_owned())
        .chain(["PREFIX".to_owned()])
        .collect();
    let filled = read("Makefile");
    for file in [&format!("{PORT}/files/pollux.in"), "port/etc/newsyslog.conf.in", "port/etc/periodic.in"] {
        let text = read(file);
        for name in text.split("%%").skip(1).step_by(2) {
            assert!(given.contains(name), "{file}: %%{name}%% is not in SUB_LIST");
            assert!(filled.contains(&format!("s|%%{name}%%|")), "{file}: %%{name}%% is not in the Makefile");
        }
    }
}

/// What the plist says of one path.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Listed {
    directory: bool,
    mode: Option<u32>,
}

/// The packing list as paths below the root, with and without options. Pages are compressed when a package is made.
fn plist() -> BTreeMap<PathBuf, Listed> {
    let mut paths = BTreeMap::new();
    for line in read(&format!("{PORT}/pkg-plist")).lines() {
        // What an option adds.
        if line.starts_with("%%") {
            continue;
        }
        let (keyword, path) = line.strip_prefix('@').map_or(("", line), |rest| rest.split_once(' ').expect("a path"));
        let (keyword, owner) = keyword.split_once('(').unwrap_or((keyword, ""));
        assert!(["", "sample", "dir"].contains(&keyword), "{line}");
        let mode =
            owner.trim_end_matches(')').split(',').nth(2).map(|mode| u32::from_str_radix(mode, 8).expect("octal"));
        let path = path.strip_suffix(".gz").unwrap_or(path);
        let path = path.strip_prefix('/').map_or_else(|| format!("usr/local/{path}"), str::to_owned);
        let known = paths.insert(path.clone().into(), Listed { directory: keyword == "dir", mode });
        assert_eq!(known, None, "{path} is listed twice");
    }
    paths
}

fn walk(dir: &Path, root: &Path, into: &mut BTreeMap<PathBuf, (bool, u32)>) {
    for entry in fs::read_dir(dir).expect("directory").flatten() {
        let (path, facts) = (entry.path(), entry.metadata().expect("facts"));
        let name = path.strip_prefix(root).expect("below the root").to_owned();
        into.insert(name, (facts.is_dir(), facts.permissions().mode() & 0o7777));
        if facts.is_dir() {
            walk(&path, root, into);
        }
    }
}

#[test]
fn the_packing_list_is_what_is_installed() {
    let Some(make) = found(&["make", "bmake", "gmake"]) else {
        eprintln!("skipped: there is no make");
        return;
    };
    let room = Room::new("install");
    let root = room.path("root");
    let bin = root.join("usr/local/bin");
    fs::create_dir_all(&bin).expect("directory");
    fs::copy(env!("CARGO_BIN_EXE_pollux"), bin.join("pollux")).expect("program");
    for target in ["install-files", "install-rc"] {
        let mut command = room.command(&make);
        let output = command.arg(target).arg(format!("DESTDIR={}", root.display())).current_dir(ROOT).output();
        let output = output.expect("make");
        assert!(output.status.success(), "{}", said(&output));
    }
    let mut installed = BTreeMap::new();
    walk(&root, &root, &mut installed);
    let rc = installed.remove(Path::new("usr/local/etc/rc.d/pollux"));
    assert_eq!(rc, Some((false, 0o555)), "USE_RC_SUBR installs it and adds it to the list");
    let listed = plist();
    for (path, (directory, mode)) in &installed {
        // Directories that the system or another package has, or that hold something that is listed.
        if *directory && !listed.contains_key(path) {
            let holds = installed.keys().any(|other| other != path && other.starts_with(path));
            assert!(holds || path.ends_with("rc.d"), "{} is not in pkg-plist", path.display());
            continue;
        }
        let known = listed.get(path).unwrap_or_else(|| panic!("{} is not in pkg-plist", path.display()));
        assert_eq!(known.directory, *directory, "{}", path.display());
        if let Some(wanted) = known.mode {
            assert_eq!(wanted, *mode, "{}: {wanted:o} in pkg-plist, {mode:o} on disk", path.display());
        }
    }
    for path in listed.keys() {
        assert!(installed.contains_key(path), "{} is in pkg-plist but not installed", path.display());
    }
    let periodic = Path::new("usr/local/etc/periodic/daily/485.status-pollux");
    assert_eq!(installed.get(periodic), Some(&(false, 0o555)));
}

/// Which of the packing list's files the manual names, under its own name for samples.
#[test]
fn the_manual_names_what_is_installed() {
    let page = read("man/pollux.8");
    let files = page.split("\n.Sh FILES\n").nth(1).and_then(|rest| rest.split("\n.Sh ").next()).expect("FILES");
    for (path, listed) in plist() {
        let path = format!("/{}", path.display());
        if path.contains("/share/man/") || path.ends_with("/bin/pollux") || listed.directory {
            continue;
        }
        assert!(files.contains(&path), "{path} is not in FILES");
    }
}
