//! `certctl status --html`: the page is well-formed, complete without scripts, and loads nothing
//! from elsewhere; names in certificates stay text. `scripts/page-check` checks a page in a
//! browser.
//!
//! Needs: python3, html5lib (python3-html5lib).
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use jiff::civil::date;
use support::Sandbox;
use support::ca::{Leaf, TestCa, days, today};
use support::external::{external_program, path_of, succeed};

const HOSTILE: &str = "<script>alert(1)</script>\u{202e}\" onload='x'";

/// Creates a folder with certificates in several states, and one with a hostile subject.
fn folder() -> Sandbox {
    let (sandbox, ca) = (Sandbox::new(), TestCa::new());
    sandbox.write("root.pem", ca.root_pem());
    let make = |name: &str, from: i64, to: i64, change: fn(&mut rcgen::CertificateParams)| {
        sandbox
            .run(&["csr", name, &format!("www.{name}")])
            .expect(0);
        let (not_before, not_after) = (days(today(), from), days(today(), to));
        let leaf = Leaf {
            not_before,
            not_after,
            names: None,
            change,
        };
        let leaf = ca.issue_as(&sandbox.read(&format!("{name}.csr")), leaf);
        sandbox.write(&format!("{name}.crt"), leaf + &ca.intermediate_pem());
    };
    make("fine.example.com", -1, 43, |_| {});
    make("soon.example.net", -40, 4, |_| {});
    make("expired.example.org", -250, -20, |_| {});
    make("hostile.example.com", -10, 35, |params| {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, HOSTILE);
        params.subject_alt_names.clear();
    });
    sandbox.run(&["csr", "pending.example.com"]).expect(0);
    sandbox
}

#[test]
fn the_page_is_well_formed_complete_and_self_contained() {
    let sandbox = folder();
    let run = sandbox
        .run(&["status", "--html", "page.html", "--json"])
        .expect(1)
        .json();
    assert_eq!(
        run["outputs"],
        serde_json::json!([{"format": "html", "path": "page.html"}])
    );
    let page = sandbox.read("page.html");

    // A strict parser accepts it, and every row and reason is text outside of scripts.
    let check = "import sys, html5lib\n\
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(open(sys.argv[1], encoding='utf-8'))\n\
        bodies = tree.findall('.//table/tbody')\n\
        print(len([b for b in bodies if b.get('data-verdict')]), len(tree.findall('.//script')))\n\
        bad = [(e.tag, k) for e in tree.iter() if isinstance(e.tag, str) for k in e.attrib if k.startswith('on') or k == 'src' or k == 'style']\n\
        assert not bad, bad\n\
        links = [v for e in tree.iter() if isinstance(e.tag, str) for k, v in e.attrib.items() if 'href' in k]\n\
        assert all(v.startswith(('#', 'data:')) for v in links), links\n\
        for e in tree.findall('.//script'): e.text = ''\n\
        print(''.join(tree.itertext()))\n";
    path_of("/usr/lib/python3/dist-packages/html5lib");
    let page_path = sandbox.join("page.html");
    let parsed = succeed(
        external_program("python3")
            .args(["-c", check])
            .arg(page_path),
    );
    let rows = run["rows"].as_array().unwrap();
    let (counts, text) = parsed.split_once('\n').unwrap();
    assert_eq!(
        counts,
        format!("{} 1", rows.len()),
        "there is one script, and a tbody for each row"
    );
    for row in rows {
        for reason in row["reasons"].as_array().unwrap() {
            let message = reason["message"].as_str().unwrap();
            let message = message.replace('\u{202e}', "\\u{202e}");
            assert!(text.contains(&message), "{message}");
        }
        for next in row["next"].as_array().unwrap() {
            assert!(text.contains(next["text"].as_str().unwrap()), "{next}");
            if let Some(command) = next.get("command") {
                assert!(text.contains(command.as_str().unwrap()), "{next}");
            }
        }
    }
    // The subject in the form of RFC 4514, with invisible characters as escapes.
    assert!(
        text.contains("\\<script\\>alert(1)\\</script\\>\\u{202e}\\\" onload='x'"),
        "the subject is shown as text"
    );
    let machine = run["machine"]["hostname"].as_str().unwrap();
    assert!(
        text.contains(&format!("Certificates on {machine}")),
        "{text}"
    );
    assert!(!page.contains('\u{202e}') && page.matches("<script>").count() == 1);
    // The renewals of a company's own CA are work ahead too.
    assert!(text.contains("Renewals per month"), "{text}");
    // Rule changes in the future are on the page.
    for rule in [date(2027, 3, 15), date(2028, 3, 15), date(2029, 3, 15)] {
        assert!(
            rule <= today() || text.contains(&rule.to_string()),
            "{rule}"
        );
    }
}

#[test]
fn a_page_that_cannot_be_written_is_an_error_and_an_existing_one_is_replaced() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "example.com"]).expect(0);
    sandbox
        .run(&["status", "--html", "missing/page.html"])
        .expect(3);
    sandbox.run(&["status", "--html", "page.html"]).expect(1);
    let before = sandbox.read("page.html");
    sandbox
        .run(&[
            "status",
            "--html",
            "page.html",
            "--at",
            "2031-01-01T00:00:00Z",
        ])
        .expect(1);
    assert_ne!(sandbox.read("page.html"), before);
}
