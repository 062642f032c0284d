//! What a request asks for. Pure.

use std::net::IpAddr;
use std::time::Duration;

use crate::action::Command;
use crate::view::select::Selection;
use crate::view::text::ReportPart;
use crate::view::xml::Layout;
use crate::view::{Product, Style, html};

use super::form::{self, Form};

/// The methods we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is named after its word (RFC 9110 section 9.3)
pub enum Method {
    Get,
    Head,
    Post,
}

/// Where a request comes from, and so what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The private socket file: the command line of whoever owns the daemon. May do everything.
    Private,
    /// The network, or the socket file of the control file.
    Client {
        /// The client's address; `None` of one that came by the socket file.
        peer: Option<IpAddr>,
        /// Who it is; `None` when the control file has no credentials.
        user: Option<String>,
        /// May look, may not act.
        read_only: bool,
    },
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The page of all services.
    Overview,
    /// The page of the service of that name.
    Service(String),
    /// The page about the daemon.
    Runtime,
    /// The page about this program.
    About,
    /// The page with the end of the log.
    Log,
    /// The pages' style sheet.
    Stylesheet,
    /// The pages' icon.
    Icon,
    /// An empty answer, by which the original's command line sees that a daemon is there.
    Presence,
    /// The text of `status`.
    Status(Text),
    /// The status as XML: all services, whatever else is asked for, as in the original.
    Xml(Layout),
    /// The text of `summary`.
    Summary(Text),
    /// The text of `report`.
    Report {
        /// Which services are counted.
        selection: Selection,
        /// One number alone.
        part: Option<ReportPart>,
    },
    /// The line of `check`. Only from [`Origin::Private`].
    Check(Selection),
    /// A sign of life.
    Ping,
    /// The daemon's id.
    Id,
    /// How late the daemon's loop is. Only from [`Origin::Private`].
    Lag,
    /// Do something to services.
    Action {
        /// What.
        verb: Command,
        /// To whom.
        targets: Selection,
        /// Of an end of watching: how long it lasts; `None`: for ever.
        time: Option<Duration>,
        /// Where the asker is sent then: a path, percent-encoded. `None` for the command line.
        then: Option<String>,
    },
    /// How an action on services is getting on. Only from [`Origin::Private`].
    Progress {
        /// What was asked for.
        verb: Command,
        /// Of whom.
        targets: Selection,
    },
    /// Do something to the daemon. Only from [`Origin::Private`], but for [`DaemonVerb::Validate`].
    Daemon(DaemonVerb),
}

impl Route {
    /// Whether it does more than tell.
    pub fn acts(&self) -> bool {
        matches!(self, Route::Action { .. } | Route::Daemon(_))
    }
}

/// A text and how it is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Which services.
    pub selection: Selection,
    /// Under which name.
    pub product: Product,
    /// How decorated.
    pub style: Style,
}

macro_rules! verbs {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $verb:ident $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$each])* $verb,)* }

        impl $name {
            /// The verb as requests and the command line have it.
            pub fn word(self) -> &'static str {
                match self { $($name::$verb => $word,)* }
            }

            /// The verb with that word; letters count without regard to case.
            pub fn from_word(word: &str) -> Option<$name> {
                [$($name::$verb,)*].into_iter().find(|verb| verb.word().eq_ignore_ascii_case(word))
            }
        }
    };
}

verbs! {
    /// What can be done to the daemon.
    DaemonVerb {
        /// End.
        Quit "quit",
        /// Read the control file again.
        Reload "reload",
        /// Run a cycle now.
        Validate "validate",
    }
}

/// Why a request is not carried out: a status code of RFC 9110 and a message for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Such as 404.
    pub code: u16,
    /// One sentence without markup.
    pub message: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(code: u16, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into() }
    }
}

/// For those who may look only.
const NOT_PRIVILEGED: &str = "You do not have sufficient privileges to access this page";

/// Longest time that services may be left alone for, in seconds: a leap year.
pub const TIME_MAX: u64 = 366 * 24 * 60 * 60;

