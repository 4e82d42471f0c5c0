//! A machine of its own for servers that certctl has no code for: network, mount and process
//! namespaces, with empty `/etc/ssl`, `/run`,
//! `/dev/shm` and `/var/lib/certctl`. Needs root, because the servers change their users.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Output};

use super::external::{external_program, path_of};
use super::install_sandbox::InstallSandbox;
use super::namespace::is_root;
use super::program::program;
use super::{Run, Sandbox};

/// What the scripts may use: `run NAME ARGS` keeps the result of certctl as NAME, `await HOST:PORT`
/// waits for a server that speaks TLS, `served HOST:PORT [PROTOCOL]` prints the leaf's fingerprint as
/// OpenSSL sees it.
const FUNCTIONS: &str = r#"
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
certctl() { "$CERTCTL" "$@"; }
run() { name=$1; shift; code=0; "$CERTCTL" "$@" >"$name.out" 2>"$name.err" </dev/null || code=$?; echo $code >"$name.code"; }
await() {
  count=0
  while code=0; certctl verify "$1" --host example.com >/dev/null 2>&1 || code=$?; [ $code -eq 4 ]; do
    count=$((count + 1))
    if [ $count -gt 150 ]; then echo "nothing answers at $1" >&2; exit 1; fi
    sleep 0.1
  done
}
# What a server sends. It may reset the connection afterwards, because the client says nothing: the
# certificate counts, not how s_client ends.
served() {
  openssl s_client -connect "$1" ${2:+-starttls $2} -servername example.com -showcerts </dev/null 2>/dev/null >served.pem || true
  openssl x509 -in served.pem -noout -fingerprint -sha256
}
fingerprint() { openssl x509 -in "$1" -noout -fingerprint -sha256; }
"#;

/// A machine on which a script has run.
pub struct Machine<'a> {
    sandbox: &'a Sandbox,
    pub script: Run,
}

impl<'a> Machine<'a> {
    /// Runs `script`; `None` if another user than root runs the tests.
    pub fn run(sandbox: &'a Sandbox, script: &str) -> Option<Self> {
        if !is_root() {
            return None;
        }
        let mount = path_of("mount").display().to_string();
        let ip = path_of("ip").display().to_string();
        let head = format!(
            "set -e\nPS4='+ '; set -x\n{ip} link set lo up\n{mount} -t tmpfs -o mode=755 tmpfs /etc/ssl\n\
             mkdir -m 710 /etc/ssl/private\nchgrp ssl-cert /etc/ssl/private 2>/dev/null || true\n\
             {mount} -t tmpfs -o mode=755 tmpfs /run\n\
             mkdir -p -m 700 /var/lib/certctl\n{mount} -t tmpfs -o mode=700 tmpfs /var/lib/certctl\n\
             {mount} -t tmpfs -o mode=1777 tmpfs /dev/shm\n{mount} --bind /dev/null /dev/null"
        );
        let mut command = external_program("unshare");
        command
            .args(["-mpfn", "--mount-proc", "--kill-child", "sh", "-c"])
            .arg(format!("{head}\n{FUNCTIONS}\n{script}"))
            .env("CERTCTL", program())
            .current_dir(sandbox.path());
        let script = sandbox.run_command(command);
        Some(Self { sandbox, script })
    }

    /// The result of `run NAME`.
    pub fn step(&self, name: &str) -> Run {
        let code = self.sandbox.join(&format!("{name}.code"));
        assert!(code.exists(), "{name} did not run\n{}", self.script);
        let code: i32 = self
            .sandbox
            .read(&format!("{name}.code"))
            .trim()
            .parse()
            .unwrap();
        self.sandbox.result_of(Output {
            status: ExitStatus::from_raw(code << 8),
            stdout: self.sandbox.read(&format!("{name}.out")).into_bytes(),
            stderr: self.sandbox.read(&format!("{name}.err")).into_bytes(),
        })
    }
}

/// Writes certificates `1.crt`, `2.crt`, ... with a key of their own each: `1.key`, `2.key`, ...
pub fn write_deliveries(setup: &InstallSandbox, count: usize) {
    for number in 1..=count {
        setup.write_delivery(&format!("{number}.crt"));
        let key = setup.sandbox.read("example.com.key");
        setup.sandbox.write_key(&format!("{number}.key"), key);
    }
}
