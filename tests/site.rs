//! `certctl site` with a real nginx on a machine of its own: the block is written, tested, reloaded
//! and verified, or everything is as it was before. Needs root.
//! Needs: nginx
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::net::UnixDatagram;

use support::install_sandbox::{InstallSandbox, codes};
use support::machine::Machine;

/// A Debian nginx with its own configuration folder, running with the distribution's default site;
/// `application` starts a server that answers every request.
const HEAD: &str = r#"
cp -a /etc/nginx etc-nginx
mount -t tmpfs -o mode=755 tmpfs /etc/nginx
cp -a etc-nginx/. /etc/nginx/
mount -t tmpfs -o mode=755 tmpfs /var/log/nginx
mount -t tmpfs -o mode=755 tmpfs /var/www
mkdir -p /var/www/html
state() { (cd /etc; find nginx ssl -type f -exec sha256sum {} + ; find nginx ssl -type l -printf '%p %l\n') | grep -v certctl/.lock | sort >"$1"; }
page() { curl -sk --max-time 5 --resolve "$1:443:127.0.0.1" -o "$2" -w '%{http_code}\n' "https://$1/"; }
# Waits until no worker with the old configuration answers over https.
gone() { for count in $(seq 100); do code=$(page "$1" x || true); if [ "$code" = 000 ]; then break; fi; sleep 0.1; done; echo "$code" >"$2"; }
application() {
  mkdir -p app; echo hello >app/index.html
  python3 -m http.server --directory app --bind 127.0.0.1 8000 >/dev/null 2>&1 &
  for count in $(seq 100); do curl -s -o /dev/null http://127.0.0.1:8000/ && return; sleep 0.1; done
  return 1
}
nginx
"#;

/// Runs the script; `None` if another user than root runs the tests.
fn machine<'a>(setup: &'a InstallSandbox, script: &str) -> Option<Machine<'a>> {
    let machine = Machine::run(&setup.sandbox, &format!("{HEAD}\n{script}"))?;
    assert_eq!(machine.script.code, 0, "{}", machine.script);
    Some(machine)
}

#[test]
fn a_site_gets_a_placeholder_then_the_certificate_and_is_removed_without_a_trace() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let journal = UnixDatagram::bind(setup.sandbox.join("journal")).unwrap();
    journal.set_nonblocking(true).unwrap();
    let Some(machine) = machine(
        &setup,
        r#"
mkdir -p /run/systemd/journal; touch /run/systemd/journal/socket
mount --bind journal /run/systemd/journal/socket
state before
application
run planned site example.com --upstream http://127.0.0.1:8000 --dry-run --json
state planned-state; cmp before planned-state
run created site example.com --upstream http://127.0.0.1:8000 --json
page example.com body >code
curl -s -o /dev/null -w '%{http_code} %{redirect_url}\n' --resolve example.com:80:127.0.0.1 http://example.com/x >redirect
mkdir -p /var/www/html/.well-known/acme-challenge; echo token >/var/www/html/.well-known/acme-challenge/t
curl -s --resolve example.com:80:127.0.0.1 http://example.com/.well-known/acme-challenge/t >challenge
state created-state
run again site example.com --upstream http://127.0.0.1:8000 --json
state again-state; cmp created-state again-state
run removed site example.com --remove --json
state removed-state; cmp before removed-state
run gone site example.com --remove --json
run placeholder site example.com --upstream http://127.0.0.1:8000 --json
run installed install new.crt --trust root.pem --json
run after site example.com --upstream http://127.0.0.1:8000
"#,
    ) else {
        return;
    };
    let json = |step: &str, code: i32| machine.step(step).expect(code).json();
    let planned = json("planned", 0);
    assert_eq!(planned["verdict"], "planned", "{planned}");
    assert_eq!(planned["would_change"], true, "{planned}");
    assert!(
        planned["files"]
            .to_string()
            .contains("proxy_pass http://127.0.0.1:8000;")
    );

    let created = json("created", 0);
    assert_eq!(created["verdict"], "live", "{created}");
    assert_eq!(codes(&created), ["placeholder"], "{created}");
    assert_eq!(
        created["files"][0]["path"],
        "/etc/nginx/sites-available/example.com"
    );
    assert_eq!(
        created["files"][1]["path"],
        "/etc/nginx/sites-enabled/example.com"
    );
    assert_eq!(
        created["probes"][0]["sha256"], created["sha256"],
        "{created}"
    );
    assert!(
        created["next"]
            .to_string()
            .contains("certctl order example.com www.example.com")
    );
    assert_eq!(setup.sandbox.read("code"), "200\n");
    assert_eq!(setup.sandbox.read("body"), "hello\n");
    assert_eq!(
        setup.sandbox.read("redirect"),
        "301 https://example.com/x\n"
    );
    assert_eq!(setup.sandbox.read("challenge"), "token\n");

    let again = json("again", 0);
    assert_eq!(again["verdict"], "unchanged", "{again}");
    assert_eq!(again["changed"], false, "{again}");
    assert_eq!(json("removed", 0)["verdict"], "removed");
    assert_eq!(json("gone", 0)["verdict"], "unchanged");

    assert_eq!(json("placeholder", 0)["verdict"], "live");
    assert_eq!(json("installed", 0)["verdict"], "live");
    let after = machine.step("after").expect(0);
    assert!(
        after.stdout.contains("https://example.com is up to date"),
        "{after}"
    );
    assert!(!after.stdout.contains("placeholder"), "{after}");

    // One line for each change; none for a dry run and for what was unchanged.
    let mut buffer = [0; 1 << 16];
    let mut results = Vec::new();
    while let Ok(length) = journal.recv(&mut buffer) {
        let entry = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if entry.contains("change-site") {
            let words = ["live", "removed"].map(|word| entry.contains(&format!("={word}")));
            results.push(words);
        }
    }
    assert_eq!(results, [[true, false], [false, true], [true, false]]);
}

