//! What people and programs read. Everything here is written from one [`status::Status`] alone. Pure.

pub mod status;
