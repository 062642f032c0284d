//! What this release runs of what it understands. A daemon does not start with anything else: nothing that a control file
//! asks for is silently left out.

use super::model::{Attribute, Kind, ServiceType, Test};

/// Whether the library that computes checksums and MD5 is built in.
pub const HASHES: bool = cfg!(feature = "tls");

/// Whether services of this kind are checked.
pub fn runs_kind(kind: &Kind) -> bool {
    !matches!(kind, Kind::Host(_))
}

/// Whether this test is run on services of that type.
pub fn runs_test(kind: ServiceType, test: &Test) -> bool {
    match kind {
        ServiceType::File | ServiceType::Fifo | ServiceType::Directory => {
            HASHES || !matches!(test, Test::Checksum { .. } | Test::Changed(Attribute::Checksum(_)))
        }
        ServiceType::Host => false,
        ServiceType::Process
        | ServiceType::System
        | ServiceType::Network
        | ServiceType::Program
        | ServiceType::Filesystem => !matches!(test, Test::Connection(_)),
    }
}
