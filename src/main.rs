//! The certctl program: passes the command line to [`certctl::cli`] and exits with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(certctl::cli::main(std::env::args_os().collect()))
}
