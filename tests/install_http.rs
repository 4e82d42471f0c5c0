//! `certctl install` asks the site for its home page before and after the switch: what it answers is
//! reported, a new error makes the install incomplete, and nothing is rolled back. Changes to the
//! configuration that the reload activates are reported beforehand.
//! Needs: apache2 haproxy ip mount nginx unshare
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use support::Run;
use support::apache::Apache;
use support::haproxy::Haproxy;
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, codes};
use support::json::Json;
use support::namespace::in_mount;
use support::nginx::{Nginx, free_port, write_config};

const BOTH: &str = "tree/etc/ssl/private/example.com.pem";

/// A server of any kind that runs until this is dropped.
enum Server {
    Apache(Apache),
    Haproxy(Haproxy),
    Nginx(Nginx),
}

/// A site whose configuration has words for its ports and files: `PORT`, `CLOSED` (nothing listens
/// there), `CHAIN`, `KEY`, `BOTH`.
struct WebSite {
    setup: InstallSandbox,
    server: Server,
    port: u16,
    closed: u16,
}

impl WebSite {
    /// Starts the server without the site; it reads `text` at the next reload.
    fn new(kind: &str, text: &str) -> Self {
        let setup = InstallSandbox::new();
        let folder = setup.sandbox.join(kind);
        let other = free_port();
        let server = match kind {
            "apache" => {
                Server::Apache(Apache::start(&folder, &format!("Listen 127.0.0.1:{other}")))
            }
            "haproxy" => Server::Haproxy(Haproxy::start(
                &folder,
                &format!("frontend f\n    bind 127.0.0.1:{other}\n"),
            )),
            _ => Server::Nginx(Nginx::start(&folder, "")),
        };
        let site = Self {
            setup,
            server,
            port: free_port(),
            closed: free_port(),
        };
        site.rewrite(text);
        site
    }

    fn rewrite(&self, text: &str) {
        let path = |path: &str| self.setup.sandbox.join(path).display().to_string();
        let text = text
            .replace("PORT", &self.port.to_string())
            .replace("CLOSED", &self.closed.to_string())
            .replace("CHAIN", &path(CHAIN))
            .replace("KEY", &path(KEY))
            .replace("BOTH", &path(BOTH));
        match &self.server {
            Server::Apache(apache) => apache.rewrite(&text),
            Server::Haproxy(haproxy) => haproxy.rewrite(&text),
            Server::Nginx(nginx) => nginx.rewrite(&text),
        }
    }

    fn flags(&self) -> [String; 4] {
        let (name, config) = match &self.server {
            Server::Apache(apache) => ("apache", apache.config()),
            Server::Haproxy(haproxy) => ("haproxy", haproxy.config()),
            Server::Nginx(nginx) => ("nginx", nginx.config()),
        };
        [
            "--server",
            name,
            "--server-config",
            &config.display().to_string(),
        ]
        .map(str::to_owned)
    }

    fn renew_and_install(&self, more: &[&str]) -> Run {
        let flags = self.flags();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        self.setup.renew_and_install(&[&flags[..], more].concat())
    }

    fn again(&self, more: &[&str]) -> Run {
        self.setup.install("new.crt", more)
    }
}

fn finding<'a>(run: &'a Json, code: &str) -> &'a Json {
    let findings = run["findings"].as_array().unwrap();
    let found = findings.iter().find(|one| one["code"] == code);
    found.unwrap_or_else(|| panic!("no {code}: {run}"))
}

/// Waits until files that are written now are newer than the workers of a server, beyond the
/// accuracy with which both are compared.
fn let_time_pass() {
    std::thread::sleep(Duration::from_millis(500));
}

/// An nginx block with these directives.
fn nginx_site(directives: &str) -> String {
    format!(
        "server {{ listen 127.0.0.1:PORT ssl; server_name example.com www.example.com;\n\
         ssl_certificate CHAIN; ssl_certificate_key KEY;\n{directives} }}"
    )
}

fn apache_site(directives: &str) -> String {
    format!(
        "LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so\n\
         LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so\n\
         Listen 127.0.0.1:PORT\n<VirtualHost *:PORT>\nServerName example.com\nServerAlias www.example.com\n\
         SSLEngine on\nSSLCertificateFile CHAIN\nSSLCertificateKeyFile KEY\n{directives}\n</VirtualHost>"
    )
}

