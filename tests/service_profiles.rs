//! Each server that `install --server NAME` knows, as the real program in namespaces: two renewals, a
//! reload that does nothing, one that fails, one that ends the server, a key that the server cannot
//! read, a rollback, `--check` and `forget`. OpenSSL as the client checks the chain that is served.
//! Needs: openssl unshare mount ip setsid mosquitto stunnel4 mariadbd squid slapd lighttpd caddy vsftpd
//! postgres setpriv
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::install_sandbox::InstallSandbox;
use support::machine::{Machine, write_deliveries};

/// How a server reads its files again.
#[derive(Clone, Copy, PartialEq)]
enum ReloadKind {
    /// It runs this command, while it goes on.
    Command(&'static str),
    /// It is stopped and started.
    Restart,
}

/// Who reads the key.
#[derive(Clone, Copy, PartialEq)]
enum ReadingUser {
    /// Root, also at a reload.
    Root,
    /// This user (`USER:GROUP`), who owns the key.
    Owner(&'static str),
}

/// A server of the table of profiles.
struct ServiceUnderTest {
    /// The value of `--server`.
    server: &'static str,
    /// Its configuration, in /run/conf/service.conf. CHAIN and KEY stand for the installed files.
    config: &'static str,
    /// What is run before its first start.
    prepare: &'static str,
    /// The command that runs it in the foreground.
    command: &'static str,
    reload: ReloadKind,
    /// Where it is probed, with the protocol that OpenSSL starts TLS by.
    addresses: &'static [(&'static str, &'static str)],
    key: &'static str,
    user: ReadingUser,
}

const HANGUP: ReloadKind = ReloadKind::Command("kill -HUP $(cat /run/service.pid)");
const USUAL_KEY: &str = "/etc/ssl/private/example.com.key";

const MOSQUITTO: ServiceUnderTest = ServiceUnderTest {
    server: "mosquitto",
    config: "allow_anonymous true\nlistener 8883 127.0.0.1\ncertfile CHAIN\nkeyfile KEY\n",
    prepare: "",
    command: "mosquitto -c /run/conf/service.conf",
    reload: HANGUP,
    addresses: &[("127.0.0.1:8883", "")],
    key: "/etc/ssl/example.com.mosquitto.key",
    user: ReadingUser::Owner("mosquitto:mosquitto"),
};

const STUNNEL: ServiceUnderTest = ServiceUnderTest {
    server: "stunnel",
    config: "foreground = yes\npid =\n[x]\naccept = 127.0.0.1:9993\nconnect = 127.0.0.1:9\ncert = CHAIN\nkey = KEY\n",
    prepare: "",
    command: "stunnel4 /run/conf/service.conf",
    reload: HANGUP,
    addresses: &[("127.0.0.1:9993", "")],
    key: USUAL_KEY,
    user: ReadingUser::Root,
};

const MARIADB: ServiceUnderTest = ServiceUnderTest {
    server: "mariadb",
    config: "[mysqld]\ndatadir=/run/db\nuser=mysql\nbind_address=127.0.0.1\nsocket=/run/mysqld/mysqld.sock\n\
        pid_file=/run/mysqld/pid\nssl_cert=CHAIN\nssl_key=KEY\n",
    prepare: "mkdir /run/mysqld /run/db; chown mysql /run/mysqld /run/db
        mariadb-install-db --no-defaults --datadir=/run/db --user=mysql --skip-test-db >/dev/null 2>&1",
    command: "mariadbd --defaults-file=/run/conf/service.conf",
    // The command of the profile: root may run it through the socket.
    reload: ReloadKind::Command("mariadb-admin flush-ssl"),
    addresses: &[("127.0.0.1:3306", "mysql")],
    key: "/etc/ssl/example.com.mariadb.key",
    user: ReadingUser::Owner("mysql:mysql"),
};

const SQUID: ServiceUnderTest = ServiceUnderTest {
    server: "squid",
    config: "https_port 127.0.0.1:3129 tls-cert=CHAIN tls-key=KEY\nhttp_port 127.0.0.1:3128\n\
        pid_filename /run/squid.pid\ncache_log /run/squid.log\naccess_log none\nvisible_hostname x\n\
        coredump_dir /run\nshutdown_lifetime 0 seconds\n",
    prepare: "",
    command: "squid --foreground -f /run/conf/service.conf",
    reload: ReloadKind::Command("squid -k reconfigure -f /run/conf/service.conf"),
    addresses: &[("127.0.0.1:3129", "")],
    key: USUAL_KEY,
    user: ReadingUser::Root,
};

const OPENLDAP: ServiceUnderTest = ServiceUnderTest {
    server: "openldap",
    config: "include /etc/ldap/schema/core.schema\nTLSCertificateFile CHAIN\nTLSCertificateKeyFile KEY\n\
        modulepath /usr/lib/ldap\nmoduleload back_mdb\ndatabase mdb\nsuffix dc=example,dc=com\n\
        directory /run/ldap\n",
    prepare: "mkdir /run/slapd /run/ldap; chown openldap:openldap /run/slapd /run/ldap",
    command: "slapd -d 0 -u openldap -g openldap -h 'ldap://127.0.0.1:389 ldaps://127.0.0.1:636' -f /run/conf/service.conf",
    reload: ReloadKind::Restart,
    addresses: &[("127.0.0.1:636", ""), ("127.0.0.1:389", "ldap")],
    key: "/etc/ssl/example.com.openldap.key",
    user: ReadingUser::Owner("openldap:openldap"),
};

const LIGHTTPD: ServiceUnderTest = ServiceUnderTest {
    server: "lighttpd",
    config: "server.document-root = \"/run\"\nserver.port = 443\nserver.bind = \"127.0.0.1\"\n\
        server.username = \"www-data\"\nserver.groupname = \"www-data\"\nserver.modules = (\"mod_openssl\")\n\
        ssl.engine = \"enable\"\nssl.pemfile = \"CHAIN\"\nssl.privkey = \"KEY\"\n",
    prepare: "",
    command: "lighttpd -D -f /run/conf/service.conf",
    reload: ReloadKind::Restart,
    addresses: &[("127.0.0.1:443", "")],
    key: USUAL_KEY,
    user: ReadingUser::Root,
};

const CADDY: ServiceUnderTest = ServiceUnderTest {
    server: "caddy",
    config: "{\n admin 127.0.0.1:2019\n auto_https off\n}\nhttps://example.com:8445 {\n bind 127.0.0.1\n tls CHAIN KEY\n}\n",
    prepare: "mkdir /run/caddy; chown caddy /run/caddy",
    command: "env HOME=/run/caddy setpriv --reuid caddy --regid caddy --init-groups caddy run --adapter caddyfile --config /run/conf/service.conf",
    reload: ReloadKind::Command(
        "caddy reload --adapter caddyfile --config /run/conf/service.conf --force",
    ),
    addresses: &[("127.0.0.1:8445", "")],
    key: "/etc/ssl/example.com.caddy.key",
    user: ReadingUser::Owner("caddy:caddy"),
};

const VSFTPD: ServiceUnderTest = ServiceUnderTest {
    server: "vsftpd",
    config: "listen=YES\nlisten_address=127.0.0.1\nbackground=NO\nsecure_chroot_dir=/run/empty\nlocal_enable=YES\n\
        ssl_enable=YES\nrsa_cert_file=CHAIN\nrsa_private_key_file=KEY\nssl_ciphers=HIGH\n",
    prepare: "mkdir /run/empty",
    command: "vsftpd /run/conf/service.conf",
    reload: ReloadKind::Restart,
    addresses: &[("127.0.0.1:21", "ftp")],
    key: USUAL_KEY,
    user: ReadingUser::Root,
};

const POSTGRES: ServiceUnderTest = ServiceUnderTest {
    server: "postgres",
    config: "ssl = on\nssl_cert_file = 'CHAIN'\nssl_key_file = 'KEY'\nlisten_addresses = '127.0.0.1'\n\
        unix_socket_directories = '/run/pg'\n",
    prepare: "mkdir /run/pg; chown postgres:postgres /run/pg; cd /run/pg
        setpriv --reuid postgres --regid postgres --init-groups /usr/lib/postgresql/15/bin/initdb -D /run/pg/data --no-sync -A trust >/dev/null
        cat /run/conf/service.conf >>/run/pg/data/postgresql.conf; cd \"$sandbox\"",
    command: "setpriv --reuid postgres --regid postgres --init-groups /usr/lib/postgresql/15/bin/postgres -D /run/pg/data",
    reload: HANGUP,
    addresses: &[("127.0.0.1:5432", "postgres")],
    key: "/etc/ssl/example.com.postgres.key",
    user: ReadingUser::Owner("postgres:postgres"),
};

/// What the script may use: `/run/start`, `/run/stop`, `/run/reload`; `shows FILE` succeeds if OpenSSL
/// verifies what every address serves, with the full chain, and it is the certificate of FILE.
const FUNCTIONS: &str = r#"
sandbox=$PWD
mkdir -m 755 /run/conf
cat >/run/stop <<'END'
#!/bin/sh
pid=$(cat /run/service.pid)
kill $pid 2>/dev/null || exit 0
while [ -e /proc/$pid ]; do sleep 0.1; done
END
printf '#!/bin/sh\n/run/stop\n' >/run/ends
printf '#!/bin/sh\nif [ -e /run/failed ]; then exec /run/reload; fi\ntouch /run/failed\nexit 1\n' >/run/fails-once
shows() {
  set +x
  wanted=$(fingerprint "$1")
  while read address protocol; do
    count=0
    while :; do
      openssl s_client -connect $address ${protocol:+-starttls $protocol} -servername example.com -verify_hostname example.com \
        -CAfile root.pem -verify_return_error -showcerts </dev/null >shown.pem 2>/dev/null || true
      [ "$(openssl x509 -in shown.pem -noout -fingerprint -sha256 2>/dev/null)" = "$wanted" ] && break
      count=$((count + 1))
      if [ $count -gt 50 ]; then echo "$address does not serve $1" >&2; return 1; fi
      sleep 0.1
    done
    grep -q 'Verify return code: 0 (ok)' shown.pem
    [ $(grep -c BEGIN.CERTIFICATE shown.pem) = 2 ]
  done <addresses
  set -x
}
access() { stat -L -c '%U:%G %a' "$1" >>access; }
"#;

/// Runs all of it for one server.
fn check_service(service: &ServiceUnderTest) {
    let setup = InstallSandbox::new();
    write_deliveries(&setup, 4);
    let ServiceUnderTest {
        server,
        prepare,
        command,
        key,
        ..
    } = service;
    let config = service.config.replace("KEY", key);
    let config = config.replace("CHAIN", "/etc/ssl/example.com.fullchain.pem");
    setup.sandbox.write("service.conf", &config);
    let mut addresses = String::new();
    let mut probes = String::new();
    let mut waits = String::new();
    for (address, protocol) in service.addresses {
        addresses.push_str(&format!("{address} {protocol}\n"));
        probes.push_str(&format!(" --probe {address}"));
        waits.push_str(&format!("await {address}\n"));
    }
    setup.sandbox.write("addresses", &addresses);
    let reload = match service.reload {
        ReloadKind::Command(reload) => reload,
        ReloadKind::Restart => "/run/stop; /run/start",
    };
    // It ends when the process number is known: `revive` would else start a second server, and
    // `stop` would not find the first.
    let start = format!(
        "#!/bin/sh\nrm -f /run/service.pid
        setsid sh -c 'echo $$ >/run/service.pid; exec \"$@\" >/run/service.log 2>&1 </dev/null' sh {command} &
        while [ ! -s /run/service.pid ]; do sleep 0.01; done\n"
    );
    setup.sandbox.write("start", &start);
    setup
        .sandbox
        .write("reload", format!("#!/bin/sh\n{reload}\n"));
    // A key of root with mode 0600, for a server that reads it as another user.
    let unreadable = match service.user {
        ReadingUser::Root => "",
        ReadingUser::Owner(_) => {
            "run unreadable install 4.crt --key 4.key $* --owner root:root --allow key-unreachable
            /run/reload; revive; shows 3.pem"
        }
    };
    let script = format!(
        "{FUNCTIONS}
        cp service.conf start reload /run/
        mv /run/service.conf /run/conf/
        chmod 755 /run/start /run/stop /run/reload /run/ends /run/fails-once
        revive() {{ [ -e /proc/$(cat /run/service.pid) ] || /run/start
        {waits}
        }}
        for number in 1 2 3; do certctl bundle $number.crt --key $number.key --trust root.pem --out $number.pem >/dev/null; done
        set -- --trust root.pem
        run first install 1.crt --key 1.key $* --server {server} --test true --reload true --probe none
        {prepare}
        /run/start
        {waits}
        shows 1.pem
        access {key}
        run renewed install 2.crt --key 2.key $* --reload /run/reload{probes}
        shows 2.pem
        run again install 3.crt --key 3.key $*
        shows 3.pem
        access {key}
        run nothing install 4.crt --key 4.key $* --reload true
        shows 3.pem
        run fails install 4.crt --key 4.key $* --reload /run/fails-once
        shows 3.pem
        access {key}
        {unreadable}
        run ends install 4.crt --key 4.key $* --reload /run/ends
        revive
        shows 3.pem
        access {key}
        run check install example.com --check
        run back rollback example.com
        shows 2.pem
        access {key}
        run forgotten forget example.com
        access {key}
        [ ! -L {key} ]
        /run/stop
        /run/start
        {waits}
        shows 2.pem
        /run/stop"
    );
    let Some(machine) = Machine::run(&setup.sandbox, &script) else {
        return;
    };
    for step in ["first", "renewed", "again", "check", "back", "forgotten"] {
        machine.step(step).expect(0);
    }
    assert_eq!(machine.script.code, 0, "{}", machine.script);
    // Whatever did not load the new certificate was reported, and rolled back as far as possible.
    machine.step("nothing").expect(5);
    machine.step("fails").expect(5);
    let ends = machine.step("ends");
    assert!([5, 6].contains(&ends.code), "{ends}");
    let mut owner = "root:root";
    if let ReadingUser::Owner(user) = service.user {
        owner = user;
        let unreadable = machine.step("unreadable");
        assert!([5, 6].contains(&unreadable.code), "{unreadable}");
    }
    for step in ["nothing", "fails", "ends"] {
        check_advice(server, &machine.step(step).stdout);
    }
    let access = setup.sandbox.read("access");
    assert_eq!(access, format!("{owner} 600\n").repeat(6), "{server}");
}

/// No advice of an install changes a folder that a service uses.
fn check_advice(server: &str, output: &str) {
    for word in ["chown", "chmod", "chgrp"] {
        assert!(!output.contains(word), "{server}: {output}");
    }
}

#[test]
fn mosquitto_is_renewed() {
    check_service(&MOSQUITTO);
}

#[test]
fn stunnel_is_renewed() {
    check_service(&STUNNEL);
}

#[test]
fn mariadb_is_renewed() {
    check_service(&MARIADB);
}

#[test]
fn squid_is_renewed() {
    check_service(&SQUID);
}

#[test]
fn openldap_is_renewed() {
    check_service(&OPENLDAP);
}

#[test]
fn lighttpd_is_renewed() {
    check_service(&LIGHTTPD);
}

#[test]
fn caddy_is_renewed() {
    check_service(&CADDY);
}

#[test]
fn vsftpd_is_renewed() {
    check_service(&VSFTPD);
}

#[test]
fn postgresql_is_renewed() {
    check_service(&POSTGRES);
}
