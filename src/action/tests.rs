//! The engine over a small world.
