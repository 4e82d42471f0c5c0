//! `certctl status` for a fleet of 200 certificates in every state and with every fault, eight of
//! them served by nginx, evaluated at times from 2026 to 2029. The expected rows are computed here
//! from the dates alone.
//! Needs: nginx, promtool, python3, python3-cryptography, python3-icalendar, python3-html5lib
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use jiff::civil::Date;
use rcgen::{
    CertificateRevocationListParams, ExtendedKeyUsagePurpose, KeyIdMethod, RevokedCertParams,
    SerialNumber,
};
use support::Sandbox;
use support::ca::{Leaf, add_issuer_url, cross_signed, days, midnight, today};
use support::external::{external_program, path_of, succeed};
use support::install_sandbox::InstallSandbox;
use support::json::Json;
use support::nginx::Nginx;
use support::site::Site;

/// The state of a certificate in the fleet.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// nginx serves it.
    Served,
    /// nginx serves the previous certificate.
    Stale,
    /// nginx uses it for a name that it does not cover.
    Uncovered,
    Installed,
    /// Its intermediate expires first.
    Crossed,
    /// All users can read its key.
    Open,
    Ready,
    /// It has clientAuth.
    Client,
    /// The CA's CRL lists it.
    Revoked,
    /// Its RSA key has 1,024 bits and is not on this machine.
    Weak,
    NoKey,
    Pending,
    UnusedKey,
}

use Fate::{
    Client, Crossed, Installed, NoKey, Open, Pending, Ready, Revoked, Served, Stale, Uncovered,
    UnusedKey, Weak,
};

/// The number of certificates in each state; the lifetimes are assigned to them in turn.
const FLEET: [(Fate, usize); 13] = [
    (Served, 4),
    (Stale, 2),
    (Uncovered, 2),
    (Installed, 60),
    (Crossed, 10),
    (Open, 10),
    (Ready, 40),
    (Client, 10),
    (Revoked, 6),
    (Weak, 6),
    (NoKey, 20),
    (Pending, 15),
    (UnusedKey, 15),
];
/// First day (relative to today) and validity in days: from just issued to expired.
const LIVES: [(i64, i64); 5] = [(-1, 199), (-100, 190), (-10, 47), (-190, 200), (-250, 200)];
/// The days until the cross-signed intermediate expires.
const CROSSED: i64 = 60;

/// Rule changes of public CAs; each is a reason for certificates that were issued before that day.
const RULES: [(&str, Date); 4] = [
    ("rule-client-auth", jiff::civil::date(2027, 3, 15)),
    ("rule-100-days", jiff::civil::date(2027, 3, 15)),
    ("rule-email-dcv-ends", jiff::civil::date(2028, 3, 15)),
    ("rule-47-days", jiff::civil::date(2029, 3, 15)),
];

struct Pair {
    name: String,
    fate: Fate,
    from: Date,
    to: Date,
}

impl Pair {
    /// Returns whether certctl installed it, with a private CA, to which the rules of public CAs do
    /// not apply.
    fn is_live(&self) -> bool {
        matches!(
            self.fate,
            Served | Stale | Uncovered | Installed | Crossed | Open
        )
    }

    fn is_at_nginx(&self) -> bool {
        matches!(self.fate, Served | Stale | Uncovered)
    }
}

fn fleet() -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (fate, count) in FLEET {
        for number in 0..count {
            // Expired certificates are not installed, and those that nginx serves are not due.
            let (start, length) = match fate {
                Served | Stale | Uncovered | Crossed | Weak => LIVES[0],
                Installed | Open => LIVES[number % 4],
                _ => LIVES[number % 5],
            };
            let from = days(today(), start);
            let name = format!("{}{number}.example", format!("{fate:?}").to_lowercase());
            pairs.push(Pair {
                name,
                fate,
                from,
                to: days(from, length),
            });
        }
    }
    pairs
}

