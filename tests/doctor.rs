//! `certctl doctor` on machines that are broken by script, with a real nginx, a real resolver and
//! real processes: each yields exactly its own cause, and where a command repairs it, that command
//! is pasted and the site is healthy again. Needs root.
//! Needs: haproxy ip nginx unbound supervisord python3 curl
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::Sandbox;
use support::ca::Leaf;
use support::install_sandbox::{InstallSandbox, codes};
use support::json::Json;
use support::machine::Machine;

/// A machine with the address 203.0.113.10, to which DNS sends every name below `example`; three
/// resolvers, of which `resolver NUMBER` chooses one; the test CA's root in the system's list; nginx
/// without sites.
const HEAD: &str = r#"
cp -a /etc/nginx etc-nginx
mount -t tmpfs -o mode=755 tmpfs /etc/nginx
cp -a etc-nginx/. /etc/nginx/
rm -f /etc/nginx/sites-enabled/default
mount -t tmpfs -o mode=755 tmpfs /var/log/nginx
mount -t tmpfs -o mode=755 tmpfs /var/www
mount -t tmpfs -o mode=755 tmpfs /srv
mkdir -p /var/www/html /srv/www /etc/ssl/certs /etc/nginx/tls
echo home >/srv/www/index.html
cp root.pem /etc/ssl/certs/ca-certificates.crt
ip addr add 203.0.113.10/32 dev lo
touch resolv.conf; mount --bind resolv.conf /etc/resolv.conf
unbound_at() {
  cat >unbound-$1.conf <<END
server:
  directory: "$PWD"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  interface: 127.0.1.$1
  do-not-query-localhost: no
  module-config: "iterator"
  $2
END
  unbound -c unbound-$1.conf
}
unbound_at 1 'local-zone: "example." redirect
  local-data: "example. A 203.0.113.10"'
unbound_at 2 'local-zone: "example." static'
unbound_at 3 'local-zone: "example." redirect
  local-data: "example. A 198.51.100.9"'
unbound_at 4 'local-zone: "example." redirect
  local-data: "example. A 203.0.113.10"
  local-data: "example. AAAA 2001:db8::10"'
unbound_at 5 'local-zone: "example." redirect
  local-data: "example. A 192.0.2.2"'
