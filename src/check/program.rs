//! Programs: `check program`.

use super::{Findings, Verdict};
use crate::config::{Attribute, Content, Kind, Measure, Patterns, Service, Test};
use crate::facts::observation::ProgramRun;

/// What is remembered of a program.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// How it ended last, and what it printed.
    pub last: Option<ProgramRun>,
    /// The status that `changed status` compares with.
    pub status: Option<i32>,
    /// The output that `content changed` compares with.
    pub output: Option<String>,
}

/// What the end of a check program says of its rules.
pub fn judge(service: &Service, run: &ProgramRun, memory: &mut Memory) -> Findings {
    memory.last = Some(run.clone());
    if let Some(why) = &run.not_run {
        let path = match &service.kind {
            Kind::Program(program) => program.argv.first().map(|path| path.to_string_lossy().into_owned()),
            _ => None,
        };
        return Findings::unreadable(format!("failed to execute '{}' -- {why}", path.unwrap_or_default()));
    }
    let status_before = std::mem::replace(&mut memory.status, run.status);
    let output_before = memory.output.replace(run.output.clone());
    let Some(status) = run.status else { return Findings::unreadable("it has no exit status") };
    let printed = if run.output.is_empty() { "no output" } else { &run.output };
    let mut is_up = true;
    let mut findings = Findings::of(service, true, |rule| {
        let verdict = match &rule.test {
            Test::Measured { measure: Measure::Status, limit } => {
                if super::limit::exceeds(f64::from(status), limit) {
                    Verdict::failed(format!("status failed ({status}) -- {printed}"))
                } else {
                    Verdict::passed(format!("status succeeded ({status}) -- {printed}"))
                }
            }
            Test::Changed(Attribute::Status) => match status_before {
                None => Verdict::Later,
                Some(before) if before == status => {
                    Verdict::unchanged(format!("status didn't change ({status}) -- {printed}"))
                }
                Some(before) => Verdict::changed(format!("status changed ({before} -> {status}) -- {printed}")),
            },
            Test::Content(content) => {
                if is_matched(content, &run.output) {
                    Verdict::changed(format!("content match on program output:\n{}", run.output))
                } else {
                    Verdict::unchanged(format!("content doesn't match on program output:\n{}", run.output))
                }
            }
            Test::ContentChanged(wanted) => {
                let is_changed = *output_before.as_ref()? != run.output;
                let text = if is_changed { "content changed" } else { "content did not change" };
                let text = format!("{text} on program output:\n{}", run.output);
                if is_changed == *wanted { Verdict::changed(text) } else { Verdict::unchanged(text) }
            }
            _ => return None,
        };
        is_up &= !matches!(&verdict, Verdict::Known(crate::base::event::EventState::Failed, _));
        Some(verdict)
    });
    findings.is_up = is_up;
    findings
}

/// Whether the output is what the rule is about.
fn is_matched(content: &Content, output: &str) -> bool {
    let matches = match &content.patterns {
        Patterns::One(pattern) => pattern.regex.is_match(output.as_bytes()),
        Patterns::File(_, patterns) => patterns.iter().any(|pattern| pattern.regex.is_match(output.as_bytes())),
    };
    matches != content.differs
}
