//! The text of the commands that need a CA, a DNS provider or a web server of their own, at 80 and at
//! 120 columns and in several languages: `order`, `account`, `revoke`, `renew`, `import`,
//! `dcv-publish`, `site` and `doctor`. The CA is a stub in this process; nginx and the resolver are
//! real. `site` and `doctor` need root.
//! Needs: ip knotd nginx unbound
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::Sandbox;
use support::dns::NameServer;
use support::install_sandbox::InstallSandbox;
use support::layout::{Pages, Stage};
use support::machine::Machine;
use support::stub_ca::{StubBehaviour, StubCa, problem};

/// The words of an order from the CA at `directory`, for a name that nothing resolves.
fn order_words(directory: &str) -> Vec<&str> {
    let words = ["order", "shop.example", "--root", "tree", "--webroot"];
    let unchecked = ["webroot", "--allow", "challenge-file-unchecked"];
    let at = ["--resolver", "127.0.0.1:9", "--agree-tos", "--no-install"];
    let ca = ["--trust", "root.pem", "--ca", directory];
    [&words[..], &unchecked, &at, &ca].concat()
}

#[test]
fn orders_and_accounts() {
    let (mut order, mut account, mut revoke) =
        (Pages::default(), Pages::default(), Pages::default());
    let sandbox = Sandbox::new();
    let ca = StubCa::start(StubBehaviour::default());
    std::fs::create_dir_all(sandbox.join("webroot")).unwrap();
    sandbox.write("root.pem", ca.authority.root_pem());
    let directory = ca.directory();
    let words = order_words(&directory);
    let at = ["--root", "tree", "--ca", &directory, "--trust", "root.pem"];
    let account_words = |action: &'static str| [&["account", action][..], &at].concat();

    let stage = Stage::new(&sandbox);
    let without_method = [
        "order",
        "shop.example",
        "--root",
        "tree",
        "--ca",
        "letsencrypt",
    ];
    stage.check(&mut order, &without_method, 3);
    let charged = [&without_method[..5], &["sectigo", "--standalone"]].concat();
    stage.check(&mut order, &charged, 3);
    stage.check(&mut order, &[&words[..], &["--dry-run"]].concat(), 0);
    stage.check(&mut order, &words, 0);
    stage.check(&mut account, &account_words("list"), 0);
    stage.check(&mut account, &account_words("show"), 3);
    let refusal = problem(403, "rejectedIdentifier", "the policy forbids shop.example");
    ca.behave(StubBehaviour::replying("/order", refusal));
    stage.check(&mut order, &words, 3);
    ca.behave(StubBehaviour::default());
    order.compare("order");

    sandbox.run(&words).expect(0);
    let stage = Stage::new(&sandbox);
    stage.check(&mut account, &account_words("list"), 0);
    let rollover = [&account_words("rollover")[..], &["--dry-run"]].concat();
    stage.check(&mut account, &rollover, 0);
    account.compare("account");

    let replaced = ["revoke", "shop.example", "--replaced", "--root", "tree"];
    stage.check(&mut revoke, &replaced, 3);
    let unknown = [
        "revoke",
        "shop.example",
        "--serial",
        "00:01",
        "--root",
        "tree",
    ];
    stage.check(&mut revoke, &unknown, 3);
    revoke.compare("revoke");
}

#[test]
fn takeovers_and_publications() {
    let (mut import, mut publish) = (Pages::default(), Pages::default());
    let sandbox = Sandbox::new();
    let stage = Stage::new(&sandbox);
    stage.check(&mut import, &["import", "certbot", "--root", "tree"], 3);
    import.compare("import");

    sandbox
        .run(&["csr", "shop.example", "--ca", "namecheap"])
        .expect(0);
    let request = sandbox.run(&["inspect", "shop.example.csr", "--json"]);
    let request = request.expect(0).json();
    let item = &request["items"][0];
    let text = |field: &str| item[field].as_str().unwrap().to_owned();
    let (md5, sha256) = (text("md5"), text("sha256"));
    let (first, second) = sha256.split_at(32);
    let record = format!("_{md5}.shop.example {first}.{second}.69ff68dc5168c.comodoca.com");
    // A program that publishes nothing.
    sandbox.write("publish.sh", "#!/bin/sh\nexit 0\n");
    let script = sandbox.join("publish.sh");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).unwrap();
    let program = format!("exec:{}", script.display());
    let server = NameServer::knot("");
    let at = server.at();
    let stage = Stage::new(&sandbox);
    let begin = ["dcv-publish", "shop.example"];
    stage.check(&mut publish, &begin, 3);
    stage.check(
        &mut publish,
        &[&begin[..], &["--dns", "alidns"]].concat(),
        3,
    );
    let more = ["--dns", &program, "--record", &record, "--resolver", &at];
    let planned = [&begin[..], &more, &["--dry-run"]].concat();
    stage.check(&mut publish, &planned, 0);
    publish.compare("dcv_publish");
}