fn haproxy_site(lines: &str) -> String {
    format!("frontend f\n    bind 127.0.0.1:PORT ssl crt BOTH\n{lines}")
}

/// For each server: a site that works, and one whose application does not run, with its status.
fn sites() -> [(&'static str, String, String, u16); 3] {
    [
        (
            "nginx",
            nginx_site("location / { return 204; }"),
            nginx_site("location / { proxy_pass http://127.0.0.1:CLOSED; }"),
            502,
        ),
        (
            "apache",
            apache_site("Redirect 204 /"),
            apache_site("ProxyPass / http://127.0.0.1:CLOSED/"),
            503,
        ),
        (
            "haproxy",
            haproxy_site("    http-request return status 204\n"),
            haproxy_site(
                "    default_backend app\nbackend app\n    retries 0\n    server a 127.0.0.1:CLOSED\n",
            ),
            503,
        ),
    ]
}

#[test]
fn a_site_that_works_is_reported_in_the_last_line() {
    for (kind, working, ..) in sites() {
        let site = WebSite::new(kind, &working);
        let run = site.renew_and_install(&[]).expect(0);
        assert!(
            run.stdout
                .contains("done    https://example.com works (204) until "),
            "{run}"
        );
        let run = site.renew_and_install(&["--json"]).expect(0).json();
        assert_eq!(run["verdict"], "live", "{run}");
        for probe in run["certificates"][0]["probes"].as_array().unwrap() {
            assert_eq!(probe["http_status"], 204, "{run}");
        }
        // Without a reload nothing is asked.
        let run = site.again(&["--json"]).expect(0).json();
        assert_eq!(run["verdict"], "unchanged", "{run}");
        assert!(run["certificates"][0]["probes"][0]["http_status"].is_null());
    }
}

#[test]
fn a_new_error_makes_the_install_incomplete_and_is_not_rolled_back() {
    for (kind, working, broken, status) in sites() {
        let site = WebSite::new(kind, &working);
        site.renew_and_install(&[]).expect(0);
        let_time_pass();
        site.rewrite(&broken);
        // The change is reported before it is activated.
        let planned = site
            .renew_and_install(&["--dry-run", "--json"])
            .expect(0)
            .json();
        let changed = finding(&planned, "config-not-loaded");
        assert_eq!(changed["severity"], "warning");
        assert!(changed["lines"].to_string().contains(kind), "{changed}");

        let run = site.again(&["--json"]).expect(7).json();
        assert_eq!(
            (&run["verdict"], &run["changed"]),
            (&"live-incomplete".into(), &true.into()),
            "{run}"
        );
        assert!(codes(&run).contains(&"config-not-loaded"), "{run}");
        let error = finding(&run, "site-answers-error");
        let message = error["message"].as_str().unwrap();
        let expected = format!(
            "https://example.com:{}/ answers {status} since the reload: nothing listens on \
             127.0.0.1:{} (before: it works (204))",
            site.port, site.closed
        );
        assert_eq!((message, &error["severity"]), (&*expected, &"error".into()));
        let probe = &run["certificates"][0]["probes"][0];
        assert_eq!(probe["http_status"], status, "{run}");
        assert_eq!(probe["sha256"], run["certificates"][0]["sha256"]);
        assert_eq!(
            run["certificates"][0]["rolled_back"]["done"],
            Json::Array(Vec::new())
        );

        // The same error again is not new.
        let text = site.renew_and_install(&[]).expect(0);
        let line = format!(
            "done    https://example.com answers {status}: nothing listens on 127.0.0.1:{}; its \
             certificate expires ",
            site.closed
        );
        assert!(text.stdout.contains(&line), "{text}");
        assert!(!text.stdout.contains("configuration was changed"), "{text}");
        site.setup
            .sandbox
            .run(&["rollback", "--root", "tree"])
            .expect(0);
    }
}

#[test]
fn errors_of_every_kind_are_new_errors() {
    for directives in [
        "return 404;",
        "return 500;",
        // Closes the connection without a response.
        "return 444;",
        "return 302 https://example.com:PORT/again;",
    ] {
        let site = WebSite::new("nginx", &nginx_site("return 200;"));
        site.renew_and_install(&[]).expect(0);
        site.rewrite(&nginx_site(directives));
        let run = site.renew_and_install(&["--json"]).expect(7).json();
        assert!(codes(&run).contains(&"site-answers-error"), "{run}");
    }
}

#[test]
fn an_error_that_was_there_before_is_no_fault_of_the_install() {
    for (before, after, words) in [
        ("return 500;", "return 503;", "answers 503; its certificate"),
        ("return 401;", "return 403;", "answers 403; its certificate"),
        ("return 444;", "return 404;", "answers 404; its certificate"),
        ("return 404;", "return 200;", "works (200) until"),
    ] {
        let site = WebSite::new("nginx", &nginx_site(before));
        site.renew_and_install(&[]).expect(0);
        site.rewrite(&nginx_site(after));
        let run = site.renew_and_install(&[]).expect(0);
        assert!(run.stdout.contains(words), "{run}");
    }
}

/// A server that counts the connections on which it is sent something.
fn counting_server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap_or(0);
            counted.fetch_add(usize::from(length > 0), Ordering::SeqCst);
            let _ = stream.write_all(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
        }
    });
    (port, count)
}

