//! What the fuzz targets share: a machine that is made up, and how a text is loaded on it.

pub mod system;
pub mod world;

use std::path::Path;

use pollux::config::load::{Loaded, Overrides, load};
use pollux::config::{Config, Place};
use world::MadeUp;

/// The control file of every made-up machine.
pub const MAIN: &str = "/etc/monitrc";

/// Loads the control file of a machine.
pub fn load_on(world: &MadeUp) -> Loaded {
    load(Path::new(MAIN), world, &Overrides::default())
}

/// The configuration without the places it was written at, which a printed text cannot keep.
pub fn placeless(mut config: Config) -> Config {
    config.unbuilt.clear();
    for service in &mut config.services {
        service.place = Place { file: MAIN.into(), line: 0 };
    }
    config
}
