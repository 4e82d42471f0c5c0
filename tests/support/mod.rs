//! Support for the tests: a sandbox that runs the real binary, and a CA that is created at run time.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "test support"
)]

pub mod answers;
pub mod any_server;
pub mod apache;
pub mod ca;
pub mod codes;
pub mod dns;
pub mod external;
pub mod fake_dns_server;
pub mod file_server;
pub mod frozen;
pub mod haproxy;
pub mod hardware_key;
pub mod held_connections;
pub mod install_sandbox;
pub mod issued_certificate;
pub mod json;
pub mod lab;
pub mod layout;
pub mod machine;
pub mod mask;
pub mod mutation;
pub mod namecheap_lab;
pub mod namespace;
pub mod nginx;
pub mod openssl_ca;
pub mod order_lab;
pub mod outside;
pub mod paste;
pub mod pebble;
pub mod program;
pub mod schemas;
pub mod seed;
pub mod served_answers;
pub mod server_process;
pub mod site;
pub mod stub_api;
pub mod stub_ca;
pub mod stub_namecheap;
pub mod sweep;
pub mod swept_machine;
pub mod systemd;
pub mod traced_publication;
pub mod updatable_zone;
pub mod usual_server;
pub mod visitors;
pub mod zip;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use json::Json;
use program::{clear_environment, program};
use tempfile::TempDir;

/// The arguments of `unshare` for a process namespace.
pub const OWN_PROCESSES: [&str; 4] = ["--pid", "--fork", "--mount-proc", "--kill-child"];

/// A temporary folder to run certctl in, with an empty environment.
pub struct Sandbox {
    folder: TempDir,
}

/// The result of a run of certctl. `to_string()` is for comparisons and snapshots; it shows the path
/// of the sandbox as `[SANDBOX]`.
pub struct Run {
    pub stdout: String,
    pub stderr: String,
    pub code: i32,
    folder: String,
}

impl Sandbox {
    pub fn new() -> Self {
        Self {
            folder: tempfile::Builder::new()
                .prefix("certctl-test-")
                .tempdir()
                .unwrap(),
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file and creates its folders.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Writes a key that only its owner can read, as programs that make keys do.
    pub fn write_key(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.write(name, content);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs `certctl ARGS` in the sandbox, with an empty stdin and only PATH in the environment.
    #[must_use]
    pub fn run(&self, args: &[&str]) -> Run {
        self.run_command(self.command(args))
    }

    /// Does the same with `input` on stdin.
    #[must_use]
    pub fn run_with_input(&self, args: &[&str], input: &[u8]) -> Run {
        use std::io::Write;
        let mut command = self.command(args);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The program may end before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input);
        self.result_of_command(&command, child.wait_with_output().unwrap())
    }

    /// Returns a command that can be changed before it is run with `run_command`. Without `--root`,
    /// `certctl status` reports every server that runs, so root runs it in a process namespace, where
    /// the servers of other tests do not run. Another user could not read their files anyway, and the
    /// tests of `scripts/test --quick` start no servers.
    pub fn command(&self, args: &[&str]) -> Command {
        let reports_servers = args.contains(&"status") && !args.contains(&"--root");
        let has_servers = std::env::var_os("CERTCTL_QUICK").is_none();
        let mut command = if reports_servers && has_servers && namespace::is_root() {
            let mut command = external::external_program("unshare");
            command.args(OWN_PROCESSES).arg(program());
            command
        } else {
            Command::new(program())
        };
        clear_environment(&mut command)
            .args(args)
            .current_dir(self.path())
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null());
        command
    }

    #[must_use]
    pub fn run_command(&self, mut command: Command) -> Run {
        let output = command.output().unwrap();
        self.result_of_command(&command, output)
    }

    /// Waits for a child that was started from `command`, and returns its result.
    pub fn wait_for(&self, child: std::process::Child) -> Run {
        self.result_of(child.wait_with_output().unwrap())
    }

    /// The result of `command`, whose next steps are run as well.
    fn result_of_command(&self, command: &Command, output: std::process::Output) -> Run {
        let run = self.result_of(output);
        if command.get_args().any(|arg| arg == "--dry-run") {
            run.assert_dry_run_fields();
        }
        paste::run_steps(&run.stdout, command, self.path());
        run
    }

    fn result_of(&self, output: std::process::Output) -> Run {
        let run = Run {
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
            code: output.status.code().unwrap_or(-1),
            folder: self.path().display().to_string(),
        };
        run.assert_no_key_printed(&private_lines(self.path()));
        codes::assert_listed(&run.stdout, run.code);
        paste::check_steps(&run.stdout);
        run
    }
}

impl Run {
    /// The document of a dry run has the id of its plan, and whether the plan would change anything.
    #[track_caller]
    fn assert_dry_run_fields(&self) {
        let Ok(document) = self.stdout.parse::<Json>() else {
            return;
        };
        if document["schema"] == "certctl.error/1" {
            return;
        }
        for field in ["plan_id", "would_change"] {
            assert!(document.get(field).is_some(), "no {field}: {document}");
        }
    }

