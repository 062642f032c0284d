//! What this release runs of what it understands. A daemon does not start with anything else: nothing that a control file
//! asks for is silently left out.

use super::model::{Attribute, Kind, Measure, ServiceType, Test};

/// Whether services of this kind are checked.
pub fn runs_kind(kind: &Kind) -> bool {
    matches!(kind, Kind::Process(_) | Kind::Program(_) | Kind::System)
}

/// Whether this test is run on services of that type.
pub fn runs_test(kind: ServiceType, test: &Test) -> bool {
    match test {
        Test::NotExist | Test::Exist => true,
        Test::Measured { measure, .. } => match kind {
            ServiceType::Process => matches!(measure, Measure::Uptime),
            ServiceType::Program => *measure == Measure::Status,
            _ => false,
        },
        Test::Changed(attribute) => match kind {
            ServiceType::Process => matches!(attribute, Attribute::Pid | Attribute::ParentPid),
            ServiceType::Program => *attribute == Attribute::Status,
            _ => false,
        },
        Test::Uid(_) | Test::EffectiveUid(_) | Test::Gid(_) => kind == ServiceType::Process,
        Test::Content(_) | Test::ContentChanged(_) => kind == ServiceType::Program,
        _ => false,
    }
}
