//! From the text of a control file to statements with places. No meaning and no defaults: whether a service exists or a
//! number is sensible is for [`crate::config`] to say. Pure.
//!
//! The language is contextual: a word is a keyword in one place and a name, an argument or a part of a path in another. So the
//! parser pulls tokens and says what it expects ([`lexer`]), and each family of statements has its own file.

mod check;
pub mod diagnostic;
mod environment;
mod httpd;
pub mod json;
pub mod lexer;
mod mail;
mod network;
pub mod parser;
pub mod program;
mod protocol;
mod rule;
pub mod secret;
mod service;
mod set;
pub mod source;
pub mod statement;
mod test;
#[cfg(test)]
mod tests;
mod tls;
pub mod words;
