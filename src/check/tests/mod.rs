//! Looks at paths, filesystems, links and programs, and what their rules say.

mod path;
mod rest;

use super::{Findings, Verdict};
use crate::base::event::EventState;

/// The verdicts in words, those of later looks left out.
fn told(findings: &Findings) -> Vec<String> {
    let words = findings.rules.iter().filter_map(|(_, verdict)| match verdict {
        Verdict::Known(EventState::Succeeded, text) => Some(format!("+ {text}")),
        Verdict::Known(EventState::Failed, text) => Some(format!("- {text}")),
        Verdict::Known(EventState::Changed, text) => Some(format!("! {text}")),
        Verdict::Known(EventState::NotChanged, text) => Some(format!("= {text}")),
        Verdict::Unknown(text) => Some(format!("? {text}")),
        Verdict::Later => None,
    });
    words.collect()
}