#[test]
fn what_fails_leaves_the_machine_as_it_was() {
    let setup = InstallSandbox::new();
    let Some(machine) = machine(
        &setup,
        r#"
state before
run closed site example.com --upstream http://127.0.0.1:8000 --json
state now; cmp before now
mkdir empty; chmod 755 .
run empty site example.com --static empty --json
state now; cmp before now
run empty_text site example.com --static empty
state now; cmp before now
mkdir files; echo page >files/index.html; chmod 700 files
run unreadable site example.com --static files --json
state now; cmp before now
run unresolved site example.com --upstream http://app.invalid:8000 --json
state now; cmp before now
run unresolved_text site example.com --upstream http://app.invalid:8000
state now; cmp before now
chmod 755 files
echo 'server { listen 80; server_name example.com; root /var/www/html; }' >/etc/nginx/conf.d/own.conf
state before
run served site example.com --static files --json
state now; cmp before now
chmod 640 /etc/nginx/conf.d/own.conf
echo home >/var/www/html/index.html
run adopt_plan site example.com --adopt --dry-run --json
run adopted site example.com --adopt --json
page example.com adopted_body >adopted_code
stat -c %a /etc/nginx/conf.d/own.conf >mode
state before
run adopted_again site example.com --adopt --json
state now; cmp before now
cp /etc/nginx/conf.d/own.conf adopted.conf
sed -i 's/listen 443/listen 8443/' /etc/nginx/conf.d/own.conf
run adopted_edited site example.com --remove --json
cp adopted.conf /etc/nginx/conf.d/own.conf
run undone site example.com --remove --json
cat /etc/nginx/conf.d/own.conf >undone.conf
gone example.com undone_code
sed -i 's/example.com/example.com more.example/' /etc/nginx/conf.d/own.conf
nginx -s reload
state before
run uncovered site example.com --adopt --json
run uncovered_plan site example.com --adopt --dry-run --json
state now; cmp before now
rm /etc/nginx/conf.d/own.conf
nginx -s reload
state before
run nothing site example.com --adopt --json
state now; cmp before now
certctl install --placeholder other.example || true
printf 'server { listen 443 ssl; server_name other.example; ssl_certificate /etc/ssl/other.example.fullchain.pem; ssl_certificate_key /etc/ssl/private/other.example.key; root /var/www/html; }' >/etc/nginx/sites-enabled/other.example
nginx -s reload
state before
run default site example.com --static files --json
state now; cmp before now
sed -i 's/443 ssl;/443 ssl default_server;/' /etc/nginx/sites-enabled/other.example
run fine site example.com --static files
echo '# by hand' >>/etc/nginx/sites-available/example.com
state before
run edited site example.com --static /var/www/html --json
run kept site example.com --remove --json
state now; cmp before now
"#,
    ) else {
        return;
    };
    let json = |step: &str, code: i32| machine.step(step).expect(code).json();
    for (step, code, verdict, finding) in [
        ("closed", 1, "refused", "upstream-closed"),
        ("empty", 5, "rolled-back", "site-failed"),
        ("unreadable", 5, "rolled-back", "site-failed"),
        ("unresolved", 5, "rolled-back", "test-failed"),
        ("served", 1, "refused", "name-already-served"),
        ("default", 5, "rolled-back", "default-block-changed"),
        ("adopted_edited", 1, "refused", "site-file-edited"),
        ("uncovered", 1, "refused", "names-not-covered"),
        ("uncovered_plan", 1, "refused", "names-not-covered"),
        ("nothing", 1, "refused", "nothing-to-adopt"),
        ("edited", 1, "refused", "site-file-edited"),
        ("kept", 1, "refused", "site-file-edited"),
    ] {
        let document = json(step, code);
        assert_eq!(document["verdict"], verdict, "{step}: {document}");
        assert_eq!(document["changed"], false, "{step}: {document}");
        assert_eq!(codes(&document), [finding], "{step}: {document}");
    }
    let served = json("served", 1);
    let lines = served["findings"][0]["next"][0]["lines"].to_string();
    assert!(lines.contains("listen 443 ssl;"), "{served}");
    assert!(
        lines.contains("ssl_certificate /etc/ssl/example.com.fullchain.pem;"),
        "{served}"
    );
    assert_eq!(json("adopt_plan", 0)["verdict"], "planned");
    let adopted = json("adopted", 0);
    assert_eq!(adopted["verdict"], "live", "{adopted}");
    assert_eq!(adopted["files"][0]["action"], "replace", "{adopted}");
    assert_eq!(json("adopted_again", 0)["verdict"], "unchanged");
    assert_eq!(
        adopted["undo"][0]["argv"].to_string(),
        r#"["certctl","site","example.com","--remove"]"#
    );
    let undone = json("undone", 0);
    assert_eq!(undone["verdict"], "removed", "{undone}");
    assert_eq!(undone["files"][0]["action"], "replace", "{undone}");
    assert_eq!(
        setup.sandbox.read("undone.conf"),
        "server { listen 80; server_name example.com; root /var/www/html; }\n"
    );
    assert_eq!(setup.sandbox.read("undone_code"), "000\n");

    // After a rollback, the previous site was asked again: the default site at port 80.
    let empty = json("empty", 5);
    assert_eq!(empty["pages"][0]["url"], "http://example.com/", "{empty}");
    assert_eq!(empty["pages"][0]["status"], 403, "{empty}");
    let text = machine.step("unresolved_text").expect(5).stdout;
    assert!(
        text.contains("the server never loaded the new ones"),
        "{text}"
    );
    let text = machine.step("empty_text").expect(5).stdout;
    assert!(
        text.contains("probed again: http://example.com/ answers 403"),
        "{text}"
    );
    assert_eq!(setup.sandbox.read("adopted_code"), "200\n");
    assert_eq!(setup.sandbox.read("adopted_body"), "home\n");
    assert_eq!(setup.sandbox.read("mode"), "640\n");
    machine.step("fine").expect(0);
}

