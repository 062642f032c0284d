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
    let (path, mount, question) = (path.to_owned(), PathBuf::from("/remote"), Question::Pidfile);
    Ask { service: service.to_owned(), purpose, path, mount, question }
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
    let head = Answer::Pidfile(Content::Head(b"123\n".to_vec()));
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
        assert_eq!(decode(&encode(&content)), Some(content));
    }
    for nonsense in [b"".as_slice(), b"z", b"k", b"mm"] {
        assert!(matches!(Question::Pidfile.answer(nonsense), Answer::Failed(why) if why.contains("without an answer")));
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

#[test]
#[cfg_attr(not(feature = "tls"), ignore = "OpenSSL computes checksums and MD5")]
fn checksums_have_places_of_their_own_and_as_much_time_as_they_get_on() {
    let folder = Folder::new("sums");
    let now = clock::monotonic();
    let mut remote = Remote::default();
    let asks: Vec<Ask> = (0..CHECKSUMS_AT_A_TIME + 1)
        .map(|number| {
            let path = folder.file(&number.to_string(), "hello");
            Ask {
                question: Question::Checksums(vec![Hash::Md5]),
                ..ask(&number.to_string(), Purpose::Checksums, &path)
            }
        })
        .collect();
    asks.iter().for_each(|ask| remote.ask(ask.clone(), now));
    assert!(!remote.is_pending("0") && remote.is_busy());
    assert_eq!(remote.next_deadline(), None, "they wait for a place as long as it takes");
    remote.begin(now);
    assert_eq!(remote.fds().count(), CHECKSUMS_AT_A_TIME);
    remote.ask(ask("0", Purpose::Check, &asks[0].path), now);
    remote.begin(now);
    assert_eq!(remote.fds().count(), CHECKSUMS_AT_A_TIME + 1, "a check waits for no checksum of the same file");
    let mut sums = 0;
    while remote.is_busy() {
        for (_, answer) in next(&mut remote, now) {
            sums += usize::from(matches!(&answer, Answer::Checksums(sums) if sums.sums[0].1.is_ok()));
        }
        remote.begin(now);
    }
    assert_eq!(sums, CHECKSUMS_AT_A_TIME + 1);
    // What gets on is waited for.
    remote.ask(asks[0].clone(), now);
    let later = now.plus(CHECKSUM_PATIENCE);
    let slow = Helper::start_telling(later, 100, |pipe| {
        let _ = pipe.write_all(b".");
        clock::pause(Duration::from_secs(60));
    });
    (remote.pending[0].reading, remote.pending[0].deadline) = (Reading::By(slow.unwrap()), Some(later));
    let mut set = PollSet::default();
    remote.fds().for_each(|fd| set.add(fd, Interest::Read, ()));
    assert_eq!(set.wait(Some(Duration::from_secs(20))).unwrap().len(), 1);
    assert_eq!(remote.collect(later), []);
    let latest = later.plus(CHECKSUM_PATIENCE);
    assert_eq!(remote.next_deadline(), Some(latest));
    assert_eq!(remote.collect(latest), [(asks[0].clone(), Answer::Silence)]);
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
    assert!(matches!(&answers[0].1, Answer::Failed(why) if why.contains("no helper process")));
}
