//! Certificates, requests, keys and containers from other projects (Python's `cryptography` and
//! NIST's PKITS): `inspect` reads all of them and reports the same values as OpenSSL.
//! Needs: openssl, timeout, python3-cryptography-vectors
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use support::Sandbox;
use support::external::{external_program, path_of};
use support::json::Json;
use support::program::program;

/// The expected differences and their reasons. An entry that is no longer needed fails the test.
const DIFFERENT: [(&str, &str, &str); 7] = [
    // The difference, the file, the reason.
    (
        "only openssl",
        "x509/badasn1time.pem",
        "its UTCTime has no Z, which RFC 5280 4.1.2.5.1 requires",
    ),
    (
        "only we",
        "pkcs7/amazon-roots.der",
        "`openssl x509` does not read PKCS#7",
    ),
    ("only we", "pkcs7/isrg.pem", "the same, in PEM"),
    (
        "only we",
        "x509/custom/invalid_utf8_common_name.pem",
        "certctl shows a name that is not UTF-8 in hex instead of rejecting it",
    ),
    (
        "only we",
        "x509/custom/long-form-name-attribute.pem",
        "it uses the long form of a length where the short form is enough",
    ),
    (
        "subject",
        "x509/scottishpower-bitstring-dn.pem",
        "certctl writes hex in lower case",
    ),
    (
        "subject",
        "x509/unique_identifier.pem",
        "certctl writes hex in lower case",
    ),
];

const ENDINGS: [&str; 8] = ["crl", "crt", "der", "key", "p12", "p7b", "pem", "pub"];

fn vectors() -> (PathBuf, Vec<String>) {
    let root = path_of("/usr/lib/python3/dist-packages/cryptography_vectors");
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found.sort();
    (root, found)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, found);
        } else if path
            .extension()
            .is_some_and(|end| ENDINGS.contains(&end.to_str().unwrap()))
        {
            found.push(
                path.strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
            );
        }
    }
}

/// Runs `judge` on all files with a few threads and returns the results in the order of the files.
fn each<T: Send>(files: &[String], judge: impl Fn(&str) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let take = || files.get(next.fetch_add(1, Ordering::Relaxed)..)?.first();
        let mut done = Vec::new();
        while let Some(file) = take() {
            done.push((file, judge(file)));
        }
        done
    };
    let mut all: Vec<(&String, T)> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        running
            .into_iter()
            .flat_map(|part| part.join().unwrap())
            .collect()
    });
    all.sort_by_key(|(file, _)| *file);
    all.into_iter().map(|(_, answer)| answer).collect()
}

/// Runs `inspect` with a deadline and returns the exit code and the document.
fn inspect(sandbox: &Sandbox, root: &Path, file: &str) -> (i32, Json) {
    let password = if file.contains("PKITS") {
        "pkits"
    } else {
        "cryptography"
    };
    let mut command = external_program("timeout");
    command.args([
        "20",
        program(),
        "inspect",
        "--json",
        "--password-file",
        password,
    ]);
    let output = command
        .arg(root.join(file))
        .current_dir(sandbox.path())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let control = |c: char| c.is_control() && c != '\n';
    assert!(
        !printed.contains(control) && output.stderr.is_empty(),
        "{file}: {printed}"
    );
    let document = printed
        .parse()
        .unwrap_or_else(|_| panic!("{file}: {:?} {printed}", output.status));
    (output.status.code().unwrap_or(-1), document)
}

/// Returns the items of a document; an error document has none.
fn items(document: &Json) -> &[Json] {
    if document["schema"] == "certctl.error/1" {
        return &[];
    }
    document["items"].as_array().unwrap()
}

fn passwords() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("pkits", "password\n");
    sandbox.write("cryptography", "cryptography\n");
    sandbox
}

