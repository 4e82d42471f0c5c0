//! `certctl install` without `--root`, in a mount namespace: which servers are found, and which are
//! reloaded.
//! Needs: haproxy nginx unshare mount
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::fs::PermissionsExt;

use support::Run;
use support::install_sandbox::InstallSandbox;
use support::namespace::in_mount;
use support::nginx::{free_port, write_config};

/// A stand-in for systemd, which does not run in tests: it records its arguments. Its only unit,
/// nginx.service, runs the process in the file `main` and is reloaded by that process's signal.
const FAKE_SYSTEMCTL: &str = "#!/bin/sh
echo \"$*\" >>systemctl.log
main=$(cat main)
case $1 in
  show) printf 'MainPID=%s\\nCanReload=yes\\nSourcePath=\\n' $main ;;
  reload) kill -HUP $main ;;
esac
";

/// Starts nginx and puts it into the control group of nginx.service: the kernel's file is covered by
/// one that says so.
const START_IN_UNIT: &str = "mkdir -p /run/systemd/system; PATH=\"$PWD/fake:$PATH\"; start
    echo '0::/system.slice/nginx.service' >group
    mount --bind group /proc/$(cat nginx/nginx.pid)/cgroup";

/// Runs `script` on a machine whose nginx has a block that references the usual paths; the shell
/// function `start` starts nginx.
fn here(setup: &InstallSandbox, script: &str) -> Run {
    let sandbox = &setup.sandbox;
    setup.write_delivery("new.crt");
    let block = format!(
        "server {{ listen 127.0.0.1:{} ssl; server_name example.com www.example.com;\n\
         ssl_certificate /etc/ssl/example.com.fullchain.pem;\n ssl_certificate_key /etc/ssl/private/example.com.key; }}",
        free_port()
    );
    write_config(&sandbox.join("nginx"), &block);
    let fake = sandbox.write("fake/systemctl", FAKE_SYSTEMCTL);
    std::fs::set_permissions(fake, std::fs::Permissions::from_mode(0o755)).unwrap();
    in_mount(
        sandbox,
        "size=1m",
        &format!(
            "mount -t tmpfs -o mode=755 tmpfs /etc/ssl; mkdir -m 700 /etc/ssl/private; mount -t tmpfs -o mode=755 tmpfs /run
             mount --bind nginx/nginx.conf /etc/nginx/nginx.conf
             start() {{
               nginx -c \"$PWD/nginx/nginx.conf\" & trap \"kill $!\" EXIT
               for i in 1 2 3 4 5 6 7 8 9 0; do [ -s nginx/nginx.pid ] && break; sleep 0.2; done
             }}
             certctl install --placeholder example.com www.example.com --server none >/dev/null
             {script}"
        ),
    )
}

#[test]
fn a_running_server_that_server_none_excludes_is_reported() {
    let setup = InstallSandbox::new();
    let run = here(
        &setup,
        "certctl install new.crt --trust root.pem --server none >before
         start
         certctl install example.com --server none",
    );
    assert!(
        !setup.sandbox.read("before").contains("nginx"),
        "nginx was not running then"
    );
    let line = "warning nginx is running and references these files (/etc/nginx/nginx.conf:";
    assert!(
        run.stdout.contains(line)
            && run
                .stdout
                .contains("with `--server none` it is not reloaded"),
        "{run}"
    );
    assert!(
        run.stdout
            .contains("            sudo certctl install example.com --server nginx\n"),
        "{run}"
    );
}

#[test]
fn systemd_reloads_a_unit_of_systemd() {
    let setup = InstallSandbox::new();
    let run = here(
        &setup,
        &format!(
            "{START_IN_UNIT}; cat nginx/nginx.pid >main
             certctl install new.crt --trust root.pem --server nginx"
        ),
    );
    assert!(
        run.stdout
            .contains("this certificate, full chain; nginx -t passed, reloaded"),
        "{run}"
    );
    let log = setup.sandbox.read("systemctl.log");
    assert_eq!(
        log.lines()
            .filter(|line| *line == "reload nginx.service")
            .count(),
        1,
        "{log}"
    );
    assert!(
        log.starts_with("show --property=MainPID,CanReload,SourcePath nginx.service\n"),
        "{log}"
    );
}

#[test]
fn a_unit_with_another_main_process_is_not_reloaded() {
    let setup = InstallSandbox::new();
    let run = here(
        &setup,
        &format!(
            "{START_IN_UNIT}; sleep 1000 & echo $! >main
             certctl install new.crt --trust root.pem --server nginx; kill -0 $(cat main)"
        ),
    );
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stdout
            .contains("this certificate, full chain; nginx -t passed, reloaded"),
        "{run}"
    );
    let log = setup.sandbox.read("systemctl.log");
    assert!(
        log.lines().all(|line| line.starts_with("show ")) && !log.is_empty(),
        "{log}"
    );
}

/// The folder of a server's configuration is a place like any other: nothing that certctl writes there
/// is loaded by a server, because it writes no configuration. It asks which server is meant.
#[test]
fn no_configuration_is_written_where_a_server_includes_it() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let run = in_mount(
        &setup.sandbox,
        "size=1m",
        "for folder in /etc/ssl /run /etc/nginx/conf.d; do mount -t tmpfs -o mode=755 tmpfs $folder; done
         mkdir -m 700 /etc/ssl/private
         cp -p new.crt root.pem example.com.csr example.com.key /etc/nginx/conf.d
         out=$PWD; cd /etc/nginx/conf.d
         certctl install new.crt --trust root.pem --json >$out/asked.json || echo asked $?
         ls -A /etc/ssl
         certctl install new.crt --trust root.pem --server nginx --json >$out/one.json || echo one $?
         ls -A; find /etc/nginx /etc/apache2 /etc/haproxy -newer $out/asked.json",
    );
    assert_eq!(run.code, 0, "{run}");
    let lines: Vec<&str> = run.stdout.lines().collect();
    let files = ["example.com.csr", "example.com.key", "new.crt", "root.pem"];
    assert_eq!(
        lines,
        [&["asked 3", "private", "one 1"], &files[..]].concat()
    );
    let document = |file: &str| support::json::Json::parse(&setup.sandbox.read(file));
    let asked = document("asked.json");
    let steps = asked["error"]["next"].as_array().unwrap();
    for server in ["nginx", "haproxy"] {
        let option = format!("--server {server}");
        let mut commands = steps.iter().map(|step| step["command"].as_str().unwrap());
        assert!(
            commands.any(|command| command.ends_with(&option)),
            "{asked}"
        );
    }
    assert_eq!(document("one.json")["verdict"], "not-served");
}