resolver() { echo "nameserver 127.0.1.$1" >resolv.conf; }
resolver 1
sudo() { "$@"; }
cure() { line=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["next"][0]["command"])' "$1.out"); eval "$line" >"$1.cure" 2>&1 || { cat "$1.cure" >&2; exit 1; }; }
sick() { run "$1" doctor "$2" --json; }
# Gives a server whose processes are not known time to start or to reload.
settle() { sleep 2; }
workers() { cat "/proc/$(cat /run/nginx.pid)"/task/*/children; }
# Waits until nginx has workers: it listens before it starts them.
started() {
  for count in $(seq 100); do
    if [ -n "$(workers 2>/dev/null)" ]; then return; fi
    sleep 0.1
  done
}
# Waits until nginx has ended: it removes the file last.
stopped() {
  for count in $(seq 100); do
    if [ ! -e /run/nginx.pid ]; then return; fi
    sleep 0.1
  done
}
# Reloads nginx, and waits until only workers with the new configuration are left.
reload() {
  started; old=$(workers); nginx -s reload
  for count in $(seq 100); do
    now=" $(workers) "; left=0
    for pid in $old; do case "$now" in *" $pid "*) left=1;; esac; done
    if [ $left = 0 ] && [ "$now" != "  " ]; then return; fi
    sleep 0.1
  done
}
block() { # NAME FILE-STEM CONTENT
  cat >/etc/nginx/conf.d/$1.conf <<END
server { listen 80; server_name $1; location /.well-known/ { root /var/www/html; } location / { return 301 https://\$host\$request_uri; } }
server { listen 443 ssl; server_name $1; ssl_certificate /etc/nginx/tls/$2.crt; ssl_certificate_key /etc/nginx/tls/$2.key; $3 }
END
}
chmod 755 .
cp tls/* /etc/nginx/tls/
nginx
"#;

/// Runs the script; `None` if another user than root runs the tests.
fn machine<'a>(setup: &'a InstallSandbox, script: &str) -> Option<Machine<'a>> {
    let machine = Machine::run(&setup.sandbox, &format!("{HEAD}\n{script}"))?;
    assert_eq!(machine.script.code, 0, "{}", machine.script);
    Some(machine)
}

/// Writes a certificate and its key to tls/STEM.crt and tls/STEM.key.
fn write_certificate(setup: &InstallSandbox, stem: &str, name: &str, leaf: Leaf) {
    let sandbox = &setup.sandbox;
    std::fs::create_dir_all(sandbox.join("tls")).unwrap();
    sandbox.run(&["csr", name, "--cert-name", stem]).expect(0);
    let request = sandbox.read(&format!("{stem}.csr"));
    let mut chain = setup.ca.issue_as(&request, leaf);
    if stem != "alone" {
        chain.push_str(&setup.ca.bundle_pem());
    }
    sandbox.write(&format!("tls/{stem}.crt"), chain);
    let key = sandbox.read(&format!("{stem}.key"));
    sandbox.write_key(&format!("tls/{stem}.key"), key);
    for kind in ["csr", "key"] {
        std::fs::remove_file(sandbox.join(&format!("{stem}.{kind}"))).unwrap();
    }
}

fn expired() -> Leaf {
    let valid = Leaf::default();
    Leaf {
        not_before: support::ca::days(valid.not_before, -60),
        not_after: support::ca::days(valid.not_before, -10),
        ..valid
    }
}

/// Checks that each step has exactly this code and exit code 1.
fn assert_causes(machine: &Machine<'_>, expected: &[(&str, &str)]) {
    for (step, code) in expected {
        let document: Json = machine.step(step).expect(1).json();
        assert_eq!(document["verdict"], "sick", "{step}: {document}");
        assert_eq!(codes(&document), [*code], "{step}: {document}");
        let steps = document["findings"][0]["next"]
            .as_array()
            .map_or(0, Vec::len);
        assert!(steps >= 1, "{step} has no step: {document}");
    }
}

fn assert_healthy(machine: &Machine<'_>, steps: &[&str]) {
    for step in steps {
        let document = machine.step(step).expect(0).json();
        assert_eq!(document["verdict"], "healthy", "{step}: {document}");
        assert_eq!(codes(&document).len(), 0, "{step}: {document}");
    }
}

#[test]
fn each_broken_server_has_its_own_cause_and_commands_repair_it() {
    let setup = InstallSandbox::new();
    write_certificate(&setup, "good", "good.example", Leaf::default());
    let Some(machine) = machine(
        &setup,
        r#"
block good.example good 'root /srv/www;'
reload
run healthy doctor good.example --json
run healthy_text doctor good.example
resolver 2; sick no_address good.example
resolver 3; sick elsewhere good.example
ip addr add 2001:db8::10/128 dev lo nodad
resolver 4; sick no_ipv6 good.example
resolver 9; run dns_unchecked doctor good.example --json
resolver 1

echo 'broken;' >/etc/nginx/conf.d/broken.conf
sick broken good.example
rm /etc/nginx/conf.d/broken.conf

nginx -s stop; stopped
sick stopped good.example
cure stopped; settle
run stopped_again doctor good.example --json

nginx -s stop; stopped
python3 -m http.server --bind 203.0.113.10 443 >/dev/null 2>&1 & other=$!
sleep 1
sick taken good.example
kill $other; wait $other || true
nginx; started

mv /etc/nginx/conf.d/good.example.conf kept.conf; reload
mv kept.conf /etc/nginx/conf.d/good.example.conf
sick unloaded good.example
cure unloaded; settle
run unloaded_again doctor good.example --json

mv /etc/nginx/conf.d/good.example.conf kept.conf
echo 'server { listen 80; server_name good.example; root /srv/www; }' >/etc/nginx/conf.d/plain.conf
reload
sick without_tls good.example
echo 'server { listen 80; listen 443; server_name good.example; root /srv/www; }' >/etc/nginx/conf.d/plain.conf
reload
sick plain_at_443 good.example
mv kept.conf /etc/nginx/conf.d/good.example.conf; rm /etc/nginx/conf.d/plain.conf
reload
sick wrong_block wrong.example

sed -i '/listen 80/d' /etc/nginx/conf.d/good.example.conf; reload
sick http_closed good.example
echo 'server { listen 80; server_name good.example; root /srv/www; }' >/etc/nginx/conf.d/plain.conf; reload
sick no_redirect good.example
echo 'server { listen 80; server_name good.example; location /.well-known/ { return 200; } location / { return 301 https://$host$request_uri; } }' >/etc/nginx/conf.d/plain.conf; reload
sick swallowed good.example
rm /etc/nginx/conf.d/plain.conf
block good.example good 'ssl_reject_handshake on;'; reload
sick rejected good.example
"#,
    ) else {
        return;
    };
    assert_causes(
        &machine,
        &[
            ("no_address", "site-without-address"),
            ("elsewhere", "site-elsewhere"),
            ("no_ipv6", "address-not-served"),
            ("broken", "server-config-broken"),
            ("stopped", "server-not-running"),
            ("taken", "port-taken"),
            ("unloaded", "site-not-loaded"),
            ("without_tls", "site-without-tls"),
            ("plain_at_443", "plain-text-at-443"),
            ("wrong_block", "wrong-block-answers"),
            ("http_closed", "http-closed"),
            ("no_redirect", "no-redirect"),
            ("swallowed", "well-known-swallowed"),
            ("rejected", "handshakes-fail"),
        ],
    );
    assert_healthy(
        &machine,
        &[
            "healthy",
            "dns_unchecked",
            "stopped_again",
            "unloaded_again",
        ],
    );
    let text = machine.step("healthy_text").expect(0).stdout;
    assert!(
        text.contains("good.example resolves to 203.0.113.10 (this machine)"),
        "{text}"
    );
    assert!(
        text.contains("https://good.example at 203.0.113.10:443 works (200)"),
        "{text}"
    );
    // What this machine cannot see is listed.
    assert!(text.contains("not checked from here"), "{text}");
    let unchecked = machine.step("dns_unchecked").expect(0).json();
    assert_eq!(
        unchecked["sites"][0]["checks"][0]["state"], "unchecked",
        "{unchecked}"
    );
}

#[test]
fn each_wrong_certificate_has_its_own_cause_and_a_valid_one_here_is_used() {
    let setup = InstallSandbox::new();
    write_certificate(&setup, "good", "good.example", Leaf::default());
    write_certificate(&setup, "old", "old.example", expired());
    write_certificate(&setup, "new", "old.example", Leaf::default());
    write_certificate(&setup, "alone", "alone.example", Leaf::default());
    write_certificate(&setup, "other", "other.example", Leaf::default());
    let Some(machine) = machine(
        &setup,
        r#"
block old.example old 'root /srv/www;'
block alone.example alone 'root /srv/www;'
block name.example other 'root /srv/www;'
reload
mv /etc/nginx/tls/new.* .
sick expired old.example
sick incomplete alone.example
sick mismatch name.example

cp new.crt /etc/nginx/tls/old.crt; cp new.key /etc/nginx/tls/old.key
sick unloaded old.example
cure unloaded; settle
run unloaded_again doctor old.example --json

cp tls/old.crt tls/old.key /etc/nginx/tls/; reload
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir -p /etc/letsencrypt; mount -t tmpfs -o mode=755 tmpfs /etc/letsencrypt
mkdir -p /etc/letsencrypt/live/old.example
cp new.crt /etc/letsencrypt/live/old.example/fullchain.pem
cp new.key /etc/letsencrypt/live/old.example/privkey.pem; chmod 600 /etc/letsencrypt/live/old.example/privkey.pem
sick elsewhere old.example
cure elsewhere; settle
run elsewhere_again doctor old.example --json
"#,
    ) else {
        return;
    };
    assert_causes(
        &machine,
        &[
            ("expired", "expired"),
            ("incomplete", "unknown-issuer"),
            ("mismatch", "host-not-covered"),
            ("unloaded", "certificate-not-loaded"),
            ("elsewhere", "valid-certificate-unused"),
        ],
    );
    assert_healthy(&machine, &["unloaded_again", "elsewhere_again"]);
}

#[test]
fn each_page_that_fails_has_its_own_cause_and_commands_repair_it() {
    let setup = InstallSandbox::new();
    write_certificate(&setup, "good", "good.example", Leaf::default());
    let Some(machine) = machine(
        &setup,
        r#"
mkdir -p /etc/supervisor/conf.d /run/app
mount -t tmpfs -o mode=755 tmpfs /etc/supervisor
mkdir -p /etc/supervisor/conf.d
site() { block good.example good "$1"; reload; }

site 'location / { proxy_pass http://127.0.0.1:8000; }'
sick closed good.example
cat >/etc/supervisor/supervisord.conf <<END
[unix_http_server]
file=/run/supervisor.sock
[supervisord]
logfile=/run/supervisord.log
pidfile=/run/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix:///run/supervisor.sock
[include]
files = /etc/supervisor/conf.d/*.conf
END
cat >/etc/supervisor/conf.d/app.conf <<END
[program:app]
command=$(command -v python3) -c "import http.server as h; h.test(HandlerClass=h.SimpleHTTPRequestHandler, bind='127.0.0.1', port=int('127.0.0.1:8000'.split(':')[1]))"
directory=/srv/www
autostart=false
END
supervisord -c /etc/supervisor/supervisord.conf
sick supervised good.example
cure supervised; sleep 2
run supervised_again doctor good.example --json
supervisorctl -c /etc/supervisor/supervisord.conf shutdown >/dev/null

site 'location / { proxy_pass http://unix:/run/app/app.sock; }'
sick missing good.example
cat >app.py <<'END'
import http.server, os, socket, socketserver, sys
path = sys.argv[1]
class Server(socketserver.UnixStreamServer):
    def get_request(self):
        request, _ = super().get_request()
        return request, ("local", 0)
os.chdir("/srv/www")
os.umask(0o177)
Server(path, http.server.SimpleHTTPRequestHandler).serve_forever()
END
python3 app.py /run/app/app.sock >/dev/null 2>&1 & app=$!
for count in $(seq 100); do [ -S /run/app/app.sock ] && break; sleep 0.1; done
sick denied good.example
cure denied
run denied_again doctor good.example --json
kill $app; wait $app || true
sick dead good.example

site 'root /srv/www;'
chmod 700 /srv/www
sick unreadable good.example
cure unreadable
run unreadable_again doctor good.example --json
mv /srv/www/index.html /srv/www/page.html
sick no_index good.example
mv /srv/www /srv/moved
sick no_folder good.example
mv /srv/moved /srv/www; mv /srv/www/page.html /srv/www/index.html
site 'location / { return 301 https://good.example/; }'
sick looping good.example
site 'location / { return 500; }'
sick failing good.example
"#,
    ) else {
        return;
    };
    assert_causes(
        &machine,
        &[
            ("closed", "upstream-closed"),
            ("supervised", "upstream-closed"),
            ("missing", "socket-missing"),
            ("denied", "socket-denied"),
            ("dead", "socket-dead"),
            ("unreadable", "files-denied"),
            ("no_index", "index-missing"),
            ("no_folder", "folder-of-site-missing"),
            ("looping", "redirect-loop"),
            ("failing", "site-failed"),
        ],
    );
    assert_healthy(
        &machine,
        &["supervised_again", "denied_again", "unreadable_again"],
    );
}

#[test]
fn a_site_on_another_machine_is_checked_from_here() {
    let setup = InstallSandbox::new();
    write_certificate(&setup, "far", "far.example", Leaf::default());
    write_certificate(&setup, "old", "far.example", expired());
    let Some(machine) = machine(
        &setup,
        r#"
nginx -s stop; stopped
ip netns add far
ip link add v0 type veth peer name v1 netns far
ip addr add 192.0.2.1/24 dev v0; ip link set v0 up
ip -n far addr add 192.0.2.2/24 dev v1; ip -n far link set v1 up; ip -n far link set lo up
cat >far.py <<'END'
import http.server, ssl, sys, threading
class Plain(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(301)
        self.send_header("Location", "https://far.example" + self.path)
        self.end_headers()
class Files(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args):
        super().__init__(*args, directory="/srv/www")
plain = http.server.ThreadingHTTPServer(("192.0.2.2", 80), Plain)
threading.Thread(target=plain.serve_forever).start()
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(f"tls/{sys.argv[1]}.crt", f"tls/{sys.argv[1]}.key")
server = http.server.ThreadingHTTPServer(("192.0.2.2", 443), Files)
server.socket = tls.wrap_socket(server.socket, server_side=True)
server.serve_forever()
END
resolver 5
ip netns exec far python3 far.py far >/dev/null 2>&1 & far=$!
sleep 2
run far doctor far.example --json
run far_text doctor far.example
kill -9 $far; wait $far || true
ip netns exec far python3 far.py old >/dev/null 2>&1 & far=$!
sleep 2
sick expired far.example
kill -9 $far; wait $far || true
# A server of this machine has the name, and may be behind a router with that address.
block far.example far 'root /srv/www;'; nginx; started
run behind_router doctor far.example --json
"#,
    ) else {
        return;
    };
    assert_healthy(&machine, &["far"]);
    let text = machine.step("far_text").expect(0).stdout;
    assert!(text.contains("they are on another machine"), "{text}");
    assert!(text.contains("192.0.2.2:443: valid certificate"), "{text}");
    assert_causes(&machine, &[("expired", "expired")]);
    assert_healthy(&machine, &["behind_router"]);
    let behind = machine.step("behind_router").expect(0).json();
    let dns = &behind["sites"][0]["checks"][0];
    assert_eq!(dns["state"], "unchecked", "{behind}");
}

#[test]
fn haproxys_old_combined_file_is_replaced_by_a_valid_certificate() {
    let setup = InstallSandbox::new();
    write_certificate(&setup, "old", "old.example", expired());
    write_certificate(&setup, "new", "old.example", Leaf::default());
    let Some(machine) = machine(
        &setup,
        r#"
nginx -s stop; stopped
python3 -m http.server --directory /srv/www --bind 127.0.0.1 8000 >/dev/null 2>&1 &
mkdir -p /etc/haproxy /etc/letsencrypt
mount -t tmpfs -o mode=755 tmpfs /etc/haproxy
mount -t tmpfs -o mode=755 tmpfs /etc/letsencrypt
cat tls/old.crt tls/old.key >/etc/haproxy/site.pem; chmod 600 /etc/haproxy/site.pem
cat >/etc/haproxy/haproxy.cfg <<'END'
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend plain
  bind 203.0.113.10:80
  http-request return status 404 if { path_beg /.well-known/ }
  http-request redirect scheme https
frontend web
  bind 203.0.113.10:443 ssl crt /etc/haproxy/site.pem
  default_backend app
backend app
  server one 127.0.0.1:8000
END
haproxy -W -D -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid
sleep 1
sick expired old.example
mkdir -p /etc/letsencrypt/live/old.example
cp tls/new.crt /etc/letsencrypt/live/old.example/fullchain.pem
cp tls/new.key /etc/letsencrypt/live/old.example/privkey.pem
chmod 600 /etc/letsencrypt/live/old.example/privkey.pem
sick combined old.example
cure combined; settle
run combined_again doctor old.example --json
"#,
    ) else {
        return;
    };
    assert_causes(
        &machine,
        &[
            ("expired", "expired"),
            ("combined", "valid-certificate-unused"),
        ],
    );
    assert_healthy(&machine, &["combined_again"]);
}

#[test]
fn without_a_site_or_with_a_wrong_name_it_says_what_to_type() {
    let setup = InstallSandbox::new();
    setup.sandbox.run(&["doctor", "a..b"]).expect(2);
}

#[test]
fn a_tree_is_not_this_machine() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.join("tree")).unwrap();
    let refused = sandbox.run(&["--root", "tree", "doctor", "good.example"]);
    let text = refused.expect(2).stderr;
    assert!(text.contains("so it has no `--root`"), "{text}");
}
