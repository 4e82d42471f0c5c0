//! Several readers of one certificate: `--also` for further files, repeated `--reload` and `--probe`.
//! All of them switch together, are verified together and are rolled back together: Postfix, which
//! reads one combined file, and Dovecot, which reads two.
//! Needs: openssl unshare mount ip postfix dovecot
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::install_sandbox::{InstallSandbox, LINEAGE};
use support::json::Json;
use support::machine::{Machine, write_deliveries};

/// Postfix at 25 and 465, Dovecot at 143 and 993.
const SERVERS: &str = "
cat >dovecot.conf <<'END'
base_dir = /run/dovecot
state_dir = /run/dovecot
log_path = /run/dovecot.log
protocols = imap
ssl = yes
ssl_cert = </etc/ssl/example.com.fullchain.pem
ssl_key = </etc/ssl/private/example.com.key
mail_location = maildir:/run/mail
passdb {
  driver = static
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
  }
  inet_listener imaps {
    address = 127.0.0.1
  }
}
END
mkdir -p /run/pf/conf /run/pf/spool /run/pf/data
chown postfix /run/pf/data
cat >/run/pf/conf/main.cf <<'END'
compatibility_level = 3.6
queue_directory = /run/pf/spool
data_directory = /run/pf/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file_prefixes = /run
maillog_file = /run/pf.log
myhostname = example.com
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
smtpd_tls_chain_files = /etc/ssl/private/mail.pem
smtpd_tls_security_level = may
END
cat >/run/pf/conf/master.cf <<'END'
25 inet n - n - - smtpd
465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
rewrite unix - - n - - trivial-rewrite
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
END
postfix -c /run/pf/conf start >/dev/null 2>&1
dovecot -F -c $PWD/dovecot.conf &
for port in 25 465 143 993; do await 127.0.0.1:$port; done
all() {
  for one in 25:smtp 465: 143:imap 993:; do
    [ \"$(served 127.0.0.1:${one%%:*} ${one#*:})\" = \"$(fingerprint $1)\" ]
    [ $(grep -c BEGIN.CERTIFICATE served.pem) = 2 ]
  done
}
postfix=\"postfix -c /run/pf/conf reload\"
dovecot=\"doveadm -c $PWD/dovecot.conf reload\"
printf '#!/bin/sh\\n[ -e /run/failed ] && exec %s\\ntouch /run/failed\\nexit 1\\n' \"$dovecot\" >/run/fails-once
chmod 755 /run/fails-once
";

#[test]
fn postfix_and_dovecot_share_one_certificate() {
    let setup = InstallSandbox::new();
    write_deliveries(&setup, 4);
    let script = format!(
        "for number in 1 2 3; do certctl bundle $number.crt --key $number.key --trust root.pem --out $number.pem >/dev/null; done
        set -- --trust root.pem
        run first install 1.crt --key 1.key $* --server none --also combined=/etc/ssl/private/mail.pem --json
        {SERVERS}
        all 1.pem
        run second install 2.crt --key 2.key $* --reload \"$postfix\" --reload \"$dovecot\" --probe 127.0.0.1:25 --probe 127.0.0.1:465 --probe 127.0.0.1:143 --probe 127.0.0.1:993
        all 2.pem
        run third install 3.crt --key 3.key $* --json
        all 3.pem
        run failed install 4.crt --key 4.key $* --reload \"$postfix\" --reload /run/fails-once --also combined=/etc/ssl/private/mail.pem --also pem=/etc/ssl/more.pem
        all 3.pem
        [ ! -e /etc/ssl/more.pem ]
        run one install 4.crt --key 4.key $* --reload \"$postfix\"
        all 3.pem
        head -n 1 /etc/ssl/private/mail.pem >line
        run check install example.com --check
        run back rollback example.com
        all 2.pem
        stat -L -c '%U:%G %a' /etc/ssl/private/mail.pem >access
        run forgotten forget example.com
        stat -c '%F %U:%G %a' /etc/ssl/private/mail.pem >>access
        $postfix 2>/dev/null
        all 2.pem
        postfix -c /run/pf/conf stop >/dev/null 2>&1"
    );
    let Some(machine) = Machine::run(&setup.sandbox, &script) else {
        return;
    };
    let first = machine.step("first").expect(0).json();
    let links = &first["certificates"][0]["settings"]["links"];
    assert_eq!(links[0]["path"], "/etc/ssl/private/mail.pem", "{first}");
    let second = machine.step("second").expect(0);
    assert!(
        second.stdout.contains("/etc/ssl/private/mail.pem (0600)"),
        "{second}"
    );
    let third = machine.step("third").expect(0).json();
    assert_eq!(third["certificates"][0]["proof"], "live", "{third}");
    let failed = machine.step("failed").expect(5);
    assert!(
        failed.stdout.contains("remove the link /etc/ssl/more.pem"),
        "{failed}"
    );
    // Dovecot was not reloaded: that is no success of Postfix alone.
    machine.step("one").expect(5);
    for step in ["check", "back", "forgotten"] {
        machine.step(step).expect(0);
    }
    assert_eq!(machine.script.code, 0, "{}", machine.script);
    assert!(setup.sandbox.read("line").ends_with("PRIVATE KEY-----\n"));
    let access = "root:root 600\nregular file root:root 600\n";
    assert_eq!(setup.sandbox.read("access"), access);
}

#[test]
fn further_files_are_saved_replaced_and_forgotten() {
    let setup = InstallSandbox::new();
    let links = || {
        let saved = setup.sandbox.read(&format!("{LINEAGE}/settings.json"));
        let saved = Json::parse(&saved);
        let links = saved
            .get("links")
            .and_then(|links| links.as_array().cloned());
        links.unwrap_or_default()
    };
    let files = [
        "--also",
        "combined=/etc/ssl/private/both.pem",
        "--also",
        "KEY=/srv/app/tls.key",
        "--also",
        "pem=/srv/app/tls.crt",
        "--also",
        "cert=/srv/app/leaf.crt",
        "--also",
        "chain=/srv/app/ca.crt",
    ];
    setup.renew_and_install(&files).expect(0);
    assert_eq!(links().len(), 5);
    setup.renew_and_install(&[]).expect(0);
    let read = |path: &str| setup.sandbox.read(&format!("tree{path}"));
    let chain = read("/srv/app/tls.crt");
    assert_eq!(chain, read("/etc/ssl/example.com.fullchain.pem"));
    assert_eq!(read("/srv/app/leaf.crt") + &read("/srv/app/ca.crt"), chain);
    let key = read("/srv/app/tls.key");
    assert_eq!(read("/etc/ssl/private/both.pem"), key + &chain);
    setup
        .install("new.crt", &["--also", "pem=/srv/app/tls.crt"])
        .expect(0);
    assert_eq!(links().len(), 1);
    setup.install("new.crt", &["--also", "auto"]).expect(0);
    assert_eq!(links().len(), 0);
    let wrong = setup.install("new.crt", &["--also", "p7b=/srv/x"]);
    wrong.expect(2);
    let same = setup.install(
        "new.crt",
        &["--also", "key=/etc/ssl/example.com.fullchain.pem"],
    );
    assert_ne!(same.code, 0, "{same}");
}
