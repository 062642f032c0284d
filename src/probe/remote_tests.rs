//! Answers by children, in time and not.

use super::*;
use crate::sys::posix::clock;
use crate::sys::posix::poll::{Interest, PollSet};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("pollux-remote-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.0.join(name), text).unwrap();
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn ask(service: &str, purpose: Purpose, path: &Path) -> Ask {
    Ask { service: service.to_owned(), purpose, path: path.to_owned(), mount: PathBuf::from("/remote") }
}

/// Waits until something is readable, then takes what is there.
fn next(remote: &mut Remote, now: Mono) -> Vec<(Ask, Answer)> {
    loop {
        let mut set = PollSet::default();
        remote.fds().for_each(|fd| set.add(fd, Interest::Read, ()));
        assert!(!set.wait(Some(Duration::from_secs(20))).unwrap().is_empty());
        let answers = remote.collect(now);
        if !answers.is_empty() {
            return answers;
        }
    }
}

#[test]
fn an_answer_tells_what_the_file_says() {
    let folder = Folder::new("answer");
    let now = clock::monotonic();
    let mut remote = Remote::default();
    let file = folder.file("pid", "123\n");
    remote.ask(ask("one", Purpose::Check, &file), now);
    remote.ask(ask("one", Purpose::Check, &file), now);
    assert!(remote.is_pending("one") && !remote.is_pending("two"));
    remote.begin(now);
    assert_eq!(remote.fds().count(), 1);
    let head = Answer::Content(Content::Head(b"123\n".to_vec()));
    assert_eq!(next(&mut remote, now), [(ask("one", Purpose::Check, &file), head)]);
    assert!(!remote.is_busy());
    assert_eq!(remote.next_deadline(), None);
}

#[test]
fn contents_survive_the_pipe() {
    let contents = KINDS.map(|kind| Content::Problem(PidfileProblem::NotRegular(kind))).into_iter().chain([
        Content::Head(Vec::new()),
        Content::Head(b"12\n\0\xff".to_vec()),
        Content::Problem(PidfileProblem::Missing),
        Content::Problem(PidfileProblem::Unreadable("Permission denied".to_owned())),
        Content::Failed("Input/output error".to_owned()),
    ]);
    for content in contents {
        assert_eq!(decode(&encode(&content)), content);
    }
    for nonsense in [b"".as_slice(), b"z", b"k", b"mm"] {
        assert!(matches!(decode(nonsense), Content::Failed(why) if why.contains("without an answer")));
    }
}

#[test]
fn an_action_does_not_share_what_was_read_before_it() {
    let folder = Folder::new("action");
    let now = clock::monotonic();
    let mut remote = Remote::default();
    let file = folder.file("pid", "1");
    remote.ask(ask("one", Purpose::Check, &file), now);
    remote.begin(now);
    remote.ask(ask("one", Purpose::Action, &file), now);
    remote.begin(now);
    assert_eq!(remote.fds().count(), 1, "one child for a path at a time");
    assert_eq!(next(&mut remote, now)[0].0.purpose, Purpose::Check);
    remote.begin(now);
    assert_eq!(next(&mut remote, now)[0].0.purpose, Purpose::Action);
}

#[test]
fn silence_ends_at_the_deadline_and_a_stuck_child_keeps_others_from_its_path() {
    let now = clock::monotonic();
    let late = now.plus(PATIENCE);
    let path = Path::new("/remote/pid");
    let mut remote = Remote::default();
    remote.ask(ask("one", Purpose::Check, path), now);
    let hang = Helper::start(late, || {
        clock::pause(Duration::from_secs(60));
        Vec::new()
    });
    remote.pending[0].reading = Reading::By(hang.unwrap());
    assert_eq!(remote.collect(now), []);
    assert_eq!(remote.next_deadline(), Some(late));
    assert_eq!(remote.collect(late), [(ask("one", Purpose::Check, path), Answer::Silence)]);
    // Not reaped, as one that cannot be killed.
    remote.ask(ask("one", Purpose::Check, path), late);
    remote.begin(late);
    assert_eq!(remote.fds().count(), 0);
    assert_eq!(remote.collect(late.plus(PATIENCE)), [(ask("one", Purpose::Check, path), Answer::Silence)]);
    assert!(remote.stuck[0].child.lives());
}

#[test]
fn one_dead_mount_takes_its_own_places_only() {
    let folder = Folder::new("places");
    let now = clock::monotonic();
    let mut remote = Remote::default();
    for number in 0..PER_MOUNT + 2 {
        let name = number.to_string();
        remote.ask(ask(&name, Purpose::Check, &folder.file(&name, "1")), now);
    }
    let other = Ask { mount: PathBuf::from("/other"), ..ask("other", Purpose::Check, &folder.file("other", "1")) };
    remote.ask(other, now);
    remote.begin(now);
    assert_eq!(remote.fds().count(), PER_MOUNT + 1);
    let mut answered = 0;
    while remote.is_busy() {
        answered += next(&mut remote, now).len();
        remote.begin(now);
    }
    assert_eq!(answered, PER_MOUNT + 3);
}

#[test]
fn what_a_new_configuration_does_not_want_is_given_up() {
    let folder = Folder::new("retain");
    let now = clock::monotonic();
    let mut remote = Remote::default();
    let (one, two) = (folder.file("one", "1"), folder.file("two", "2"));
    remote.ask(ask("one", Purpose::Action, &one), now);
    remote.ask(ask("two", Purpose::Check, &two), now);
    remote.begin(now);
    assert_eq!(remote.retain(|ask| ask.service == "two"), [ask("one", Purpose::Action, &one)]);
    assert!(!remote.is_pending("one") && remote.is_pending("two"));
    assert_eq!(next(&mut remote, now).len(), 1);
}

#[cfg(debug_assertions)]
#[test]
fn without_a_process_for_it_nothing_is_known() {
    use crate::sys::fault;
    let now = clock::monotonic();
    let mut remote = Remote::default();
    remote.ask(ask("one", Purpose::Check, Path::new("/x")), now);
    fault::set("fork=EAGAIN:1");
    remote.begin(now);
    fault::set("");
    assert_eq!(remote.next_deadline(), Some(now), "told at once");
    let answers = remote.collect(now);
    assert!(matches!(&answers[0].1, Answer::Content(Content::Failed(why)) if why.contains("no helper process")));
}
