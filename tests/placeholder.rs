//! `certctl install --placeholder`: a server whose configuration names files that the CA has not
//! sent yet can start; the real ones replace it, and nobody goes back to it.
//! Needs: nginx haproxy
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::Run;
use support::foreign::foreign;
use support::json::Json;
use support::nginx::write_config;
use support::shop::{CHAIN, KEY, PAIR, Shop, codes, leftovers, mode};
use support::site::Site;

fn keep_the_place(shop: &Shop, more: &[&str]) -> Run {
    let words = [
        "install",
        "--placeholder",
        "example.com",
        "www.example.com",
        "--root",
        "tree",
    ];
    shop.sandbox.run(&[&words[..], more].concat())
}

#[test]
fn the_real_one_replaces_it_and_nobody_goes_back() {
    let shop = Shop::new();
    let sandbox = &shop.sandbox;
    let planned = keep_the_place(&shop, &["--dry-run", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&planned["verdict"], &planned["changed"]),
        (&"planned".into(), &false.into())
    );
    assert!(!sandbox.join("tree").exists());

    let run = keep_the_place(&shop, &["--json"]).expect(0).json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"files".into(), &true.into()),
        "{run}"
    );
    assert_eq!(codes(&run), ["placeholder"], "{run}");
    assert_eq!(
        run["settings"]["placeholder"],
        run["certificates"][0]["release"]
    );
    let (chain, _) = shop.served();
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 1);
    assert_eq!(mode(&sandbox.join(KEY)), 0o600);
    assert!(
        !sandbox.join(PAIR).join("proven").exists(),
        "nothing of it is proven"
    );

    let before = shop.tree();
    let again = keep_the_place(&shop, &["--json"]).expect(0).json();
    assert_eq!(
        (&again["verdict"], &again["changed"]),
        (&"unchanged".into(), &false.into()),
        "{again}"
    );
    assert_eq!(shop.tree(), before);
    let check = sandbox
        .run(&["install", "--check", "--root", "tree", "--json"])
        .expect(1)
        .json();
    assert_eq!(codes(&check), ["placeholder"], "{check}");
    sandbox.run(&["rollback", "--root", "tree"]).expect(3);
    let planned = sandbox
        .run(&[
            "forget",
            "example.com",
            "--root",
            "tree",
            "--dry-run",
            "--json",
        ])
        .expect(0)
        .json();
    assert_eq!(
        (&planned["verdict"], codes(&planned)),
        (&"planned".into(), vec!["placeholder"]),
        "{planned}"
    );
    std::fs::create_dir(sandbox.join("empty")).unwrap();
    let alone = sandbox
        .run(&["install", "example.com", "-C", "empty", "--root", "tree"])
        .expect(3);
    assert!(
        alone.stderr.contains("only a placeholder of example.com")
            && alone.stderr.contains("install FILE"),
        "{alone}"
    );

    // One that ends tomorrow is made anew.
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 6 + 1)).to_string();
    let renewed = keep_the_place(&shop, &["--json", "--at", &soon])
        .expect(0)
        .json();
    assert_eq!(renewed["changed"], true, "{renewed}");

    let real = shop.round(&["--json"]).expect(0).json();
    assert_eq!(real["verdict"], "files", "{real}");
    assert_eq!(shop.served().0.matches("BEGIN CERTIFICATE").count(), 2);
    let settings = Json::parse(&sandbox.read(&format!("{PAIR}/settings.json")));
    assert!(settings.get("placeholder").is_none(), "{settings}");
    sandbox.run(&["rollback", "--root", "tree"]).expect(3);
    sandbox
        .run(&["rollback", "--root", "tree", "--to", "2001-01-01"])
        .expect(3);
    sandbox
        .run(&["install", "--check", "--root", "tree"])
        .expect(0);
    assert!(leftovers(sandbox).is_empty());
}

#[test]
fn it_is_removed_as_any_pair_is() {
    let shop = Shop::new();
    let sandbox = &shop.sandbox;
    keep_the_place(&shop, &[]).expect(0);
    let served = shop.served();
    let run = sandbox
        .run(&["forget", "example.com", "--root", "tree", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&run["verdict"], codes(&run)),
        (&"forgotten".into(), vec!["placeholder"]),
        "{run}"
    );
    assert_eq!(shop.served(), served);
    assert!(!sandbox.join(PAIR).exists());
    assert!(
        std::fs::symlink_metadata(sandbox.join(CHAIN))
            .unwrap()
            .is_file()
    );
    assert!(leftovers(sandbox).is_empty());
    shop.round(&[]).expect(0);
}

