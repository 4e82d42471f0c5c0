//! Renewals of servers that certctl has no code for, with the real servers in namespaces: what is
//! probed in their own protocols, and what is reported where nothing was reloaded or probed.
//! Needs: dovecot openssl unshare mount ip
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::install_sandbox::{InstallSandbox, codes};
use support::machine::{Machine, write_deliveries};

/// A Dovecot at ports 143 and 993 that reads the usual paths.
const DOVECOT: &str = "
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
dovecot -F -c \"$PWD/dovecot.conf\" &
";

#[test]
fn renewals_that_dovecot_did_not_load_are_reported() {
    let setup = InstallSandbox::new();
    write_deliveries(&setup, 4);
    let script = format!(
        "install='--trust root.pem'
        run first install 1.crt --key 1.key $install --server none
        {DOVECOT}
        await 127.0.0.1:993
        await 127.0.0.1:143
        run plain install 2.crt --key 2.key $install
        run check install example.com --check --json
        run again install example.com $install --json
        run verified verify 127.0.0.1:143 --host example.com $install
        run reloaded install example.com $install --reload \"doveadm -c $PWD/dovecot.conf reload\" --probe 127.0.0.1:993 --probe 127.0.0.1:143
        [ \"$(served 127.0.0.1:993)\" = \"$(fingerprint /etc/ssl/example.com.fullchain.pem)\" ]
        run checked install example.com --check
        run renewed install 3.crt --key 3.key $install --json
        [ \"$(served 127.0.0.1:143 imap)\" = \"$(fingerprint /etc/ssl/example.com.fullchain.pem)\" ]
        served 127.0.0.1:143 imap >third
        run failed install 4.crt --key 4.key $install --reload true
        [ \"$(served 127.0.0.1:993)\" = \"$(cat third)\" ]
        run back rollback example.com
        [ \"$(served 127.0.0.1:993)\" != \"$(cat third)\" ]
        run forgotten forget example.com
        served 127.0.0.1:143 imap >/dev/null"
    );
    let Some(machine) = Machine::run(&setup.sandbox, &script) else {
        return;
    };
    assert_eq!(machine.script.code, 0, "{}", machine.script);
    let first = machine.step("first").expect(0);
    let nothing = "the files were replaced, and no server was reloaded or";
    assert!(first.stdout.contains(nothing), "{first}");
    let plain = machine.step("plain").expect(7);
    for address in ["127.0.0.1:143", "127.0.0.1:993"] {
        let line = format!("error   {address} (process ");
        assert!(plain.stdout.contains(&line), "{plain}");
        let verify = format!("            certctl verify {address} --host example.com\n");
        assert!(plain.stdout.contains(&verify), "{plain}");
    }
    assert!(plain.stdout.contains("dovecot) still serves"), "{plain}");
    let check = machine.step("check").expect(1).json();
    assert_eq!(
        check["certificates"][0]["findings"][0]["code"],
        "previous-certificate-served"
    );
    let again = machine.step("again").expect(7).json();
    assert_eq!(codes(&again), ["previous-certificate-served"; 2], "{again}");
    let verified = machine.step("verified").expect(0);
    assert!(verified.stdout.contains("covers example.com"), "{verified}");
    let reloaded = machine.step("reloaded").expect(0);
    let done = "done    example.com (IMAP and IMAPS) serves this certificate";
    assert!(reloaded.stdout.contains(done), "{reloaded}");
    assert!(!reloaded.stdout.contains("https://"), "{reloaded}");
    machine.step("checked").expect(0);
    let renewed = machine.step("renewed").expect(0).json();
    assert_eq!(renewed["certificates"][0]["proof"], "live", "{renewed}");
    let failed = machine.step("failed").expect(5);
    assert!(failed.stdout.contains("127.0.0.1:143"), "{failed}");
    machine.step("back").expect(0);
    machine.step("forgotten").expect(0);
}
