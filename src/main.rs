//! The program: hands the command line to the library and exits with its code.

fn main() {
    std::process::exit(pollux::cli::output::truthful(pollux::main()));
}
