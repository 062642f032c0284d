//! From a route and the daemon's picture to an answer, or to what the daemon must do first. Pure.

use std::time::Duration;

use crate::action::Command;
use crate::view::html::Visitor;
use crate::view::select::{Missing, Selection};
use crate::view::status::{Detail, Status};
use crate::view::{html, plugin, text, xml};

use super::reply::Reply;
use super::route::{DaemonVerb, Route};

/// What comes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Send this.
    Reply(Reply),
    /// Do this to these services, whose names are spelled as in the configuration, each once; then reply.
    Act {
        /// What.
        verb: Command,
        /// To whom; never empty.
        services: Vec<String>,
        /// Of an end of watching: how long it lasts; `None`: for ever.
        time: Option<Duration>,
        /// What to reply.
        then: Reply,
    },
    /// Tell how this action on these services is getting on.
    Progress {
        /// What.
        verb: Command,
        /// To whom; never empty.
        services: Vec<String>,
    },
    /// Tell how late the loop is.
    Lag,
    /// Do this to the daemon, then reply.
    Daemon(DaemonVerb),
    /// Reply with the end of the log.
    Log,
}

/// So many characters of a name that nothing has are told.
const NAME_MAX: usize = 128;

/// What the answer to a question is written from; `None` when it needs no picture, or one that costs nothing.
pub fn detail(route: &Route) -> Option<Detail<'_>> {
    match route {
        Route::Overview => Some(Detail::Overview),
        Route::Status(how) => Some(all_of(&how.selection)),
        Route::Xml(_) => Some(Detail::Full),
        Route::Service(name) => Some(Detail::One(name)),
        Route::Check(selection) => Some(detail_for(selection)),
        _ => None,
    }
}

/// Answers `route`. The picture is taken only if it is needed.
pub fn answer(route: &Route, visitor: Visitor<'_>, status: impl FnOnce(Detail<'_>) -> Status) -> Outcome {
    let told = |text: Result<String, Missing>| match text {
        Ok(text) => Reply::text(text),
        Err(missing) => Reply::error(400, missing.to_string()),
    };
    Outcome::Reply(match route {
        Route::Overview => Reply::html(html::overview(&status(Detail::Overview), visitor)),
        Route::Service(name) => {
            let status = status(Detail::One(name));
            match status.services.iter().find(|service| service.name.eq_ignore_ascii_case(name)) {
                Some(service) => Reply::html(html::service(&status, service, visitor)),
                None => {
                    let name: String = name.chars().take(NAME_MAX).collect();
                    Reply::error(404, Missing::ActionService(name).to_string())
                }
            }
        }
        Route::Runtime => Reply::html(html::runtime(&status(Detail::State), visitor)),
        Route::About => Reply::html(html::about(visitor)),
        Route::Log => return Outcome::Log,
        Route::Icon => Reply::svg(html::ICON),
        Route::Presence => Reply::html(""),
        Route::Stylesheet => Reply::css(html::STYLESHEET),
        Route::Status(how) => {
            told(text::status(&status(all_of(&how.selection)), &how.selection, how.product, how.style))
        }
        Route::Xml(layout) => Reply::xml(xml::document(&status(Detail::Full), *layout)),
        Route::Summary(how) => told(text::summary(&status(Detail::State), &how.selection, how.product, how.style)),
        Route::Report { selection, part } => told(text::report(&status(Detail::State), selection, *part)),
        Route::Check(selection) => {
            told(plugin::check(&status(detail_for(selection)), selection).map(|line| line.packed()))
        }
        // Texts, but the original calls them pages.
        Route::Ping => Reply::html("pong"),
        Route::Id => Reply::html(status(Detail::State).id),
        Route::Lag => return Outcome::Lag,
        Route::Daemon(verb) => return Outcome::Daemon(*verb),
        Route::Progress { verb, targets } => match targets.targets(&status(Detail::State)) {
            Ok(services) => {
                let services = services.iter().map(|service| service.name.clone()).collect();
                return Outcome::Progress { verb: *verb, services };
            }
            Err(missing) => Reply::error(400, missing.to_string()),
        },
        Route::Action { verb, targets, time, then } => match targets.targets(&status(Detail::State)) {
            Ok(services) => {
                let services = services.iter().map(|service| service.name.clone()).collect();
                let then = then.as_ref().map_or_else(|| Reply::text(""), |path| moved(path));
                return Outcome::Act { verb: *verb, services, time: *time, then };
            }
            // Whoever asked for a service's own address finds nothing there.
            Err(missing) if then.as_deref().is_some_and(is_service) => Reply::error(404, missing.to_string()),
            Err(missing) => Reply::error(400, missing.to_string()),
        },
    })
}

/// Whether a path is that of a service's page.
fn is_service(path: &str) -> bool {
    !path.starts_with("/_")
}

/// Readers of the original expect a page where a service was named, and nothing where several were.
fn moved(path: &str) -> Reply {
    Reply::moved(path, if is_service(path) { html::moved(path) } else { String::new() })
}

