//! Renewals of servers that certctl has no code for, with the real servers in namespaces: what is
//! probed in their own protocols, and what is reported where nothing was reloaded or probed.
//! Needs: dovecot openssl unshare mount ip postgres psql setpriv postfix caddy lighttpd
//! mosquitto stunnel4 vsftpd
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

/// A PostgreSQL whose key and certificate are in its own data folder.
const POSTGRES: &str = "
as() { setpriv --reuid postgres --regid postgres --init-groups \"$@\"; }
pg=/usr/lib/postgresql/15/bin
sandbox=$PWD
mkdir -m 755 /run/pg
chown postgres:postgres /run/pg
cd /run/pg
as $pg/initdb -D /run/pg/data --no-sync -A trust >/dev/null
certctl bundle $sandbox/4.crt --key $sandbox/4.key --trust $sandbox/root.pem --out crt >/dev/null
install -o postgres -g postgres -m 600 $sandbox/4.key data/server.key
install -o postgres -g postgres -m 644 crt data/server.crt
pg_ctl() { as $pg/pg_ctl -D /run/pg/data -w -l /run/pg/log \"$@\" >/dev/null; }
pg_ctl -o '-c ssl=on -c listen_addresses=127.0.0.1 -c unix_socket_directories=/run/pg' start
cd \"$sandbox\"
access() { stat -L -c '%n %U:%G %a' /run/pg/data /run/pg/data/server.key >\"$1.access\"; }
query() { psql 'host=example.com hostaddr=127.0.0.1 user=postgres dbname=postgres sslmode=verify-full sslrootcert=root.pem' -Atc 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'; }
reload='setpriv --reuid postgres --regid postgres --init-groups /usr/lib/postgresql/15/bin/pg_ctl -D /run/pg/data reload'
";

#[test]
fn the_user_of_postgresql_keeps_the_key() {
    let setup = InstallSandbox::new();
    write_deliveries(&setup, 4);
    let script = format!(
        "{POSTGRES}
        access before
        set -- --trust root.pem
        run refused install 1.crt --key 1.key $* --server none --chain-path /run/pg/data/server.crt --key-path /run/pg/data/server.key --reload \"$reload\" --probe 127.0.0.1:5432
        access refused
        served 127.0.0.1:5432 postgres >old
        run first install 1.crt --key 1.key $* --server none --chain-path /run/pg/data/server.crt --key-path /run/pg/data/server.key --reload \"$reload\" --probe 127.0.0.1:5432 --owner postgres:postgres --key-mode 0600
        access first
        query >first.ssl
        run second install 2.crt --key 2.key $*
        served 127.0.0.1:5432 postgres >second
        [ \"$(cat second)\" = \"$(fingerprint /run/pg/data/server.crt)\" ]
        pg_ctl restart
        printf '#!/bin/sh\n[ -e /run/failed ] && exec %s\ntouch /run/failed\nexit 1\n' \"$reload\" >/run/fails-once
        chmod 755 /run/fails-once
        run failed install 3.crt --key 3.key $* --reload /run/fails-once
        access failed
        [ \"$(served 127.0.0.1:5432 postgres)\" = \"$(cat second)\" ]
        run check install example.com --check
        run back rollback example.com
        access back
        query >>first.ssl
        run forgotten forget example.com
        access forgotten
        pg_ctl restart
        query >>first.ssl
        pg_ctl stop -m immediate"
    );
    let Some(machine) = Machine::run(&setup.sandbox, &script) else {
        return;
    };
    assert_eq!(machine.script.code, 0, "{}", machine.script);
    let refused = machine.step("refused").expect(1);
    assert!(
        refused
            .stdout
            .contains("/run/pg/data/server.key belongs to postgres:postgres"),
        "{refused}"
    );
    let advice = "--owner postgres:postgres --key-mode 0600\n";
    assert!(refused.stdout.contains(advice), "{refused}");
    for forbidden in ["chown", "chmod", "chgrp"] {
        assert!(!refused.stdout.contains(forbidden), "{refused}");
    }
    let before = setup.sandbox.read("before.access");
    assert!(
        before.contains("server.key postgres:postgres 600"),
        "{before}"
    );
    for step in ["refused", "first", "failed", "back", "forgotten"] {
        assert_eq!(
            setup.sandbox.read(&format!("{step}.access")),
            before,
            "{step}"
        );
    }
    let first = machine.step("first").expect(0);
    let done = "done    example.com (PostgreSQL) serves this certificate";
    assert!(first.stdout.contains(done), "{first}");
    machine.step("second").expect(0);
    machine.step("failed").expect(5);
    machine.step("check").expect(0);
    machine.step("back").expect(0);
    machine.step("forgotten").expect(0);
    assert_eq!(setup.sandbox.read("first.ssl"), "t\nt\nt\n");
}

#[test]
fn a_key_that_its_owner_cannot_reach_is_refused() {
    let setup = InstallSandbox::new();
    write_deliveries(&setup, 1);
    // The group of the key is no group of the user, and the folder is closed to others.
    let script = "
        run refused install 1.crt --key 1.key --trust root.pem --server none --reload true --owner daemon:ssl-cert --key-mode 0640
        [ ! -e /etc/ssl/private/example.com.key ]
        run open install 1.crt --key 1.key --trust root.pem --server none --reload true --owner daemon:ssl-cert --key-mode 0640 --key-path /etc/ssl/example.com.key
        setpriv --reuid daemon --regid daemon --init-groups cat /etc/ssl/example.com.key >key.read
        cmp key.read /etc/ssl/example.com.key
        run allowed install 1.crt --key 1.key --trust root.pem --server none --key-path /etc/ssl/private/example.com.key --allow key-unreachable";
    let Some(machine) = Machine::run(&setup.sandbox, script) else {
        return;
    };
    assert_eq!(machine.script.code, 0, "{}", machine.script);
    let refused = machine.step("refused").expect(1);
    for part in [
        "user daemon is to read the key, but cannot enter /etc/ssl/private (mode 0710, root:ssl-cert)",
        "            sudo usermod -aG ssl-cert daemon\n",
        "--key-path /etc/ssl/example.com.key\n",
    ] {
        assert!(refused.stdout.contains(part), "{part}: {refused}");
    }
    machine.step("open").expect(0);
    let allowed = machine.step("allowed").expect(0);
    assert!(
        allowed
            .stdout
            .contains("allowed by `--allow key-unreachable`"),
        "{allowed}"
    );
}

/// A Postfix at ports 25 and 465 that reads key and certificates from one file, the key first.
const POSTFIX: &str = "
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
certctl bundle 4.crt --key 4.key --trust root.pem --out 4.pem >/dev/null
cat 4.key 4.pem >/etc/ssl/private/mail.pem
chmod 600 /etc/ssl/private/mail.pem
postfix -c /run/pf/conf start >/dev/null 2>&1
await 127.0.0.1:465
await 127.0.0.1:25
first_line() { head -n 1 /etc/ssl/private/mail.pem; }
";

#[test]
fn postfix_gets_one_file_in_the_order_that_it_had() {
    let setup = InstallSandbox::new();
    write_deliveries(&setup, 4);
    let script = format!(
        "{POSTFIX}
        set -- --trust root.pem
        run first install 1.crt --key 1.key $* --server none --chain-path /etc/ssl/private/mail.pem --key-path /etc/ssl/private/mail.pem --reload 'postfix -c /run/pf/conf reload' --probe 127.0.0.1:25 --probe 127.0.0.1:465
        first_line >lines
        run second install 2.crt --key 2.key $*
        first_line >>lines
        served 127.0.0.1:25 smtp >second
        [ \"$(served 127.0.0.1:465)\" = \"$(cat second)\" ]
        grep -c BEGIN.CERTIFICATE served.pem >count
        printf '#!/bin/sh\\n[ -e /run/failed ] && exec postfix -c /run/pf/conf reload\\ntouch /run/failed\\nexit 1\\n' >/run/fails-once
        chmod 755 /run/fails-once
        run failed install 3.crt --key 3.key $* --reload /run/fails-once
        first_line >>lines
        [ \"$(served 127.0.0.1:25 smtp)\" = \"$(cat second)\" ]
        run check install example.com --check
        run back rollback example.com
        [ \"$(served 127.0.0.1:465)\" != \"$(cat second)\" ]
        run forgotten forget example.com
        first_line >>lines
        postfix -c /run/pf/conf reload >/dev/null 2>&1
        served 127.0.0.1:25 smtp >/dev/null
        postfix -c /run/pf/conf stop >/dev/null 2>&1"
    );
    let Some(machine) = Machine::run(&setup.sandbox, &script) else {
        return;
    };
    assert_eq!(machine.script.code, 0, "{}", machine.script);
    let first = machine.step("first").expect(0);
    let wrote = "/etc/ssl/private/mail.pem (0600)";
    assert!(first.stdout.contains(wrote), "{first}");
    let done = "done    example.com (SMTP and SMTPS) serves this certificate";
    assert!(first.stdout.contains(done), "{first}");
    machine.step("second").expect(0);
    machine.step("failed").expect(5);
    machine.step("check").expect(0);
    machine.step("back").expect(0);
    machine.step("forgotten").expect(0);
    let lines = setup.sandbox.read("lines");
    assert_eq!(lines.lines().count(), 4, "{lines}");
    assert!(
        lines.lines().all(|line| line.ends_with("PRIVATE KEY-----")),
        "{lines}"
    );
    assert_eq!(
        setup.sandbox.read("count").trim(),
        "2",
        "the full chain is served"
    );
}

/// A mosquitto at port 8883 with the lines that `bundle --for mosquitto` prints.
const MOSQUITTO: &str = "
mkdir -m 755 /run/conf
cat >/run/conf/mosquitto.conf <<'END'
allow_anonymous true
listener 8883 127.0.0.1
certfile /etc/ssl/example.com.fullchain.pem
keyfile /etc/ssl/example.com.mosquitto.key
END
";

/// `--server mosquitto` stands for the options that mosquitto needs: a key that its user reads, the
/// command that reloads it, and where it answers.
#[test]
fn the_name_of_a_server_stands_for_its_options() {
    let setup = InstallSandbox::new();
    write_deliveries(&setup, 4);
    // The machine has no systemd, so mosquitto is reloaded as its unit reloads it.
    let script = format!(
        "{MOSQUITTO}
        set -- --trust root.pem
        run plan install 1.crt --key 1.key $* --server mosquitto --dry-run --json
        run first install 1.crt --key 1.key $* --server mosquitto --reload true --probe none
        mosquitto -c /run/conf/mosquitto.conf >/dev/null 2>&1 &
        reload=\"kill -HUP $!\"
        await 127.0.0.1:8883
        run renewed install 2.crt --key 2.key $* --server mosquitto --reload \"$reload\" --json
        [ \"$(served 127.0.0.1:8883)\" = \"$(fingerprint /etc/ssl/example.com.fullchain.pem)\" ]
        stat -L -c '%U:%G %a' /etc/ssl/example.com.mosquitto.key >access
        run plain install 3.crt --key 3.key $* --json
        [ \"$(served 127.0.0.1:8883)\" = \"$(fingerprint /etc/ssl/example.com.fullchain.pem)\" ]
        run failed install 4.crt --key 4.key $* --reload true
        run both install 4.crt --key 4.key $* --server mosquitto --server nginx
        run back rollback example.com
        run check install example.com --check
        run forgotten forget example.com
        stat -c '%F %U:%G %a' /etc/ssl/example.com.mosquitto.key >>access"
    );
    // The services of this machine are not those of a tree.
    let tree = ["--server", "postfix", "--dry-run", "--json"];
    let tree = setup.install("1.crt", &[&tree[..], &["--key", "1.key"]].concat());
    let tree = tree.expect(0).json();
    let settings = &tree["certificates"][0]["settings"];
    assert_eq!(settings["server"], "postfix", "{tree}");
    for option in ["test", "reload", "probe"] {
        assert!(settings.get(option).is_none(), "{option}: {tree}");
    }
    let Some(machine) = Machine::run(&setup.sandbox, &script) else {
        return;
    };
    assert_eq!(machine.script.code, 0, "{}", machine.script);
    let plan = machine.step("plan").expect(0).json();
    let settings = &plan["certificates"][0]["settings"];
    for (option, value) in [
        ("server", "mosquitto"),
        ("key_path", "/etc/ssl/example.com.mosquitto.key"),
        ("key_mode", "0600"),
        ("reload", "systemctl reload mosquitto"),
        ("probe", "127.0.0.1:8883"),
    ] {
        let shown = &settings[option];
        let shown = shown.as_array().map_or(shown, |all| &all[0]);
        assert_eq!(shown, value, "{option}: {plan}");
    }
    machine.step("first").expect(0);
    for step in ["renewed", "plain"] {
        let run = machine.step(step).expect(0).json();
        assert_eq!(run["certificates"][0]["proof"], "live", "{step}: {run}");
    }
    machine.step("failed").expect(5);
    let both = machine.step("both").expect(2);
    assert!(
        both.stderr.contains("`--server mosquitto` cannot be"),
        "{both}"
    );
    machine.step("back").expect(0);
    machine.step("check").expect(0);
    machine.step("forgotten").expect(0);
    let kept = "mosquitto:mosquitto 600\nregular file mosquitto:mosquitto 600\n";
    assert_eq!(setup.sandbox.read("access"), kept);
}

/// A server whose lines `bundle --for` prints: what else its configuration needs, how it is started,
/// and where it serves.
struct TargetServer {
    target: &'static str,
    config: &'static str,
    start: &'static str,
    address: &'static str,
    starttls: &'static str,
}

const TARGETS: [TargetServer; 6] = [
    TargetServer {
        target: "caddy",
        config: "{\n admin off\n auto_https off\n}\nhttps://example.com:8445 {\n bind 127.0.0.1\n LINES\n}\n",
        start: "mkdir /run/caddy; chown caddy /run/caddy
            HOME=/run/caddy setpriv --reuid caddy --regid caddy --init-groups caddy run --adapter caddyfile --config CONFIG >/dev/null 2>&1 &",
        address: "127.0.0.1:8445",
        starttls: "",
    },
    TargetServer {
        target: "lighttpd",
        config: "server.document-root = \"/run\"\nserver.port = 8444\nserver.bind = \"127.0.0.1\"\nserver.username = \"www-data\"\n\
            server.groupname = \"www-data\"\nserver.modules = (\"mod_openssl\")\nssl.engine = \"enable\"\nLINES\n",
        start: "lighttpd -D -f CONFIG &",
        address: "127.0.0.1:8444",
        starttls: "",
    },
    TargetServer {
        target: "mosquitto",
        config: "allow_anonymous true\nlistener 8883 127.0.0.1\nLINES\n",
        start: "mosquitto -c CONFIG >/dev/null 2>&1 &",
        address: "127.0.0.1:8883",
        starttls: "",
    },
    TargetServer {
        target: "postgres",
        config: "LINES\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '/run/pg'\n",
        start: "mkdir /run/pg; chown postgres:postgres /run/pg
            as() { setpriv --reuid postgres --regid postgres --init-groups \"$@\"; }
            (cd /run/pg; as /usr/lib/postgresql/15/bin/initdb -D /run/pg/data --no-sync -A trust >/dev/null
            cat CONFIG >>/run/pg/data/postgresql.conf
            as /usr/lib/postgresql/15/bin/pg_ctl -D /run/pg/data -w -l /run/pg/log start >/dev/null)",
        address: "127.0.0.1:5432",
        starttls: "postgres",
    },
    TargetServer {
        target: "stunnel",
        config: "foreground = yes\npid =\n[x]\naccept = 127.0.0.1:9993\nconnect = 127.0.0.1:9\nLINES\n",
        start: "stunnel4 CONFIG >/dev/null 2>&1 &",
        address: "127.0.0.1:9993",
        starttls: "",
    },
    TargetServer {
        target: "vsftpd",
        config: "listen=YES\nlisten_address=127.0.0.1\nbackground=NO\nsecure_chroot_dir=/run/empty\nlocal_enable=YES\nLINES\n",
        start: "mkdir /run/empty; vsftpd CONFIG &",
        address: "127.0.0.1:21",
        starttls: "ftp",
    },
];

#[test]
fn servers_start_with_the_lines_that_bundle_prints() {
    let setup = InstallSandbox::new();
    write_deliveries(&setup, 1);
    let mut script = "mkdir -m 755 /run/conf\n".to_owned();
    for server in &TARGETS {
        let shown = setup
            .sandbox
            .run(&[
                "bundle",
                "1.crt",
                "--key",
                "1.key",
                "--trust",
                "root.pem",
                "--json",
                "--for",
                server.target,
            ])
            .expect(0)
            .json();
        let lines = |step: usize| {
            let lines = shown["next"][step]["lines"].as_array().unwrap().iter();
            let lines: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
            lines.join("\n")
        };
        let file = format!("{}.conf", server.target);
        setup
            .sandbox
            .write(&file, server.config.replace("LINES", &lines(1)));
        let config = format!("/run/conf/{file}");
        script.push_str(&lines(0).replace("sudo ", ""));
        script.push_str(&format!(
            "\ninstall -m 644 {file} {config}\n{}\nawait {}\nserved {} {} >{}.leaf\ngrep -c BEGIN.CERTIFICATE served.pem >{}.count\n",
            server.start.replace("CONFIG", &config),
            server.address,
            server.address,
            server.starttls,
            server.target,
            server.target
        ));
    }
    script.push_str("fingerprint /etc/ssl/example.com.fullchain.pem >wanted\n");
    let Some(machine) = Machine::run(&setup.sandbox, &script) else {
        return;
    };
    assert_eq!(machine.script.code, 0, "{}", machine.script);
    let wanted = setup.sandbox.read("wanted");
    for TargetServer { target, .. } in &TARGETS {
        assert_eq!(
            setup.sandbox.read(&format!("{target}.leaf")),
            wanted,
            "{target}"
        );
        let count = setup.sandbox.read(&format!("{target}.count"));
        assert_eq!(count.trim(), "2", "{target} serves the full chain");
    }
}
