//! Measured values against limits.

use crate::config::{Limit, Operator};

/// Whether `value`, counted in the limit's unit, is what the limit says: then the rule has failed.
pub fn compare(value: f64, limit: &Limit) -> bool {
    let bound = limit.millionths as f64 / 1e6;
    match limit.operator {
        Operator::Less => value < bound,
        Operator::LessOrEqual => value <= bound,
        Operator::Greater => value > bound,
        Operator::GreaterOrEqual => value >= bound,
        Operator::Equal => value == bound,
        Operator::NotEqual => value != bound,
    }
}
