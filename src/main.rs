//! Parse, run, print, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(certctl::cli::main(std::env::args_os().collect()))
}
