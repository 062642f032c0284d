//! Any bytes as a control file: no panic, work in proportion to the length, every message about a place that exists.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pollux::config::load::Loaded;
use pollux::syntax::diagnostic::{Diagnostics, render};
use pollux::syntax::parser::{Files, parse};
use pollux::syntax::source::{Location, SourceId, Sources};
use pollux_fuzz::load_on;
use pollux_fuzz::world::MadeUp;

/// Bytes that the lexer may look at for each byte of the text, and for any text.
const STEPS: (u64, u64) = (60, 600);

/// Includes find nothing.
struct NoFiles;

impl Files for NoFiles {
    fn include(&mut self, _: &Sources, _: &[u8], _: Location, _: &mut Diagnostics) -> Vec<SourceId> {
        Vec::new()
    }
}

fuzz_target!(|input: &[u8]| {
    let sources = Sources::default();
    let id = sources.add("/etc/monitrc".into(), input.to_vec());
    let parsed = parse(&sources, id, &mut NoFiles);
    let most = STEPS.0 * input.len() as u64 + STEPS.1;
    assert!(parsed.steps <= most, "{} steps for {} bytes", parsed.steps, input.len());
    judge(&parsed.diagnostics, &sources);
    for world in [MadeUp::of(input), MadeUp::of(input).complete()] {
        let loaded = load_on(&world);
        judge(&loaded.diagnostics, &loaded.sources);
        assert_eq!(loaded.config.is_none(), refused(&loaded), "{}", loaded.messages());
    }
});

fn refused(loaded: &Loaded) -> bool {
    loaded.diagnostics.has_errors()
}

/// Every message can be shown: its places are in the text, and it fits on lines.
fn judge(diagnostics: &Diagnostics, sources: &Sources) {
    for diagnostic in diagnostics.iter() {
        let places = diagnostic.location.into_iter().chain(diagnostic.notes.iter().map(|note| note.location));
        places.for_each(|place| within(place, sources));
        assert!(!diagnostic.message.is_empty());
        let shown = render(diagnostic, sources);
        assert!(shown.ends_with('\n') && shown.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{shown:?}");
    }
}

fn within(place: Location, sources: &Sources) {
    let length = sources.get(place.source).expect("a source that was read").text().len();
    let span = place.span;
    assert!(span.start <= span.end && span.end <= length, "{span:?} in {length} bytes");
}
