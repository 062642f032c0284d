//! House rules that a machine can check: layers, the wall around system calls, purity, form, the manual. Each rule is a
//! function from source text to findings; a test applies it to the tree, a second one shows that it can fail.

// a test may fail loudly; clippy's exception covers test functions only, not what they share
#![allow(clippy::expect_used, clippy::panic)]

#[path = "tidy/form.rs"]
mod form;
#[path = "tidy/freebsd.rs"]
mod freebsd;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/manual.rs"]
mod manual;
#[path = "tidy/monitrc.rs"]
mod monitrc;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/walls.rs"]
mod walls;