#[test]
fn inspect_and_openssl_report_the_same_values() {
    let (root, files) = vectors();
    let sandbox = passwords();
    let answers = each(&files, |file| {
        let (code, document) = inspect(&sandbox, &root, file);
        let compared = compare(items(&document), &root, file);
        (code, document, compared)
    });
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let (mut both, mut differences) = (0, Vec::new());
    for (file, (code, document, (compared, different))) in files.iter().zip(answers) {
        let schema = if code == 0 {
            "certctl.inspect/1"
        } else {
            "certctl.error/1"
        };
        assert!(
            [0, 3].contains(&code) && document["schema"] == schema,
            "{file}: {code} {document}"
        );
        for item in items(&document) {
            *kinds
                .entry(item["kind"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
        both += usize::from(compared == Both::Read);
        differences.extend(
            different
                .into_iter()
                .map(|(what, printed)| (what, file, printed)),
        );
    }
    // Slightly fewer than Debian 12 ships.
    assert!(files.len() > 1300 && both > 500, "{} {both}", files.len());
    for (kind, least) in [
        ("certificate", 900),
        ("crl", 180),
        ("key", 400),
        ("encrypted-key", 5),
        ("request", 5),
    ] {
        assert!(
            kinds.get(kind).is_some_and(|count| *count >= least),
            "{kind}: {kinds:?}"
        );
    }
    let known = |what: &str, file: &str| {
        DIFFERENT
            .iter()
            .any(|known| (known.0, known.1) == (what, file))
    };
    let unknown: Vec<_> = differences
        .iter()
        .filter(|one| !known(one.0, one.1))
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    let is_stale = |known: &&(&str, &str, &str)| {
        !differences
            .iter()
            .any(|one| (one.0, one.1.as_str()) == (known.0, known.1))
    };
    let stale: Vec<_> = DIFFERENT.iter().filter(is_stale).collect();
    assert!(
        stale.is_empty(),
        "these differences no longer occur: {stale:?}"
    );
}

#[derive(PartialEq)]
enum Both {
    Read,
    NotRead,
}

/// Returns whether both programs read the file, and the fields that differ with both values.
fn compare(items: &[Json], root: &Path, file: &str) -> (Both, Vec<(&'static str, String)>) {
    if ![".crt", ".der", ".pem"]
        .iter()
        .any(|end| file.ends_with(end))
    {
        return (Both::NotRead, Vec::new());
    }
    let bytes = std::fs::read(root.join(file)).unwrap();
    let pem = bytes.windows(10).any(|window| window == b"-----BEGIN");
    let of_request = bytes
        .windows(19)
        .any(|window| window == b"CERTIFICATE REQUEST")
        || file.contains("/requests/");
    let first = |kind: &str| items.iter().find(|item| item["kind"] == kind).cloned();
    let form = if pem { "PEM" } else { "DER" };
    if of_request {
        return match (first("request"), openssl(&["req"], root, file, form)) {
            (Some(ours), Some(theirs)) => (Both::Read, differ(&ours, &theirs)),
            // Requests with an unsupported signature are reported as such.
            _ => (Both::NotRead, Vec::new()),
        };
    }
    match (
        first("certificate"),
        openssl(
            &["x509", "-dates", "-dateopt", "iso_8601"],
            root,
            file,
            form,
        ),
    ) {
        (Some(ours), Some(theirs)) => (Both::Read, differ(&ours, &theirs)),
        (Some(ours), None) => (
            Both::NotRead,
            vec![("only we", ours["subject"].to_string())],
        ),
        (None, Some(theirs)) => (Both::NotRead, vec![("only openssl", theirs)]),
        (None, None) => (Both::NotRead, Vec::new()),
    }
}

/// Returns subject, names and (for certificates) dates as OpenSSL prints them; none if it cannot
/// read the file.
fn openssl(verb: &[&str], root: &Path, file: &str, form: &str) -> Option<String> {
    let mut command = external_program("openssl");
    command.args(verb).args([
        "-noout",
        "-inform",
        form,
        "-subject",
        "-nameopt",
        "RFC2253,-esc_msb,utf8",
    ]);
    let names = if verb[0] == "x509" {
        ["-ext", "subjectAltName"].as_slice()
    } else {
        &["-text"]
    };
    let output = command
        .args(names)
        .arg("-in")
        .arg(root.join(file))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success() && printed.contains("subject=")).then_some(printed)
}

fn differ(ours: &Json, theirs: &str) -> Vec<(&'static str, String)> {
    let after = |start: &str| {
        theirs
            .lines()
            .find_map(|line| line.strip_prefix(start))
            .map(str::to_owned)
    };
    let names = theirs
        .lines()
        .skip_while(|line| !line.contains("Subject Alternative Name"))
        .nth(1)
        .unwrap_or_default();
    let listed = |kind: &str| {
        names
            .trim()
            .split(", ")
            .filter_map(|name| name.strip_prefix(kind))
            .collect::<Vec<_>>()
            .join(",")
    };
    let texts = |field: &str| {
        let all = ours[field].iter();
        all.map(|one| one.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    // certctl uses the common name of a request without alternative names.
    let is_request_without_names = ours["kind"] == "request" && names.is_empty();
    let dns = if is_request_without_names {
        String::new()
    } else {
        texts("dns_names").join(",")
    };
    let addresses = listed("IP Address:")
        .split(',')
        .filter(|text| !text.is_empty())
        .map(address)
        .collect::<Vec<_>>();
    let date = |start: &str| after(start).map(|date| date.replace(' ', "T"));
    let mut all = vec![
        (
            "subject",
            after("subject=").unwrap(),
            ours["subject"].as_str().unwrap().to_owned(),
        ),
        ("names", listed("DNS:"), dns),
        (
            "addresses",
            addresses.join(","),
            texts("ip_addresses").join(","),
        ),
    ];
    for (start, field) in [("notBefore=", "not_before"), ("notAfter=", "not_after")] {
        all.extend(
            date(start).map(|theirs| (field, theirs, ours[field].as_str().unwrap().to_owned())),
        );
    }
    let different = all.into_iter().filter(|(_, theirs, ours)| theirs != ours);
    different
        .map(|(what, theirs, ours)| (what, format!("openssl: {theirs}\nwe: {ours}")))
        .collect()
}

/// Normalizes an address: OpenSSL writes IPv6 addresses in upper case and with zeros.
fn address(text: &str) -> String {
    text.parse::<std::net::IpAddr>()
        .map_or_else(|_| text.to_owned(), |address| address.to_string())
}
