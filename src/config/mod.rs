//! From statements to a validated, immutable [`Config`]: what the control file means, with every default filled in.
//! Pure, except for `load.rs`, which alone reads files and asks the system through [`world::World`].

pub mod model;

pub use model::*;