/// One service is told with its readings and rules, several are counted.
fn detail_for(selection: &Selection) -> Detail<'_> {
    match all_of(selection) {
        Detail::One(name) => Detail::One(name),
        _ => Detail::State,
    }
}

/// All readings of whoever is asked for.
fn all_of(selection: &Selection) -> Detail<'_> {
    match selection {
        Selection::Named(names) => match names.as_slice() {
            [name] => Detail::One(name),
            _ => Detail::Full,
        },
        Selection::All | Selection::Group(_) => Detail::Full,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::status::sample;

    const VISITOR: Visitor<'_> = Visitor { signature: "pollux", token: None };

    fn act(targets: Selection) -> Outcome {
        act_then(targets, None)
    }

    fn act_then(targets: Selection, then: Option<&str>) -> Outcome {
        let then = then.map(str::to_owned);
        answer(&Route::Action { verb: Command::Start, targets, time: None, then }, VISITOR, |_| sample::status())
    }

    #[test]
    fn an_action_names_existing_services_or_none_is_touched() {
        let services = |names: &[&str]| Outcome::Act {
            verb: Command::Start,
            services: names.iter().map(|name| (*name).to_owned()).collect(),
            time: None,
            then: Reply::text(""),
        };
        assert_eq!(act(Selection::Named(vec!["ALIVE".into(), "alive".into()])), services(&["alive"]));
        assert_eq!(act(Selection::Group("web".into())), services(&["alive", "lazy"]));
        let unknown = Reply::error(400, "There is no service named \"x\"");
        assert_eq!(act(Selection::Named(vec!["alive".into(), "x".into()])), Outcome::Reply(unknown));
    }

    #[test]
    fn who_acts_over_the_network_is_sent_on() {
        let code = |outcome| match outcome {
            Outcome::Reply(reply) | Outcome::Act { then: reply, .. } => reply.code(),
            Outcome::Daemon(_) | Outcome::Lag | Outcome::Log | Outcome::Progress { .. } => 0,
        };
        let named = |name: &str| Selection::Named(vec![name.to_owned()]);
        assert_eq!(code(act_then(named("alive"), Some("/alive"))), 302);
        assert_eq!(code(act_then(named("alive"), Some("/_doaction"))), 302);
        assert_eq!(code(act_then(named("x"), Some("/x"))), 404);
        assert_eq!(code(act_then(named("x"), Some("/_doaction"))), 400);
    }

    #[test]
    fn a_service_has_a_page_and_what_is_none_does_not() {
        let page = |name: &str| match answer(&Route::Service(name.to_owned()), VISITOR, |_| sample::status()) {
            Outcome::Reply(reply) => (reply.code(), reply.message().unwrap_or_default().to_owned()),
            other => panic!("{other:?}"),
        };
        assert_eq!(page("Alive"), (200, String::new()));
        assert_eq!(page("nope"), (404, "There is no service named \"nope\"".to_owned()));
        assert!(page(&"x".repeat(8000)).1.len() < 200);
    }

    #[test]
    fn no_more_is_looked_at_than_is_shown() {
        let asked = |route: &str| {
            let origin = super::super::route::Origin::Private;
            let route = super::super::route::route(super::super::route::Method::Get, route.as_bytes(), b"", &origin);
            let mut asked = String::new();
            let _ = answer(&route.unwrap(), VISITOR, |detail| {
                asked = format!("{detail:?}");
                sample::status()
            });
            asked
        };
        let table = [
            ("/", "Overview"),
            ("/_summary", "State"),
            ("/_check", "State"),
            ("/_check?service=alive", "One(\"alive\")"),
            ("/_report?type=down", "State"),
            ("/_getid", "State"),
            ("/_runtime", "State"),
            ("/_status", "Full"),
            ("/_status?service=alive", "One(\"alive\")"),
            ("/_status?service=alive&service=lazy", "Full"),
            ("/_status2?format=xml", "Full"),
            ("/alive", "One(\"alive\")"),
            ("/_ping", ""),
        ];
        for (route, expected) in table {
            assert_eq!(asked(route), expected, "{route}");
            let origin = super::super::route::Origin::Private;
            let parsed = super::super::route::route(super::super::route::Method::Get, route.as_bytes(), b"", &origin);
            let parsed = parsed.unwrap();
            let told = detail(&parsed).filter(Detail::has_readings_of_all);
            let expected = Some(expected).filter(|expected| matches!(*expected, "Overview" | "Full"));
            assert_eq!(told.map(|detail| format!("{detail:?}")).as_deref(), expected, "{route}");
        }
    }

    #[test]
    fn a_sign_of_life_needs_no_picture() {
        let pong = answer(&Route::Ping, VISITOR, |_| unreachable!("no picture is needed"));
        assert_eq!(pong, Outcome::Reply(Reply::html("pong")));
        let id = answer(&Route::Id, VISITOR, |_| sample::status());
        assert_eq!(id, Outcome::Reply(Reply::html("58a7df9504d4e52837bafda2e78fe6f3")));
    }
}
