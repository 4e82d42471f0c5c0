//! Programs of other projects, which check what certctl writes. If one is missing, the test that
//! needs it fails and names the package; no test is skipped. A test file that uses them, itself or
//! through `support`, lists them in its first lines (`//! Needs: openssl`); `scripts/test --quick`
//! selects the test files by these lines.

use std::path::PathBuf;
use std::process::Command;

use super::program::clear_environment;

const PROGRAMS: &str = include_str!("programs.txt");
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Returns a command that runs `program` as Debian ships it, with only PATH and LC_ALL in its
/// environment.
pub fn external_program(program: &str) -> Command {
    let mut command = Command::new(path_of(program));
    clear_environment(&mut command)
        .env("PATH", FOLDERS.join(":"))
        .env("LC_ALL", "C");
    command
}

/// Returns the path of `program`, which must be in tests/support/programs.txt.
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
        "a test of --quick uses {program}: its file must contain `//! Needs: {program}`"
    );
    FOLDERS
        .iter()
        .map(|folder| PathBuf::from(folder).join(program))
        .find(|path| path.exists())
        .unwrap_or_else(|| {
            panic!(
                "{program} is not installed: apt-get install {package} (scripts/test offers to do so)"
            )
        })
}

/// Returns the Python interpreter with the packages of scripts/test-python.
pub fn test_python() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    let python = std::path::absolute(target.join("test-python/bin/python")).unwrap();
    assert!(
        python.exists(),
        "{} does not exist: run scripts/test-python, which makes it",
        python.display()
    );
    python
}

/// Returns the folder of packages that scripts/test-python has downloaded for applications.
pub fn test_wheels() -> PathBuf {
    let environment = test_python();
    let folder = environment.ancestors().nth(2).unwrap().join("wheels");
    assert!(
        folder.exists(),
        "{} does not exist: run scripts/test-python, which makes it",
        folder.display()
    );
    folder
}

/// Runs the command and returns its output (stdout, then stderr); panics with the output if it
/// fails.
#[track_caller]
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{text}",
        output.status
    );
    text
}