/// Decides what a request with this target (path and query, as sent) and this body asks for.
///
/// # Errors
/// The answer that tells why it cannot be had.
pub fn route(method: Method, target: &[u8], body: &[u8], origin: &Origin) -> Result<Route, Refusal> {
    let question = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    let (path, query) = target.split_at(question);
    let bad_parameters = || Refusal::new(400, "Cannot parse Request parameters");
    let path = form::decode(path, false).filter(|path| path.starts_with('/'));
    let path = path.ok_or_else(|| Refusal::new(400, "Cannot parse Request path"))?;
    let mut form = Form::parse(query.get(1..).unwrap_or_default()).ok_or_else(bad_parameters)?;
    if method == Method::Post {
        form.extend(Form::parse(body).ok_or_else(bad_parameters)?);
    }

    match path.as_str() {
        "/_status" | "/_status2" => match form.get("format") {
            Some(format) if format.eq_ignore_ascii_case("xml") => {
                Ok(Route::Xml(if path == "/_status" { Layout::First } else { Layout::Second }))
            }
            // The original answers every other format with text.
            _ => Ok(Route::Status(text(&form)?)),
        },
        "/_summary" => Ok(Route::Summary(text(&form)?)),
        "/_report" => report(&form),
        "/_check" if *origin == Origin::Private => Ok(Route::Check(selection(&form)?)),
        _ if method == Method::Post => post(&path, &form, origin),
        "/" => Ok(Route::Overview),
        html::STYLESHEET_PATH => Ok(Route::Stylesheet),
        html::ICON_PATH => Ok(Route::Icon),
        "/_runtime" => Ok(Route::Runtime),
        "/_about" => Ok(Route::About),
        "/_viewlog" => match origin {
            // Names that were tried for a log-in stand in it.
            Origin::Client { read_only: true, .. } => Err(Refusal::new(403, NOT_PRIVILEGED)),
            _ => Ok(Route::Log),
        },
        "/_monit" => Ok(Route::Presence),
        "/_ping" => Ok(Route::Ping),
        "/_getid" => Ok(Route::Id),
        "/_lag" if *origin == Origin::Private => Ok(Route::Lag),
        _ => Ok(Route::Service(path.chars().skip(1).collect())),
    }
}

fn post(path: &str, form: &Form, origin: &Origin) -> Result<Route, Refusal> {
    let is_private = match origin {
        Origin::Private => true,
        Origin::Client { read_only: true, .. } => {
            return Err(Refusal::new(403, NOT_PRIVILEGED));
        }
        Origin::Client { read_only: false, .. } => false,
    };
    let action = form.get("action").unwrap_or_default();
    let invalid = || Refusal::new(400, format!("Invalid action \"{action}\""));
    let verb = || Command::from_word(&action.to_ascii_lowercase()).ok_or_else(invalid);
    match path {
        "/_doaction" => {
            let verb = verb()?;
            let targets = match selection(form)? {
                // An action without a target must not mean all of them; that is said with `all`.
                Selection::All if form.get("all").is_none() => {
                    return Err(Refusal::new(400, "The action names no service"));
                }
                targets => targets,
            };
            let then = (!is_private).then(|| path.to_owned());
            Ok(Route::Action { verb, targets, time: time(form, verb)?, then })
        }
        "/_progress" if is_private => Ok(Route::Progress { verb: verb()?, targets: selection(form)? }),
        "/_daemon" if is_private => DaemonVerb::from_word(action).map(Route::Daemon).ok_or_else(invalid),
        "/_runtime" if action == "validate" => Ok(Route::Daemon(DaemonVerb::Validate)),
        "/_runtime" => Err(invalid()),
        _ => match path.strip_prefix('/').filter(|name| !name.is_empty()) {
            Some(name) => {
                let verb = verb()?;
                let then = Some(format!("/{}", form::encode(name)));
                Ok(Route::Action {
                    verb,
                    targets: Selection::Named(vec![name.to_owned()]),
                    time: time(form, verb)?,
                    then,
                })
            }
            None => Err(Refusal::new(404, "There is nothing to act on here")),
        },
    }
}

/// How long an end of watching lasts, in whole seconds.
fn time(form: &Form, verb: Command) -> Result<Option<Duration>, Refusal> {
    let Some(text) = form.get("for") else { return Ok(None) };
    match text.parse() {
        Ok(seconds @ 1..=TIME_MAX) if verb == Command::Unmonitor => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(Refusal::new(400, "Invalid time")),
    }
}

fn report(form: &Form) -> Result<Route, Refusal> {
    let part = match form.get("type") {
        None => None,
        Some(word) => {
            let unknown = || Refusal::new(400, format!("Invalid report type: '{word}'"));
            Some(ReportPart::from_word(word).ok_or_else(unknown)?)
        }
    };
    Ok(Route::Report { selection: selection(form)?, part })
}

