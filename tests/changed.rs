//! `"changed"` and `"plan"` as Ansible and the like go by them: true only where what servers read
//! is other than before, a plan that says what would be, and nothing to do the second time.
//! Needs: nginx
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::foreign::{foreign, succeed};
use support::json::Json;
use support::shop::{CHAIN, KEY, Shop};
use support::site::Site;

/// The verdict, whether something changed, and the number of steps where there is a plan.
fn told(document: &Json) -> (&str, bool, Option<usize>) {
    let plan = document.get("plan").filter(|plan| !plan.is_null());
    let steps = plan.map(|plan| plan["steps"].len());
    (
        document["verdict"].as_str().unwrap(),
        document["changed"].as_bool().unwrap(),
        steps,
    )
}

#[test]
fn each_outcome_says_whether_it_changed_anything() {
    let shop = Shop::new();
    let sandbox = &shop.sandbox;
    let run = |args: &[&str], code: i32| {
        let before = shop.tree();
        let document = sandbox
            .run(&[args, &["--root", "tree", "--json"]].concat())
            .expect(code)
            .json();
        let changed = document.get("changed").is_some_and(|value| *value == true);
        assert_eq!(shop.tree() != before, changed, "{args:?}: {document}");
        document
    };
    shop.deliver("new.crt");
    let install = ["install", "new.crt", "--trust", "root.pem"];
    let dry = [&install[..], &["--dry-run"]].concat();
    let planned = run(&dry, 0);
    let (verdict, changed, steps) = told(&planned);
    assert_eq!((verdict, changed), ("planned", false));
    assert!(steps > Some(0), "{planned}");
    let done = run(&install, 0);
    assert_eq!(
        told(&done),
        ("files", true, steps),
        "what was planned is what was done"
    );
    assert_eq!(planned["plan"], done["plan"]);
    assert_eq!(told(&run(&dry, 0)), ("planned", false, Some(0)));
    assert_eq!(told(&run(&install, 0)), ("unchanged", false, Some(0)));
    assert_eq!(
        told(&run(&["install", "example.com", "--trust", "root.pem"], 0)),
        ("unchanged", false, Some(0))
    );
    assert_eq!(
        told(&run(&["install", "--check"], 0)),
        ("unchanged", false, None)
    );
    run(&["rollback", "example.com"], 3);

    shop.deliver("next.crt");
    let next = ["install", "next.crt", "--trust", "root.pem"];
    assert_eq!(
        told(&run(
            &[&next[..], &["--server", "none", "--test", "false"]].concat(),
            1
        )),
        ("refused", false, None)
    );
    assert_eq!(told(&run(&next, 0)).0, "files");
    assert!(told(&run(&["rollback", "example.com", "--dry-run"], 0)).2 > Some(0));
    assert_eq!(told(&run(&["rollback", "example.com"], 0)).0, "files");
    let removed = run(&["forget", "example.com", "--dry-run"], 0);
    assert_eq!(told(&removed), ("planned", false, Some(3)));
    assert_eq!(
        told(&run(&["forget", "example.com"], 0)),
        ("forgotten", true, Some(3))
    );
}

#[test]
fn a_server_that_serves_it_already_is_left_alone() {
    let site = Site::new();
    let nginx = site.start("");
    let config = nginx.config().display().to_string();
    let install = |code: i32| {
        let words = [
            "install", "new.crt", "--root", "tree", "--trust", "root.pem", "--json",
        ];
        let server = ["--server", "nginx", "--server-config", &config];
        site.shop
            .sandbox
            .run(&[&words[..], &server].concat())
            .expect(code)
            .json()
    };
    site.shop.deliver("new.crt");
    let told = |document: Json| (told(&document).0.to_owned(), told(&document).1);
    let of = |verdict: &str, changed: bool| (verdict.to_owned(), changed);
    assert_eq!(told(install(1)), of("not-served", true));
    assert_eq!(
        told(install(1)),
        of("not-served", false),
        "nobody names it yet, and all is written"
    );
    nginx.rewrite(&site.block(CHAIN, KEY));
    succeed(foreign("nginx").args(["-s", "reload", "-c", &config]));
    assert_eq!(told(install(0)), of("live", true), "proven now");
    assert_eq!(told(install(0)), of("unchanged", false));
    let reloads = || nginx.log().matches("signal 1 (SIGHUP) received").count();
    let before = reloads();
    install(0);
    assert_eq!(reloads(), before, "a server that serves it is not reloaded");
}