/// Creates key and request, and the certificate if there is one.
fn make(setup: &InstallSandbox, pair: &Pair) {
    let Pair {
        name,
        fate,
        from,
        to,
    } = pair;
    let (sandbox, ca) = (&setup.sandbox, &setup.ca);
    if *fate == Weak {
        return;
    }
    sandbox.run(&["csr", name, "--force"]).expect(0);
    let clients: fn(&mut rcgen::CertificateParams) = match fate {
        Client => |params| {
            add_issuer_url(params);
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::ClientAuth);
        },
        _ => add_issuer_url,
    };
    let leaf = Leaf {
        not_before: *from,
        not_after: *to,
        change: clients,
        ..Leaf::default()
    };
    let leaf = ca.issue_as(&sandbox.read(&format!("{name}.csr")), leaf);
    let issuer = if *fate == Crossed {
        cross_signed(ca, days(today(), CROSSED))
    } else {
        ca.intermediate_pem()
    };
    if !matches!(fate, Pending | UnusedKey) {
        sandbox.write(&format!("{name}.crt"), leaf + &issuer);
    }
    let gone: &[&str] = match fate {
        NoKey => &["csr", "key"],
        UnusedKey => &["csr"],
        _ => &[],
    };
    gone.iter()
        .for_each(|end| std::fs::remove_file(sandbox.join(&format!("{name}.{end}"))).unwrap());
}

