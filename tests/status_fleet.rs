//! The story of a fleet: 200 pairs in every state, five of them served by a running nginx, looked at from 2026 to 2029. What
//! each row must say is reckoned here from its dates alone.
//! Needs: nginx
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::Value;
use support::ca::{Leaf, days, today};
use support::foreign::{foreign, succeed};
use support::site::Site;

/// What was done with a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Served,
    Installed,
    Ready,
    Pending,
    NoKey,
    KeyAlone,
}

struct Pair {
    name: String,
    fate: Fate,
    from: Date,
    to: Date,
}

/// So many of each; the lifetimes go round.
const FLEET: [(Fate, usize); 6] = [
    (Fate::Served, 5),
    (Fate::Installed, 95),
    (Fate::Ready, 40),
    (Fate::Pending, 20),
    (Fate::NoKey, 20),
    (Fate::KeyAlone, 20),
];
/// First day (from today) and length of life: from one just begun to one that has ended.
const LIVES: [(i64, i64); 5] = [(-1, 199), (-100, 190), (-10, 47), (-190, 200), (-250, 200)];

fn fleet() -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (fate, count) in FLEET {
        for number in 0..count {
            // What has ended is not installed, and what nginx serves is in its best years.
            let lives = if matches!(fate, Fate::Served | Fate::Installed) { &LIVES[..4] } else { &LIVES[..] };
            let (start, length) = if fate == Fate::Served { LIVES[0] } else { lives[number % lives.len()] };
            let from = days(today(), start);
            let name = format!("{}{number}.example", format!("{fate:?}").to_lowercase());
            pairs.push(Pair { name, fate, from, to: days(from, length) });
        }
    }
    pairs
}

/// Makes all files, installs what is to be installed, and says where nginx' configuration is.
fn set_up(site: &Site, pairs: &[Pair]) -> support::nginx::Nginx {
    let (sandbox, ca) = (&site.shop.sandbox, &site.shop.ca);
    for Pair { name, fate, from, to } in pairs {
        sandbox.run(&["csr", name]).expect(0);
        let leaf = Leaf { not_before: *from, not_after: *to, ..Leaf::default() };
        let chain = ca.issue_as(&sandbox.read(&format!("{name}.csr")), leaf) + &ca.intermediate_pem();
        if !matches!(fate, Fate::Pending | Fate::KeyAlone) {
            sandbox.write(&format!("{name}.crt"), chain);
        }
        let gone: &[&str] = match fate {
            Fate::NoKey => &["csr", "key"],
            Fate::KeyAlone => &["csr"],
            _ => &[],
        };
        gone.iter().for_each(|end| std::fs::remove_file(sandbox.join(&format!("{name}.{end}"))).unwrap());
    }
    let files = |wanted: Fate| -> Vec<String> {
        pairs.iter().filter(|pair| pair.fate == wanted).map(|pair| format!("{}.crt", pair.name)).collect()
    };
    let install = |files: &[String], more: &[&str], code: i32| {
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let common = ["install", "--root", "tree", "--trust", "root.pem"];
        let _ = sandbox.run(&[&common[..], &files, more].concat()).expect(code);
    };
    install(&files(Fate::Installed), &["--server", "none"], 0);
    let nginx = site.start("");
    let config = nginx.config().display().to_string();
    let told = ["--server", "nginx", "--server-config", &config];
    install(&files(Fate::Served), &told, 1);
    let block = |pair: &Pair| {
        let (chain, key) =
            (format!("tree/etc/ssl/{}.fullchain.pem", pair.name), format!("tree/etc/ssl/private/{}.key", pair.name));
        site.block_of(&pair.name, &chain, &key)
    };
    let blocks: Vec<String> = pairs.iter().filter(|pair| pair.fate == Fate::Served).map(block).collect();
    nginx.rewrite(&blocks.join("\n"));
    succeed(foreign("nginx").args(["-s", "reload", "-c", &config]));
    install(&files(Fate::Served), &told, 0);
    nginx
}

/// `STATE VERDICT REASON STEP` of a pair on a day, from its dates alone.
fn expected(pair: &Pair, at: Date) -> (&'static str, &'static str, Option<&'static str>, String) {
    let name = &pair.name;
    let state = match pair.fate {
        Fate::Served => "served",
        Fate::Installed => "installed",
        Fate::Ready => "ready",
        Fate::Pending => return ("pending", "fine", None, format!("dcv-check {name}")),
        Fate::NoKey => "no-key",
        Fate::KeyAlone => return ("key-alone", "fine", None, "--key".to_owned()),
    };
    let between = |from: Date, to: Date| i64::from(from.until(to).unwrap().get_days());
    let margin = (between(pair.from, pair.to) / 3).min(30);
    let renew = match pair.fate {
        Fate::Served | Fate::Installed => format!("renew {name}"),
        _ => format!("csr {name}"),
    };
    // Certificates end at midnight; it is noon.
    if at >= pair.to {
        return (state, "wrong", Some("expired"), renew);
    }
    if at >= days(pair.to, -margin) {
        return (state, "due", Some("due"), renew);
    }
    let step = match pair.fate {
        Fate::Ready => format!("install {name}"),
        Fate::NoKey => "certctl status FOLDER".to_owned(),
        _ => String::new(),
    };
    (state, "fine", None, step)
}

#[test]
fn each_row_says_what_its_dates_say() {
    let site = Site::new();
    let pairs = fleet();
    assert_eq!(pairs.len(), 200);
    let _nginx = set_up(&site, &pairs);
    let sandbox = &site.shop.sandbox;
    for count in [0, 8, 40, 60, 75, 120, 170, 198, 400, 700, 1100] {
        let day = days(today(), count);
        let at = format!("{day}T12:00:00Z");
        let run = sandbox.run(&["status", "--root", "tree", "--at", &at, "--json"]).expect(1).json();
        let rows = run["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 200, "{day}");
        // A key alone has no name: its file tells.
        let key = |row: &Value| row["keys"][0]["path"].as_str().unwrap_or_default().trim_end_matches(".key").to_owned();
        let named: BTreeMap<String, &Value> = rows
            .iter()
            .map(|row| {
                let named = row["names"][0].as_str().map_or_else(|| key(row), str::to_owned);
                (named, row)
            })
            .collect();
        for pair in &pairs {
            let row = named.get(&pair.name).unwrap_or_else(|| panic!("{} is lost on {day}", pair.name));
            let (state, verdict, reason, step) = expected(pair, day);
            assert_eq!((&row["state"], &row["verdict"]), (&state.into(), &verdict.into()), "{day}: {row}");
            if let Some(reason) = reason {
                assert_eq!(row["reasons"][0]["code"], reason, "{day}: {row}");
            }
            let text = row["next"][0]["text"].as_str().unwrap_or_default();
            assert!(text.contains(&step) && text.is_empty() == step.is_empty(), "{day}: {step:?}: {row}");
        }
    }
}
