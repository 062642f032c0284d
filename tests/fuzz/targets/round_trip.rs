//! An accepted control file, printed and read back, gives the same configuration, and that prints the same text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pollux::config::print::{Secrets, print};
use pollux_fuzz::world::MadeUp;
use pollux_fuzz::{load_on, placeless};

fuzz_target!(|input: &[u8]| {
    let Some(first) = load_on(&MadeUp::of(input).complete()).config else { return };
    let printed = print(&first, Secrets::Shown);
    let loaded = load_on(&MadeUp::of(input).complete().with_main(&printed));
    let messages = loaded.messages();
    let Some(second) = loaded.config else { panic!("what is printed is refused\n{printed}\n{messages}") };
    let again = print(&second, Secrets::Shown);
    let (first, second) = (placeless(first), placeless(second));
    assert!(first == second, "what is printed means something else\n{printed}\n{first:#?}\n{second:#?}");
    assert!(printed == again, "printed again it differs\n{printed}\n{again}");
});
