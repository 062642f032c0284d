//! From verdicts to events: how often a test must fail before its rule acts, and what is known of each service between
//! cycles. Pure.

pub mod ledger;
pub mod recent;
pub mod track;