#[test]
fn redirects_are_followed_only_to_the_site_itself() {
    let (port, count) = counting_server();
    for (location, words) in [
        ("https://www.example.com:PORT/next", "works (204)"),
        ("/next", "works (204)"),
        (&*format!("http://example.com:{port}/"), "works (302)"),
        (&*format!("http://127.0.0.1:{port}/"), "works (302)"),
        (&*format!("http://other.example:{port}/"), "works (302)"),
    ] {
        let site = WebSite::new(
            "nginx",
            &nginx_site(&format!(
                "location = /next {{ return 204; }} location / {{ return 302 {location}; }}"
            )),
        );
        let run = site.renew_and_install(&[]).expect(0);
        assert!(run.stdout.contains(words), "{location}: {run}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[test]
fn other_protocols_and_unprobed_sites_are_not_asked() {
    // HAProxy passes bytes to an application that is not a web server.
    let (port, count) = counting_server();
    let text = format!(
        "listen f\n    mode tcp\n    bind 127.0.0.1:PORT ssl crt BOTH\n    server a 127.0.0.1:{port}\n"
    );
    let site = WebSite::new("haproxy", &text);
    let run = site.renew_and_install(&["--json"]).expect(0).json();
    assert!(
        run["certificates"][0]["probes"][0]["http_status"].is_null(),
        "{run}"
    );
    // HAProxy connects to it for each handshake, but no request is sent.
    assert_eq!(count.load(Ordering::SeqCst), 0);
    let site = WebSite::new("nginx", &nginx_site("return 204;"));
    let run = site.renew_and_install(&["--probe", "none"]).expect(0);
    assert!(!run.stdout.contains("works"), "{run}");
}

#[test]
fn the_site_at_port_80_is_asked_too() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("first.crt");
    sandbox.write("first.key", sandbox.read("example.com.key"));
    setup.write_delivery("second.crt");
    let path = |path: &str| sandbox.join(path).display().to_string();
    let site = |plain: &str| {
        format!(
            "server {{ listen 80; server_name example.com www.example.com; {plain} }}\n\
             server {{ listen 443 ssl; server_name example.com www.example.com; return 204;\n\
             ssl_certificate {}; ssl_certificate_key {}; }}",
            path(CHAIN),
            path(KEY)
        )
    };
    let folder = sandbox.join("nginx");
    write_config(&folder, &site("return 500;"));
    std::fs::rename(folder.join("nginx.conf"), folder.join("broken.conf")).unwrap();
    write_config(&folder, &site("return 301 https://$host$request_uri;"));
    let install = "certctl install --root tree --trust root.pem --server nginx --server-config nginx/nginx.conf";
    let script = format!(
        "exec unshare -n sh -ec 'ip link set lo up; certctl() {{ \"$CERTCTL\" \"$@\"; }}
         certctl install --placeholder example.com www.example.com --root tree --server none >/dev/null
         nginx -c \"$PWD/nginx/nginx.conf\" & trap \"kill $!\" EXIT
         for i in 1 2 3 4 5 6 7 8 9 0; do [ -s nginx/nginx.pid ] && break; sleep 0.2; done
         {install} first.crt --key first.key
         mv nginx/broken.conf nginx/nginx.conf
         {install} second.crt && exit 1
         test $? = 7'"
    );
    let run = in_mount(sandbox, "size=4m", &script).expect(0);
    assert!(run.stdout.contains("works (204) until"), "{run}");
    let words: String = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("http://example.com/ answers 500 since the reload (before: it works (204))"),
        "{run}"
    );
}