#[test]
fn a_killed_site_is_finished_by_the_same_command_and_an_interrupted_one_is_logged() {
    let setup = InstallSandbox::new();
    let journal = UnixDatagram::bind(setup.sandbox.join("journal")).unwrap();
    journal.set_nonblocking(true).unwrap();
    let Some(machine) = machine(
        &setup,
        r#"
mkdir -p /run/systemd/journal; touch /run/systemd/journal/socket
mount --bind journal /run/systemd/journal/socket
mkdir files; echo page >files/index.html; chmod 755 . files
enabled=/etc/nginx/sites-enabled/example.com
# Sends a signal as soon as the link exists; keeps the exit code.
stop_at_write() {
  "$CERTCTL" site example.com --static files >stopped.out 2>stopped.err & pid=$!
  while [ ! -h $enabled ] && kill -0 $pid 2>/dev/null; do :; done
  kill -$1 $pid 2>/dev/null || true
  code=0; wait $pid || code=$?; echo $code >stopped_code
}
for count in $(seq 20); do
  stop_at_write TERM
  if [ "$(cat stopped_code)" = 143 ]; then break; fi
  "$CERTCTL" site example.com --remove
done
test ! -e $enabled
test ! -e /etc/ssl/example.com.fullchain.pem
cp stopped.err interrupted.err
for count in $(seq 20); do
  stop_at_write KILL
  if [ "$(page example.com x || true)" = 000 ]; then break; fi
  "$CERTCTL" site example.com --remove
done
test -e $enabled
run finished site example.com --static files --json
page example.com finished_body >finished_code
for count in $(seq 20); do
  "$CERTCTL" site example.com --remove >/dev/null 2>&1 & pid=$!
  while [ -e /etc/nginx/sites-available/example.com ] && kill -0 $pid 2>/dev/null; do :; done
  kill -KILL $pid 2>/dev/null || true
  wait $pid || true
  if [ "$(page example.com x || true)" = 200 ]; then break; fi
  "$CERTCTL" site example.com --static files
done
test ! -e /etc/nginx/sites-available/example.com
run removed site example.com --remove --json
gone example.com removed_code
"#,
    ) else {
        return;
    };
    assert_eq!(setup.sandbox.read("stopped_code"), "137\n");
    let interrupted = setup.sandbox.read("interrupted.err");
    assert!(interrupted.contains("as they were before"), "{interrupted}");
    let finished = machine.step("finished").expect(0).json();
    assert_eq!(finished["verdict"], "live", "{finished}");
    assert_eq!(setup.sandbox.read("finished_code"), "200\n");
    assert_eq!(setup.sandbox.read("finished_body"), "page\n");
    let removed = machine.step("removed").expect(0).json();
    assert_eq!(removed["verdict"], "removed", "{removed}");
    assert_eq!(setup.sandbox.read("removed_code"), "000\n");
    let mut buffer = [0; 1 << 16];
    let mut interrupted = 0;
    while let Ok(length) = journal.recv(&mut buffer) {
        let entry = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if entry.contains("change-site") && entry.contains("=rolled-back") {
            interrupted += 1;
        }
    }
    assert!(interrupted >= 1, "no line for the interrupted site");
}