/// nginx on a machine of its own, and a resolver that leads every name below `example` to it. `shown
/// NAME ARGS` runs a command at both widths and in other languages; `RESET` is run before each.
const HEAD: &str = r#"
cp -a /etc/nginx etc-nginx
mount -t tmpfs -o mode=755 tmpfs /etc/nginx
cp -a etc-nginx/. /etc/nginx/
rm -f /etc/nginx/sites-enabled/default
mount -t tmpfs -o mode=755 tmpfs /var/log/nginx
mount -t tmpfs -o mode=755 tmpfs /var/www
mount -t tmpfs -o mode=755 tmpfs /srv
mkdir -p /var/www/html /srv/www
echo home >/srv/www/index.html
ip addr add 203.0.113.10/32 dev lo
cat >unbound.conf <<END
server:
  directory: "$PWD"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  interface: 127.0.1.1
  module-config: "iterator"
  local-zone: "com." redirect
  local-data: "com. A 203.0.113.10"
END
unbound -c unbound.conf
echo 'nameserver 127.0.1.1' >resolv.conf; mount --bind resolv.conf /etc/resolv.conf
chmod 755 .
nginx
one() { name=$1; shift; eval "$RESET"; run $name "$@"; }
shown() {
  page=$1; shift
  for width in 80 120; do COLUMNS=$width; export COLUMNS; one $page-$width "$@"; done
  COLUMNS=80; LANG=de_DE.UTF-8; export COLUMNS LANG; one $page-de "$@"
  LANG=zh_CN.UTF-8; one $page-zh "$@"
  unset LANG; LC_ALL=C; export LC_ALL; one $page-c "$@"; unset LC_ALL
}
RESET=true
"#;

/// The text without the line about the packet filter, which depends on the machine. Its label is moved
/// to the next line, if that has none.
fn without_firewall(text: &str) -> String {
    let mut out = String::new();
    let mut label = None;
    for line in text.lines() {
        if line.contains("the firewall") {
            label = line.get(..8);
            continue;
        }
        match label.take() {
            Some(label) if line.starts_with("        ") => {
                out.push_str(label);
                out.push_str(&line[8..]);
            }
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[test]
fn sites_and_their_diagnoses() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let script = r#"
set -- site example.com --static /srv/www
shown planned "$@" --dry-run
certctl install new.crt --trust root.pem >/dev/null 2>&1 || [ $? = 1 ]
RESET='certctl site example.com --remove >/dev/null 2>&1 || true'
shown created "$@"
RESET=true
shown again "$@"
certctl install example.com >/dev/null 2>&1
shown healthy doctor example.com
RESET='certctl site example.com --static /srv/www >/dev/null 2>&1 || true'
shown removed site example.com --remove
RESET=true
cat >/etc/nginx/conf.d/own.conf <<END
server { listen 80; listen 443 ssl; server_name example.com www.example.com; root /srv/www;
ssl_certificate /etc/ssl/example.com.fullchain.pem; ssl_certificate_key /etc/ssl/private/example.com.key; }
END
nginx -s reload; sleep 1
shown taken "$@"
shown sick doctor
"#;
    let Some(machine) = Machine::run(&setup.sandbox, &format!("{HEAD}\n{script}")) else {
        return;
    };
    assert_eq!(machine.script.code, 0, "{}", machine.script);
    let (mut site, mut doctor) = (Pages::default(), Pages::default());
    let add = |pages: &mut Pages, name: &str, line: &str, code: i32| {
        let run = |variant: &str| {
            let run = machine.step(&format!("{name}-{variant}")).expect(code);
            let text = without_firewall(&run.stdout);
            run.with_stdout(text)
        };
        let others = ["de", "zh", "c"].map(run);
        pages.add(line, [&run("80"), &run("120")], &others);
    };
    let line = "site example.com --static /srv/www";
    add(&mut site, "planned", &format!("{line} --dry-run"), 0);
    add(&mut site, "created", line, 0);
    add(&mut site, "again", line, 0);
    add(&mut site, "removed", "site example.com --remove", 0);
    add(&mut site, "taken", line, 1);
    site.compare("site");
    add(&mut doctor, "healthy", "doctor example.com", 0);
    add(&mut doctor, "sick", "doctor", 1);
    doctor.compare("doctor");
}