/// A text as the original answers, with lines and colours, unless `style` says otherwise (`plain`, `boxes`, `colour` or
/// `full`); `product=pollux` asks for our own name.
fn text(form: &Form) -> Result<Text, Refusal> {
    let product = match form.get("product") {
        None | Some("monit") => Product::Monit,
        Some("pollux") => Product::Pollux,
        Some(_) => return Err(Refusal::new(400, "Invalid product")),
    };
    let style = match form.get("style") {
        None | Some("full") => Style::FULL,
        Some("plain") => Style::PLAIN,
        Some("boxes") => Style { boxes: true, colour: false },
        Some("colour") => Style { boxes: false, colour: true },
        Some(_) => return Err(Refusal::new(400, "Invalid style")),
    };
    Ok(Text { selection: selection(form)?, product, style })
}

/// A group wins over names, and nobody has an empty one, both as in the original.
fn selection(form: &Form) -> Result<Selection, Refusal> {
    if let Some(group) = form.get("group") {
        return Ok(Selection::Group(group.to_owned()));
    }
    let names: Vec<String> = form.all("service").map(str::to_owned).collect();
    Ok(if names.is_empty() { Selection::All } else { Selection::Named(names) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(target: &str) -> Result<Route, Refusal> {
        route(Method::Get, target.as_bytes(), b"", &tcp(false))
    }

    fn tcp(read_only: bool) -> Origin {
        Origin::Client { peer: "192.0.2.1".parse().ok(), user: None, read_only }
    }

    fn post(target: &str, body: &str, origin: &Origin) -> Result<Route, Refusal> {
        route(Method::Post, target.as_bytes(), body.as_bytes(), origin)
    }

    fn code(result: Result<Route, Refusal>) -> u16 {
        result.unwrap_err().code
    }

    #[test]
    fn pages_and_texts_are_found() {
        assert_eq!(get("/"), Ok(Route::Overview));
        assert_eq!(get("/_ping"), Ok(Route::Ping));
        assert_eq!(get("/a%20b%2Fc%3f?x=y"), Ok(Route::Service("a b/c?".into())));
        assert_eq!(get("/_doaction"), Ok(Route::Service("_doaction".into())), "there is no such service");
        let pages = ["/_runtime", "/_about", "/_viewlog", "/favicon.ico", "/_style.css", "/_monit"].map(get);
        let expected =
            [Route::Runtime, Route::About, Route::Log, Route::Icon, Route::Stylesheet, Route::Presence].map(Ok);
        assert_eq!(pages, expected);
        let reader = route(Method::Get, b"/_viewlog", b"", &tcp(true));
        assert_eq!(reader, Err(Refusal::new(403, NOT_PRIVILEGED)));
        assert_eq!(get("/_getid?x=y"), Ok(Route::Id));
        assert_eq!(route(Method::Get, b"/_lag", b"", &Origin::Private), Ok(Route::Lag));
        assert_eq!(get("/_lag"), Ok(Route::Service("_lag".into())), "not over the network");
        let all = Text { selection: Selection::All, product: Product::Monit, style: Style::FULL };
        assert_eq!(get("/_status"), Ok(Route::Status(all.clone())));
        assert_eq!(get("/_status?format=text&level=full"), Ok(Route::Status(all)));
        assert_eq!(get("/_status?format=xml&level=full"), Ok(Route::Xml(Layout::First)));
        assert_eq!(get("/_status2?format=XML&group=x"), Ok(Route::Xml(Layout::Second)));
        let named = Text {
            selection: Selection::Named(vec!["a b".into(), "c".into()]),
            product: Product::Pollux,
            style: Style::PLAIN,
        };
        assert_eq!(get("/_summary?service=a%20b&service=c&product=pollux&style=plain"), Ok(Route::Summary(named)));
        let group = Selection::Group("web".into());
        assert_eq!(
            get("/_report?type=down&group=web&service=x"),
            Ok(Route::Report { selection: group, part: Some(ReportPart::Down) })
        );
    }

    #[test]
    fn an_empty_name_is_nobodys() {
        let report = |selection| Ok(Route::Report { selection, part: None });
        assert_eq!(get("/_report?service="), report(Selection::Named(vec![String::new()])));
        assert_eq!(get("/_report?group=&service=x"), report(Selection::Group(String::new())));
        assert_eq!(get("/_report"), report(Selection::All));
    }

    #[test]
    fn what_cannot_be_had_is_refused_with_the_codes_of_the_original() {
        assert_eq!(get("/_report?type="), Err(Refusal::new(400, "Invalid report type: ''")));
        assert_eq!(get("/_report?type=UP"), get("/_report?type=up"));
        assert_eq!(get("/_report?type=x"), Err(Refusal::new(400, "Invalid report type: 'x'")));
        for broken in ["", "x", "*", "http://h/", "/%", "/%ff", "/_status?service=%"] {
            assert_eq!(code(get(broken)), 400, "{broken}");
        }
    }

    #[test]
    fn control_files_are_told_of_each_name_that_is_a_page_of_ours() {
        for name in crate::config::OWN_PAGES {
            let page = Route::Service(name.to_owned());
            let is_seen = get(&format!("/{name}")) == Ok(page);
            let is_obeyed = post(&format!("/{name}"), "action=stop", &tcp(false))
                .is_ok_and(|route| matches!(route, Route::Action { targets: Selection::Named(_), .. }));
            assert!(!(is_seen && is_obeyed), "{name}");
        }
        let source = include_str!("route.rs");
        let routes = source.split_once("fn route(").and_then(|(_, rest)| rest.split_once("\nfn time(")).unwrap().0;
        let paths = routes.split('"').filter_map(|text| text.strip_prefix('/')).filter(|path| path.starts_with('_'));
        for path in paths.filter(|path| !["_lag", "_check", "_progress", "_daemon"].contains(path)) {
            assert!(crate::config::OWN_PAGES.contains(&path), "{path}");
        }
    }

    #[test]
    fn actions_name_their_targets() {
        let body = "action=start&service=a&service=b";
        let targets = Selection::Named(vec!["a".into(), "b".into()]);
        let action =
            |verb, targets: &Selection, time| Route::Action { verb, targets: targets.clone(), time, then: None };
        assert_eq!(post("/_doaction", body, &Origin::Private), Ok(action(Command::Start, &targets, None)));
        assert_eq!(
            post("/_doaction", "action=unmonitor&all=1", &Origin::Private),
            Ok(action(Command::Unmonitor, &Selection::All, None))
        );
        assert_eq!(
            post("/_doaction", "action=unmonitor&all=1&for=7200", &Origin::Private),
            Ok(action(Command::Unmonitor, &Selection::All, Some(Duration::from_secs(7200))))
        );
        for bad in
            ["unmonitor&all=1&for=0", "unmonitor&all=1&for=2h", "unmonitor&all=1&for=99999999999", "stop&all=1&for=5"]
        {
            assert_eq!(code(post("/_doaction", &format!("action={bad}"), &Origin::Private)), 400, "{bad}");
        }
        assert_eq!(post("/_daemon", "action=quit", &Origin::Private), Ok(Route::Daemon(DaemonVerb::Quit)));
        for origin in [Origin::Private, tcp(false)] {
            assert_eq!(code(post("/_doaction", "action=start", &origin)), 400);
            assert_eq!(post("/_doaction", "action=x&all=1", &origin), Err(Refusal::new(400, "Invalid action \"x\"")));
        }
    }

    #[test]
    fn the_network_acts_on_services_alone() {
        let body = "action=Restart&service=a";
        let named = |name: &str| Selection::Named(vec![name.to_owned()]);
        let action = |name: &str, then: &str| {
            Ok(Route::Action { verb: Command::Restart, targets: named(name), time: None, then: Some(then.to_owned()) })
        };
        assert_eq!(post("/_doaction", body, &tcp(false)), action("a", "/_doaction"));
        assert_eq!(post("/a%20b/%E9", "action=restart", &tcp(false)).map_err(|refusal| refusal.code), Err(400));
        assert_eq!(post("/a%20%22b", "action=restart", &tcp(false)), action("a \"b", "/a%20%22b"));
        assert_eq!(post("/_runtime", "action=validate", &tcp(false)), Ok(Route::Daemon(DaemonVerb::Validate)));
        assert_eq!(code(post("/_runtime", "action=stop", &tcp(false))), 400);
        assert_eq!(code(post("/", "action=stop", &tcp(false))), 404);
        for daemon in ["quit", "reload"] {
            assert!(!matches!(post("/_daemon", &format!("action={daemon}"), &tcp(false)), Ok(Route::Daemon(_))));
        }
        for path in ["/_doaction", "/_daemon", "/_runtime", "/a", "/"] {
            let refusal = post(path, body, &tcp(true)).unwrap_err();
            assert!(refusal.code == 403 && refusal.message.contains("sufficient privileges"), "{path}");
        }
        assert!(post("/_status", "service=a", &tcp(true)).is_ok(), "a text may be asked for with POST");
        for path in ["/_doaction", "/_daemon", "/a"] {
            assert!(!get(&format!("{path}?action=stop&service=a")).is_ok_and(|route| route.acts()), "{path}");
        }
    }
}
