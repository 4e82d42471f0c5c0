//! The machine of a sweep: a tree (`--root`), or a mount namespace whose /etc/ssl is in the sandbox,
//! for what certctl does only on its own machine: the command of `--after`, and the log.

use std::os::unix::net::UnixDatagram;
use std::process::Command;

use super::external::{external_program, path_of};
use super::program::program;
use super::{Run, Sandbox};

/// Where the commands of a sweep run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Machine {
    /// On this machine; they install into the folder `tree`.
    Tree,
    /// In namespaces without other processes and servers: /etc/ssl is `tree/etc/ssl` of the sandbox,
    /// the journal's socket is `journal`, and the sandbox is at /mnt, so that copies of it have the
    /// same paths.
    Namespace,
}

/// Mounts everything, then runs the arguments.
const MOUNTS: &str = "set -e; mount --make-rprivate /; mount --bind . /mnt
    mount --bind tree/etc/ssl /etc/ssl; mount -t tmpfs -o mode=755 tmpfs /run
    if [ -S journal ]; then
        mkdir -p /run/systemd/journal; : >/run/systemd/journal/socket
        mount --bind journal /run/systemd/journal/socket
    fi
    cd /mnt; umask 000; exec \"$@\"";

impl Machine {
    /// A command line that runs its further arguments with umask 000.
    pub fn command(self) -> Command {
        let mut command = match self {
            Self::Tree => Command::new("sh"),
            Self::Namespace => {
                let mut command = external_program("unshare");
                command.args(["-mnpf", "--mount-proc", "--kill-child", "sh"]);
                command
            }
        };
        let script = match self {
            Self::Tree => "umask 000; exec \"$@\"",
            Self::Namespace => MOUNTS,
        };
        command.args(["-c", script, "sh"]);
        command
    }

    /// Runs certctl without a fault.
    pub fn run(self, sandbox: &Sandbox, args: &[String]) -> Run {
        if self == Self::Tree {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            return sandbox.run(&args);
        }
        let mut command = self.command();
        command.arg(program()).args(args);
        command.current_dir(sandbox.path());
        sandbox.run_command(command)
    }

    /// Receives what certctl writes to the journal.
    pub fn listen(self, sandbox: &Sandbox) -> Option<JournalSocket> {
        (self == Self::Namespace).then(|| JournalSocket::bind(sandbox))
    }
}

/// The socket that stands for the journal's: it accepts every entry.
pub struct JournalSocket(UnixDatagram);

impl JournalSocket {
    fn bind(sandbox: &Sandbox) -> Self {
        let path = sandbox.join("journal");
        let _ = std::fs::remove_file(&path);
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self(socket)
    }

    /// Returns the entries since the last call.
    pub fn entries(&self) -> Vec<String> {
        let mut buffer = vec![0; 1 << 20];
        std::iter::from_fn(|| {
            let length = self.0.recv(&mut buffer).ok()?;
            Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
        })
        .collect()
    }
}

/// How a run of a sweep ended, for the checks of a scenario.
#[derive(Clone, Copy)]
pub struct RunEnd<'a> {
    /// None if it was killed.
    pub code: Option<i32>,
    pub stdout: &'a str,
    /// Whether the new files are in place.
    pub is_new: bool,
    /// The entries of the journal.
    pub entries: &'a [String],
}

/// The file in which the command of `--after` writes one line for each run.
const HOOK_LOG: &str = "tree/etc/ssl/hook.log";

/// The command of `--after`: writes whether the expected certificate is in place.
pub const HOOK: &str = "#!/bin/sh
if cmp -s /etc/ssl/example.com.fullchain.pem /mnt/expected.pem; then echo new; else echo other; fi \\
    >>/etc/ssl/hook.log
";

/// Checks what the command of `--after` and the journal learned about an install.
pub fn check_hook_and_log(sandbox: &Sandbox, end: &RunEnd<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let log = std::fs::read_to_string(sandbox.join(HOOK_LOG)).unwrap_or_default();
    let runs: Vec<&str> = log.lines().collect();
    if runs.iter().any(|run| *run != "new") {
        wrong.push("the command of --after ran before the certificate was in place".to_owned());
    }
    if runs.len() > 1 {
        wrong.push(format!("the command of --after ran {} times", runs.len()));
    }
    if end.code == Some(0) && runs.is_empty() {
        wrong.push("exit 0 without the command of --after".to_owned());
    }
    let installs: Vec<&String> = end
        .entries
        .iter()
        .filter(|entry| entry.contains("CERTCTL_ACTION=install\n"))
        .collect();
    if installs.len() > 1 {
        wrong.push("more than one line about one install".to_owned());
    }
    let is_reported = end.stdout.contains("\"log-not-written\"");
    let is_changed = end.code.is_some() && end.is_new;
    if is_changed && installs.is_empty() && !is_reported {
        wrong.push("a change without a line in the log".to_owned());
    }
    let claims_success = |entry: &&String| {
        let results = ["CERTCTL_RESULT=files\n", "CERTCTL_RESULT=live\n"];
        results.iter().any(|result| entry.contains(result))
    };
    if !end.is_new && installs.iter().any(claims_success) {
        wrong.push("the log reports an install that did not take place".to_owned());
    }
    wrong
}

/// Checks after the next run that the command of `--after` has run for the new certificate.
pub fn has_run_hook(sandbox: &Sandbox) -> Vec<String> {
    let log = std::fs::read_to_string(sandbox.join(HOOK_LOG)).unwrap_or_default();
    if log.lines().any(|run| run == "new") {
        Vec::new()
    } else {
        vec!["the command of --after has not run after the next run".to_owned()]
    }
}

/// Whether strace and unshare can make such a machine.
pub fn is_possible() -> bool {
    super::namespace::is_root() && path_of("unshare").exists()
}
