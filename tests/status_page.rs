//! `certctl status --html`: the page is well-formed, complete without scripts, needs nothing from
//! outside, and whatever a certificate calls itself stays text. `scripts/page-check` looks at one
//! in a browser.
//!
//! Needs: python3, html5lib (python3-html5lib).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use jiff::civil::date;
use support::Sandbox;
use support::ca::{Leaf, TestCa, days, today};
use support::foreign::{foreign, path_of, succeed};

const HOSTILE: &str = "<script>alert(1)</script>\u{202e}\" onload='x'";

/// A folder with a certificate in every state, and one that calls itself something foul.
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
    make("ended.example.org", -250, -20, |_| {});
    make("foul.example.com", -10, 35, |params| {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, HOSTILE);
        params.subject_alt_names.clear();
    });
    sandbox.run(&["csr", "asked.example.com"]).expect(0);
    sandbox
}

#[test]
fn the_page_is_whole_and_nothing_in_it_is_foreign() {
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

    // As strict as a parser can be, then without scripts: every row and reason is text of the
    // document.
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
    let parsed = succeed(foreign("python3").args(["-c", check]).arg(page_path));
    let rows = run["rows"].as_array().unwrap();
    let (counts, text) = parsed.split_once('\n').unwrap();
    assert_eq!(
        counts,
        format!("{} 1", rows.len()),
        "one script, a body a row"
    );
    for row in rows {
        for reason in row["reasons"].as_array().unwrap() {
            let message = reason["message"].as_str().unwrap();
            assert!(text.contains(message), "{message}");
        }
        for next in row["next"].as_array().unwrap() {
            assert!(text.contains(next["text"].as_str().unwrap()), "{next}");
        }
    }
    // As RFC 4514 writes it, with what nobody sees made visible.
    assert!(
        text.contains("\\<script\\>alert(1)\\</script\\>\\u{202e}\\\" onload='x'"),
        "shown as what it is"
    );
    assert!(!page.contains('\u{202e}') && page.matches("<script>").count() == 1);
    // What is still to come is on the page.
    for rule in [date(2027, 3, 15), date(2028, 3, 15), date(2029, 3, 15)] {
        assert!(
            rule <= today() || text.contains(&rule.to_string()),
            "{rule}"
        );
    }
}

#[test]
fn a_page_that_cannot_be_written_is_an_error_and_the_one_before_stays() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "example.com"]).expect(0);
    sandbox
        .run(&["status", "--html", "missing/page.html"])
        .expect(3);
    sandbox.run(&["status", "--html", "page.html"]).expect(0);
    let before = sandbox.read("page.html");
    sandbox
        .run(&[
            "status",
            "--html",
            "page.html",
            "--at",
            "2031-01-01T00:00:00Z",
        ])
        .expect(0);
    assert_ne!(sandbox.read("page.html"), before);
}