#[test]
fn it_never_replaces_anything() {
    let shop = Shop::new();
    let sandbox = &shop.sandbox;
    for (path, text) in [(CHAIN, "the user's"), (KEY, "the user's")] {
        sandbox.write(path, text);
        let run = keep_the_place(&shop, &["--json"]).expect(1).json();
        assert_eq!(run["verdict"], "refused", "{run}");
        assert!(codes(&run).contains(&"path-taken"), "{run}");
        assert_eq!(sandbox.read(path), text);
        std::fs::remove_file(sandbox.join(path)).unwrap();
    }
    shop.round(&[]).expect(0);
    let before = shop.tree();
    let run = keep_the_place(&shop, &["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "refused", "{run}");
    assert_eq!(shop.tree(), before);
    for words in [
        &["--placeholder"][..],
        &["--placeholder", "a..b"],
        &["--placeholder", "example.com", "--check"],
    ] {
        sandbox
            .run(&[&["install"], words, &["--root", "tree"]].concat())
            .expect(2);
    }
}

#[test]
fn nginx_starts_with_it_and_takes_the_real_one() {
    let site = Site::new();
    let block = site.block(CHAIN, KEY);
    let config = write_config(&site.folder(), &block).display().to_string();
    let test = || {
        foreign("nginx")
            .args(["-t", "-c", &config])
            .output()
            .unwrap()
    };
    assert!(!test().status.success(), "its files are not there");
    let told = ["--server", "nginx", "--server-config", &config];
    let run = keep_the_place(&site.shop, &[&told[..], &["--json"]].concat())
        .expect(0)
        .json();
    assert_eq!(run["changed"], true, "{run}");
    let said = test();
    assert!(said.status.success(), "{said:?}");
    let _nginx = site.start(&block);
    site.shows(CHAIN);
    let real = site.round(&["--json"]).expect(0).json();
    assert_eq!(real["verdict"], "live", "{real}");
    site.shows(CHAIN);
}

#[test]
fn a_file_that_haproxy_misses_is_named_with_the_flags_that_put_it_there() {
    let shop = Shop::new();
    let path = shop
        .sandbox
        .join("tree/etc/haproxy/site.pem")
        .display()
        .to_string();
    let section = format!(
        "frontend f\n    bind 127.0.0.1:{} ssl crt {path}\n",
        support::nginx::free_port()
    );
    let config = support::haproxy::write_config(&shop.sandbox.join("haproxy"), &section)
        .display()
        .to_string();
    let server = ["--server", "haproxy", "--server-config", &config, "--json"];
    let run = keep_the_place(&shop, &server).expect(1).json();
    let flags = format!("--chain-path {path} --key-path {path}");
    let next = run["findings"][0]["next"][0]["text"].as_str().unwrap();
    assert!(next.ends_with(&flags), "{run}");
    let flags = ["--chain-path", &path, "--key-path", &path];
    keep_the_place(&shop, &[&server[..], &flags].concat()).expect(0);
    assert!(
        shop.sandbox
            .read("tree/etc/haproxy/site.pem")
            .contains("PRIVATE KEY")
    );
    support::foreign::succeed(foreign("haproxy").args(["-c", "-f", &config]));
}

#[test]
fn one_name_stands_for_all_that_its_request_asks_for() {
    let shop = Shop::new();
    shop.sandbox
        .run(&["csr", "example.com", "www.example.com", "shop.example.com"])
        .expect(0);
    let place = |more: &[&str]| {
        let words = [
            &["install", "--placeholder"],
            more,
            &["--root", "tree", "--dry-run"],
        ]
        .concat();
        let said = shop.sandbox.run(&words).expect(0).stdout;
        let (_, names) = said
            .split_once("a placeholder for ")
            .expect("what it is for");
        names
            .split_once(", ends ")
            .expect("until when")
            .0
            .to_owned()
    };
    assert_eq!(
        place(&["example.com"]),
        "example.com, www.example.com, shop.example.com"
    );
    assert_eq!(place(&["other.example.com"]), "other.example.com");
    assert_eq!(
        place(&["example.com", "www.example.com"]),
        "example.com, www.example.com"
    );
}