    /// Returns the JSON document on stdout.
    #[track_caller]
    pub fn json(&self) -> Json {
        match self.stdout.parse() {
            Ok(document) => document,
            Err(error) => panic!("not JSON ({error}):\n{self}"),
        }
    }

    /// Returns the same run with another text on stdout.
    #[must_use]
    pub fn with_stdout(self, stdout: String) -> Self {
        Self { stdout, ..self }
    }

    /// Returns the JSON documents on stdout, one per line (`--jsonl`, `--batch`).
    pub fn json_lines(&self) -> Vec<Json> {
        Json::parse_lines(&self.stdout)
    }

    /// Fails with everything that was printed if the exit code is not `code`.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{self}");
        self
    }

    /// Fails if the output contains a private key: a PEM block, or a line of any key in the sandbox.
    fn assert_no_key_printed(&self, private: &[String]) {
        for stream in [&self.stdout, &self.stderr] {
            assert!(
                !stream.contains("PRIVATE KEY--"),
                "a private key was printed:\n{stream}"
            );
            let leaked = private.iter().find(|line| stream.contains(line.as_str()));
            assert!(
                leaked.is_none(),
                "a line of a private key was printed:\n{stream}"
            );
        }
    }
}

/// The number of lines of a private key's PEM body, of `count`, that contain secret bytes. A line
/// has 48 bytes. The scalar of an EC key (PKCS#8, RFC 5915) ends before byte 96, that of P-521
/// before byte 144; the lines behind it are the public key, which requests contain as well.
fn secret_lines(count: usize) -> usize {
    match count {
        0..=4 => count.min(2),
        5..=6 => 3,
        _ => count,
    }
}

/// Returns the base64 lines of every private key below `folder`, including backups and releases.
pub fn private_lines(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            lines.extend(private_lines(&entry.path()));
        } else if kind.is_file() {
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            for block in text
                .split("-----BEGIN ")
                .filter(|block| block.contains("PRIVATE KEY-----"))
            {
                let body: Vec<&str> = block
                    .lines()
                    .skip(1)
                    .take_while(|line| !line.starts_with("-----END"))
                    .map(str::trim)
                    .filter(|line| line.len() >= 24)
                    .collect();
                // Every line of an encrypted key depends on its secret bytes.
                let count = if block.starts_with("ENCRYPTED") {
                    body.len()
                } else {
                    secret_lines(body.len())
                };
                lines.extend(body[..count].iter().map(|&line| line.to_owned()));
            }
        }
    }
    lines
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mask = |text: &str| text.replace(&self.folder, "[SANDBOX]");
        write!(f, "{}", mask(&self.stdout))?;
        if !self.stderr.is_empty() {
            write!(f, "--- stderr\n{}", mask(&self.stderr))?;
        }
        write!(f, "--- exit {}", self.code)
    }
}

/// Lets the kernel kill a child that has used this many seconds of processor time. Unlike a timeout,
/// it does not depend on how busy the machine is.
pub fn limit_processor(child: &std::process::Child, seconds: u64) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let limit = Rlimit {
        current: Some(seconds),
        maximum: Some(seconds),
    };
    prlimit(Some(Pid::from_child(child)), Resource::Cpu, limit).unwrap();
}

/// Sends SIGTERM to a process.
pub fn terminate(process: u32) {
    let process = rustix::process::Pid::from_raw(process.try_into().unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
}
