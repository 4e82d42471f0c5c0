//! The certctl binary under test, and the environment that the commands of the tests run in.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// The variable that names another binary to test, such as one from a package or a release archive.
const OTHER_BINARY: &str = "CERTCTL_TEST_BINARY";

/// The variables that set the calendar ahead (`ahead.c`); `scripts/test --ahead` sets them.
const CLOCK: [&str; 2] = ["LD_PRELOAD", "CERTCTL_TEST_AHEAD"];

/// Returns the absolute path of the certctl binary under test: the file named by
/// `CERTCTL_TEST_BINARY` if that variable is set, otherwise the binary that cargo built for this
/// test.
///
/// # Panics
/// If `CERTCTL_TEST_BINARY` does not name a file.
pub fn program() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let Some(path) = std::env::var_os(OTHER_BINARY) else {
            return env!("CARGO_BIN_EXE_certctl").to_owned();
        };
        // Relative paths start at the package's root, where cargo runs the tests.
        let absolute =
            std::path::absolute(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)).unwrap();
        assert!(
            absolute.is_file(),
            "{OTHER_BINARY} is {}, which is not a file",
            absolute.display()
        );
        absolute
            .into_os_string()
            .into_string()
            .expect("the path of the binary is UTF-8")
    })
}

/// Returns the variables, as `(name, value)`, that give a child process the same clock as this
/// test.
pub fn clock() -> Vec<(&'static str, String)> {
    CLOCK
        .into_iter()
        .filter_map(|name| Some((name, std::env::var(name).ok()?)))
        .collect()
}

/// Returns lines of a shell script that give a unit of systemd the same clock as this test; empty if
/// that is the clock of the machine. The unit may not see this test's folders, so the library is
/// copied.
pub fn unit_clock(unit: &str) -> String {
    const COPY: &str = "/usr/local/lib/certctl-test-clock.so";
    let mut script = String::new();
    for (name, value) in clock() {
        let value = if name == CLOCK[0] {
            script.push_str(&format!("cp '{value}' {COPY}\n"));
            COPY.to_owned()
        } else {
            value
        };
        script.push_str(&format!(
            "mkdir -p /etc/systemd/system/{unit}.d\n\
             printf '[Service]\\nEnvironment={name}={value}\\n' >/etc/systemd/system/{unit}.d/{name}.conf\n"
        ));
    }
    script
}

/// Returns the variables of [`clock`] as words for a shell script that starts a program with
/// `env -i`.
pub fn clock_words() -> String {
    clock()
        .iter()
        .map(|(name, value)| format!("{name}='{value}' "))
        .collect()
}

/// A width at which no line is wrapped, so that tests can search for whole sentences.
const UNWRAPPED: (&str, &str) = ("COLUMNS", "10000");

/// The zone of the times in output.
const UTC: (&str, &str) = ("TZ", "UTC");

/// Removes every environment variable except those of [`clock`], and sets UTC and a width at which
/// no output is wrapped.
pub fn clear_environment(command: &mut Command) -> &mut Command {
    command
        .env_clear()
        .envs(clock())
        .env(UNWRAPPED.0, UNWRAPPED.1)
        .env(UTC.0, UTC.1)
}
