//! When a service is due.

/// The `every` statement of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Every {
    /// In each cycle.
    #[default]
    Cycle,
    /// In the first cycle and then in every n-th; n is at least 1.
    Cycles(u32),
}

/// `count` failures within a window of `window` cycles; 1 <= count <= window <= 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many posts of the last `window` must agree.
    pub count: u32,
    /// How many cycles are looked at.
    pub window: u32,
}

impl Rate {
    /// Once is enough: the rate of a rule that names none.
    pub const ONCE: Rate = Rate { count: 1, window: 1 };

    /// The longest window in cycles.
    pub const MAX_WINDOW: u32 = 64;
}
