//! `certctl install` into / itself, of a mount namespace: what is found there without a word on the
//! command line, and who is told.
//! Needs: nginx unshare mount
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::os::unix::fs::PermissionsExt;

use support::Run;
use support::namespace::in_mount;
use support::nginx::{free_port, write_config};
use support::shop::Shop;

/// A stand-in for systemd, which does not run in tests: it notes what it is asked, says that every
/// unit runs, and reloads by nginx's own means.
const FAKE_SYSTEMCTL: &str = "#!/bin/sh
echo \"$*\" >>systemctl.log
case $1 in reload) exec nginx -s reload -c \"$PWD/nginx/nginx.conf\" ;; esac
";

/// Runs `script` where the machine's nginx has a block that names the usual paths; `start` starts
/// it.
fn here(shop: &Shop, script: &str) -> Run {
    let sandbox = &shop.sandbox;
    shop.deliver("new.crt");
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
fn a_server_that_reads_the_files_and_is_not_to_be_told_is_named() {
    let shop = Shop::new();
    let run = here(
        &shop,
        "certctl install new.crt --trust root.pem --server none >before
         start
         certctl install example.com --server none",
    );
    assert!(
        !shop.sandbox.read("before").contains("nginx"),
        "it did not run"
    );
    let line = "warn   nginx runs and names these files (/etc/nginx/nginx.conf:";
    assert!(
        run.stdout.contains(line)
            && run
                .stdout
                .contains("with --server none it is not told of them"),
        "{run}"
    );
    assert!(
        run.stdout
            .contains("next   sudo certctl install example.com --server nginx"),
        "{run}"
    );
}

#[test]
fn a_unit_of_systemd_is_reloaded_by_systemd() {
    let shop = Shop::new();
    let run = here(
        &shop,
        "mkdir -p /run/systemd/system; PATH=\"$PWD/fake:$PATH\"; start
         certctl install new.crt --trust root.pem --server nginx",
    );
    assert!(
        run.stdout
            .contains("this certificate, whole chain   (nginx -t ok, reloaded)"),
        "{run}"
    );
    let log = shop.sandbox.read("systemctl.log");
    assert_eq!(
        log.lines().filter(|line| *line == "reload nginx").count(),
        1,
        "{log}"
    );
    assert!(log.starts_with("is-active --quiet nginx\n"), "{log}");
}
