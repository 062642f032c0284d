//! What this release runs of what it understands. A daemon does not start with anything else: nothing that a control file
//! asks for is silently left out.

use super::model::{Kind, ServiceType, Test};

/// Whether services of this kind are checked.
pub fn runs_kind(kind: &Kind) -> bool {
    matches!(kind, Kind::Process(_) | Kind::Program(_) | Kind::System | Kind::Network(_))
}

/// Whether this test is run on services of that type.
pub fn runs_test(kind: ServiceType, test: &Test) -> bool {
    match kind {
        ServiceType::Process | ServiceType::System | ServiceType::Network | ServiceType::Program => {
            !matches!(test, Test::Connection(_))
        }
        _ => matches!(test, Test::NotExist | Test::Exist),
    }
}
