//! Other people's programs, which judge what certctl makes. A missing one fails the test that needs
//! it and says the package: nothing is skipped. A test file that uses them, itself or through
//! `support`, says so in its first lines (`//! Needs: openssl`), which is what
//! `scripts/test --quick` goes by.

use std::path::PathBuf;
use std::process::Command;

use super::program::clear_environment;

const PROGRAMS: &str = include_str!("programs.txt");
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// A command that runs `program` as Debian ships it, with no environment but PATH.
pub fn foreign(program: &str) -> Command {
    let mut command = Command::new(path_of(program));
    clear_environment(&mut command)
        .env("PATH", FOLDERS.join(":"))
        .env("LC_ALL", "C");
    command
}

/// Where `program` is; a path of the list is where it says.
pub fn path_of(program: &str) -> PathBuf {
    let package = PROGRAMS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            line.split_whitespace()
                .collect::<Vec<_>>()
                .strip_prefix(&[program])
                .map(<[_]>::concat)
        })
        .unwrap_or_else(|| panic!("{program} is not in tests/support/programs.txt"));
    assert!(
        std::env::var_os("CERTCTL_QUICK").is_none(),
        "a test of --quick wants {program}: its file must say `//! Needs: {program}`"
    );
    FOLDERS
        .iter()
        .map(|folder| PathBuf::from(folder).join(program))
        .find(|path| path.exists())
        .unwrap_or_else(|| {
            panic!(
                "{program} is not installed: apt-get install {package} (scripts/test asks and does)"
            )
        })
}

/// Runs it, fails with its words unless it ends well, and says what it printed (stdout, then
/// stderr).
#[track_caller]
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{said}",
        output.status
    );
    said
}
