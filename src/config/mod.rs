//! From statements to a validated, immutable [`Config`]: what the control file means, with every default filled in.
//! Pure, except for `load.rs`, which alone reads files and asks the system through [`world::World`].

mod build;
mod built;
mod conditions;
mod connection;
pub mod elsewhere;
pub mod load;
pub mod model;
mod notices;
mod order;
pub mod passwords;
pub mod print;
pub mod recording;
mod rules;
pub mod settings;
mod surprises;
#[cfg(test)]
pub(crate) mod tests;
mod text;
mod using;
pub mod world;

pub use model::*;
pub use surprises::OWN_PAGES;