#[test]
fn a_killed_site_that_fails_when_it_is_resumed_leaves_nothing_behind() {
    let setup = InstallSandbox::new();
    let Some(machine) = machine(
        &setup,
        r#"
mkdir files; echo page >files/index.html; chmod 755 . files
enabled=/etc/nginx/sites-enabled/example.com
records=/var/lib/certctl/unfinished-sites
state before
# Killed once the link exists. If certctl was faster, everything is removed and tried again.
for count in $(seq 50); do
  "$CERTCTL" site example.com --static files >killed.out 2>&1 & pid=$!
  while [ ! -h $enabled ] && kill -0 $pid 2>/dev/null; do :; done
  kill -KILL $pid 2>/dev/null || true
  wait $pid || true
  if [ -n "$(ls $records)" ]; then break; fi
  "$CERTCTL" site example.com --remove
done
test -h $enabled
test -n "$(ls $records)"
chmod 700 files
run resumed site example.com --static files --json
state now; cmp before now
test -z "$(ls $records)"
gone example.com code
chmod 755 files
run again site example.com --static files --json
test -z "$(ls $records)"
"#,
    ) else {
        return;
    };
    let resumed = machine.step("resumed").expect(5).json();
    assert_eq!(resumed["verdict"], "rolled-back", "{resumed}");
    assert_eq!(setup.sandbox.read("code"), "000\n");
    assert_eq!(machine.step("again").expect(0).json()["verdict"], "live");
}

#[test]
fn what_nothing_can_be_made_of_is_refused() {
    let setup = InstallSandbox::new();
    let run = |words: &[&str], code: i32| setup.sandbox.run(words).expect(code);
    run(&["site", "example.com"], 2);
    run(&["site", "example.com", "--upstream", "127.0.0.1:8000"], 2);
    run(&["site", "example.com", "--static", "missing"], 3);
    run(&["site", "example.com", "--venv"], 2);
    run(&["site", "example.com", "--app", "a:b"], 2);
    run(&["site", "example.com", "--app", "missing"], 3);
    run(&["site", "example.com", "--app", ".", "--static", "."], 2);
    setup.sandbox.write("README", "no application");
    let nothing = run(&["site", "example.com", "--app", "."], 3);
    assert!(
        nothing.stderr.contains("no Python application"),
        "{nothing}"
    );
    let source = "from flask import Flask\na = Flask(__name__)\nb = Flask(__name__)\n";
    setup.sandbox.write("shop.py", source);
    let several = run(&["site", "example.com", "--app", "."], 3);
    for object in ["shop:a", "shop:b"] {
        assert!(several.stderr.contains(object), "{several}");
    }
    run(&["site", "example.com", "--remove", "--static", "."], 2);
    run(
        &["site", "example.com", "--static", ".", "--root", "tree"],
        2,
    );
    run(&["site", "a..b", "--static", "."], 2);
}