const MAKE_WEAK: &str = "
import sys; sys.path.append('/usr/lib/python3/dist-packages')
from datetime import datetime
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
for word in sys.argv[1:]:
    name, start, end = word.split('/')
    key = rsa.generate_private_key(65537, 1024)
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    new = x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
    new = new.not_valid_before(datetime.fromisoformat(start)).not_valid_after(datetime.fromisoformat(end))
    new = new.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False).serial_number(7)
    open(name + '.crt', 'wb').write(new.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
";

/// Creates the certificates with weak keys, and the CRL.
fn make_bad(setup: &InstallSandbox, pairs: &[Pair]) {
    let sandbox = &setup.sandbox;
    path_of("/usr/lib/python3/dist-packages/cryptography");
    let of = |fate: Fate| pairs.iter().filter(move |pair| pair.fate == fate);
    let weak = of(Weak).map(|pair| format!("{}/{}/{}", pair.name, pair.from, pair.to));
    succeed(
        external_program("python3")
            .args(["-c", MAKE_WEAK])
            .args(weak)
            .current_dir(sandbox.path()),
    );
    let serial = |pair: &Pair| {
        let read = sandbox
            .run(&["inspect", &format!("{}.crt", pair.name), "--json"])
            .expect(0)
            .json();
        SerialNumber::from(hex::decode(read["items"][0]["serial"].as_str().unwrap()).unwrap())
    };
    let entry = |pair: &Pair| RevokedCertParams {
        serial_number: serial(pair),
        revocation_time: midnight(today()),
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: midnight(today()),
        next_update: midnight(days(today(), 3000)),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: of(Revoked).map(entry).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    sandbox.write(
        "list.pem",
        list.signed_by(&setup.ca.intermediate)
            .unwrap()
            .pem()
            .unwrap(),
    );
}

fn install(sandbox: &Sandbox, files: &[String], more: &[&str], code: i32) {
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let common = ["install", "--root", "tree", "--trust", "root.pem"];
    let _ = sandbox
        .run(&[&common[..], &files, more].concat())
        .expect(code);
}

fn files<'a>(pairs: impl Iterator<Item = &'a Pair>) -> Vec<String> {
    pairs.map(|pair| format!("{}.crt", pair.name)).collect()
}

/// Starts nginx with the certificates that it should serve.
fn serve(site: &Site, pairs: &[Pair]) -> Nginx {
    let sandbox = &site.setup.sandbox;
    let served = || pairs.iter().filter(|pair| pair.is_at_nginx());
    let nginx = site.start("");
    let config = nginx.config().display().to_string();
    let options = ["--server", "nginx", "--server-config", &config];
    install(sandbox, &files(served()), &options, 1);
    let block = |pair: &Pair, more: &str| {
        let name = &pair.name;
        let (chain, key) = (
            format!("tree/etc/ssl/{name}.fullchain.pem"),
            format!("tree/etc/ssl/private/{name}.key"),
        );
        site.block_for(&format!("{name}{more}"), &chain, &key)
    };
    let blocks = |more: &str| -> String {
        let more = |pair: &Pair| {
            if pair.fate == Uncovered {
                format!("{more} ").replace("NAME", &pair.name)
            } else {
                String::new()
            }
        };
        served().map(|pair| block(pair, &more(pair))).collect()
    };
    let reload = || succeed(external_program("nginx").args(["-s", "reload", "-c", &config]));
    nginx.rewrite(&blocks(""));
    reload();
    install(sandbox, &files(served()), &options, 0);

    // New files without a reload of nginx, and a name that the certificate does not cover.
    let stale = || pairs.iter().filter(|pair| pair.fate == Stale);
    stale().for_each(|pair| make(&site.setup, pair));
    install(
        sandbox,
        &files(stale()),
        &["--server", "none", "--probe", "none"],
        0,
    );
    for pair in stale() {
        let path = format!("tree/etc/ssl/certctl/{}/settings.json", pair.name);
        let mut settings = Json::parse(&sandbox.read(&path));
        settings.set("server", "nginx");
        sandbox.write(&path, settings.to_string());
    }
    nginx.rewrite(&blocks(" more.NAME"));
    nginx
}

/// Creates all files, and installs the certificates that should be installed.
fn set_up(site: &Site, pairs: &[Pair]) -> Nginx {
    let sandbox = &site.setup.sandbox;
    // These come first, because `install` uses the CA's usual intermediate as soon as that exists.
    let (early, others): (Vec<&Pair>, Vec<&Pair>) =
        pairs.iter().partition(|pair| pair.fate == Crossed);
    let quiet = |pair: &&Pair| pair.is_live() && !pair.is_at_nginx();
    for part in [early, others] {
        part.iter().for_each(|pair| make(&site.setup, pair));
        install(
            sandbox,
            &files(part.into_iter().filter(quiet)),
            &["--server", "none"],
            0,
        );
    }
    make_bad(&site.setup, pairs);
    for pair in pairs.iter().filter(|pair| pair.fate == Open) {
        let key = sandbox.join(&format!("tree/etc/ssl/private/{}.key", pair.name));
        std::fs::set_permissions(key, Permissions::from_mode(0o644)).unwrap();
    }
    serve(site, pairs)
}

/// The expected row.
#[derive(Debug)]
struct Expected {
    state: &'static str,
    verdict: &'static str,
    codes: Vec<&'static str>,
    /// A part of the first step's sentence or command.
    step: String,
}

/// The severity of each reason: wrong, due, warning, note.
fn weight(code: &str) -> usize {
    match code {
        "due" => 1,
        "intermediate-expires-first" | "self-signed" | "unknown-root" => 2,
        _ if code.starts_with("rule-") => 3,
        _ => 0,
    }
}

/// The order in which reasons are listed; rule changes come last.
const ORDER: [&str; 12] = [
    "expired",
    "served-certificate-differs",
    "due",
    "request-pending",
    "intermediate-expired",
    "intermediate-expires-first",
    "key-readable-by-others",
    "host-not-covered",
    "weak-key",
    "revoked",
    "self-signed",
    "unknown-root",
];

fn between(from: Date, to: Date) -> i64 {
    i64::from(from.until(to).unwrap().get_days())
}

/// Computes the row from the dates alone; certificates expire at midnight, and it is noon.
fn expected(pair: &Pair, at: Date) -> Expected {
    let Pair {
        name,
        fate,
        from,
        to,
    } = pair;
    let (state, waits) = match fate {
        Served | Uncovered => ("served", String::new()),
        Stale | Installed | Crossed | Open => ("installed", String::new()),
        Ready | Client | Revoked => ("ready", format!("install {name}")),
        NoKey | Weak => ("key-missing", "pass the folder with its key".to_owned()),
        Pending => ("pending", format!("dcv-check {name}")),
        UnusedKey => ("unused-key", "--key".to_owned()),
    };
    if *fate == Pending {
        return Expected {
            state,
            verdict: "due",
            codes: vec!["request-pending"],
            step: waits,
        };
    }
    if *fate == UnusedKey {
        return Expected {
            state,
            verdict: "fine",
            codes: Vec::new(),
            step: waits,
        };
    }
    // The chain expires with its first certificate.
    let ends = if *fate == Crossed {
        days(today(), CROSSED).min(*to)
    } else {
        *to
    };
    let due = days(ends, -(between(*from, ends) / 3).min(30));
    let mut codes = Vec::new();
    if at >= *to {
        codes.push("expired");
    }
    codes.extend((*fate == Stale).then_some("served-certificate-differs"));
    codes.extend((at >= due && at < *to).then_some("due"));
    codes.extend((*fate == Crossed && at >= ends).then_some("intermediate-expired"));
    codes.extend((*fate == Crossed).then_some("intermediate-expires-first"));
    codes.extend((*fate == Open).then_some("key-readable-by-others"));
    codes.extend((*fate == Uncovered).then_some("host-not-covered"));
    codes.extend((*fate == Weak).then_some("weak-key"));
    codes.extend((*fate == Revoked).then_some("revoked"));
    codes.extend((*fate == Weak).then_some("self-signed"));
    // An install needs the root of the CA, which is in the folder.
    codes.extend((state == "ready").then_some("unknown-root"));
    assert!(
        codes
            .iter()
            .map(|code| ORDER.iter().position(|one| one == code))
            .is_sorted()
    );
    // No rules apply to self-signed certificates.
    if !pair.is_live() && *fate != Weak {
        let holds = |code: &str| code != "rule-client-auth" || *fate == Client;
        let bites = RULES
            .into_iter()
            .filter(|(code, day)| holds(code) && *from <= *day && *day <= due.max(at));
        codes.extend(bites.map(|(code, _)| code));
    }
    let first = codes.first().copied().filter(|code| weight(code) < 3);
    let step = match first {
        Some("expired" | "due") if pair.is_live() => format!("renew {name}"),
        Some("expired" | "due" | "revoked") if matches!(fate, Ready | Client | Revoked) => {
            format!("renew {name}")
        }
        Some("expired" | "due" | "revoked" | "weak-key" | "host-not-covered") => {
            format!("csr {name}")
        }
        Some("served-certificate-differs") => format!("install {name}"),
        Some("intermediate-expired") => format!("install {name}"),
        Some("intermediate-expires-first") => "Ask the CA".to_owned(),
        Some("key-readable-by-others") => "sudo chmod o=".to_owned(),
        _ => waits,
    };
    let verdict =
        ["wrong", "due", "fine", "fine"][codes.iter().map(|code| weight(code)).min().unwrap_or(3)];
    Expected {
        state,
        verdict,
        codes,
        step,
    }
}

/// Returns the rows by name; an unused key has the name of its file. The old certificates that
/// nginx still serves are omitted.
fn by_name(run: &Json) -> BTreeMap<String, &Json> {
    let key = |row: &Json| {
        row["keys"][0]["path"]
            .as_str()
            .unwrap()
            .trim_end_matches(".key")
            .to_owned()
    };
    let named = |row: &Json| {
        let first = row["names"].iter().next();
        first.map_or_else(|| key(row), |name| name.as_str().unwrap().to_owned())
    };
    let rows = run["rows"].as_array().unwrap();
    let (shown, rows): (Vec<&Json>, Vec<&Json>) = rows
        .iter()
        .partition(|row| row["state"] == "served" && named(row).starts_with("stale"));
    assert_eq!((shown.len(), rows.len()), (2, 200));
    rows.into_iter().map(|row| (named(row), row)).collect()
}

#[test]
fn each_row_matches_its_dates() {
    let site = Site::new();
    let pairs = fleet();
    assert_eq!(pairs.len(), 200);
    let _nginx = set_up(&site, &pairs);
    let sandbox = &site.setup.sandbox;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for count in [0, 8, 40, 60, 75, 120, 170, 198, 400, 700, 1100] {
        let day = days(today(), count);
        let at = format!("{day}T12:00:00Z");
        let run = sandbox
            .run(&["status", "--root", "tree", "--at", &at, "--json"])
            .expect(1)
            .json();
        let named = by_name(&run);
        for pair in &pairs {
            let row = named
                .get(&pair.name)
                .unwrap_or_else(|| panic!("{} has no row on {day}", pair.name));
            let Expected {
                state,
                verdict,
                codes,
                step,
            } = expected(pair, day);
            assert_eq!(
                (&row["state"], &row["verdict"]),
                (&state.into(), &verdict.into()),
                "{day}: {row}"
            );
            let reasons: Vec<&str> = row["reasons"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["code"].as_str().unwrap())
                .collect();
            assert_eq!(reasons, codes, "{day}: {row}");
            let next = row["next"].iter().next();
            let text = next.map_or(String::new(), |next| {
                let command = next
                    .get("command")
                    .and_then(Json::as_str)
                    .unwrap_or_default();
                format!("{} {command}", next["text"].as_str().unwrap())
            });
            assert!(
                text.contains(&step) && text.is_empty() == step.is_empty(),
                "{day}: {step:?}: {row}"
            );
            codes
                .iter()
                .for_each(|code| *counts.entry((*code).to_owned()).or_default() += 1);
        }
    }
    let others = counts
        .keys()
        .filter(|code| !code.starts_with("rule-"))
        .count();
    assert_eq!(others, 12, "every reason occurred: {counts:?}");
    for (code, day) in RULES {
        // A rule that took effect before the fleet was issued is no reason.
        assert!(
            day <= today() || counts.contains_key(code),
            "{code}: {counts:?}"
        );
    }
    check_written_files(sandbox);
}

const READ: &str = "
import sys; sys.path.append('/usr/lib/python3/dist-packages')
import icalendar, html5lib
calendar = icalendar.Calendar.from_ical(open('fleet.ics', 'rb').read())
events = calendar.walk('VEVENT')
assert all(not event.errors for event in events)
assert len({str(event['uid']) for event in events}) == len(events)
page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(open('fleet.html', encoding='utf-8'))
print(len([event for event in events if str(event['summary']).endswith(' expires')]),
      len([body for body in page.findall('.//table/tbody') if body.get('data-verdict')]))
";

/// Checks the files for other programs. With `CERTCTL_KEEP_PAGE` the page is copied to that path,
/// for `scripts/page-check`.
fn check_written_files(sandbox: &Sandbox) {
    let args = [
        "--prometheus",
        "fleet.prom",
        "--ics",
        "fleet.ics",
        "--html",
        "fleet.html",
        "--json",
    ];
    let run = sandbox
        .run(&[&["status", "--root", "tree"], &args[..]].concat())
        .expect(1)
        .json();
    let rows = run["rows"].as_array().unwrap();
    let metrics = File::open(sandbox.join("fleet.prom")).unwrap();
    assert_eq!(
        succeed(
            external_program("promtool")
                .args(["check", "metrics"])
                .stdin(Stdio::from(metrics))
        ),
        ""
    );
    let with_end = rows.iter().filter(|row| !row["expires"].is_null()).count();
    let ends = "certctl_certificate_expiry_timestamp_seconds{";
    assert_eq!(
        sandbox
            .read("fleet.prom")
            .lines()
            .filter(|line| line.starts_with(ends))
            .count(),
        with_end
    );
    path_of("/usr/lib/python3/dist-packages/icalendar");
    path_of("/usr/lib/python3/dist-packages/html5lib");
    let read = succeed(
        external_program("python3")
            .args(["-c", READ])
            .current_dir(sandbox.path()),
    );
    assert_eq!(read.trim(), format!("{with_end} {}", rows.len()));
    if let Some(kept) = std::env::var_os("CERTCTL_KEEP_PAGE") {
        std::fs::copy(sandbox.join("fleet.html"), kept).unwrap();
    }
}
