//! Files with saved options that this version did not write: every option of certctl 42475f8, alone
//! and together, fields of a later version, and files that are damaged, too large or open to others.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

use support::install_sandbox::{CHAIN, InstallSandbox, KEY, LINEAGE, codes, tree};
use support::json::Json;
use support::namespace::is_root;

/// An installed certificate whose saved options a test replaces, and the next certificate.
struct Upgraded {
    setup: InstallSandbox,
    path: PathBuf,
    saved: Json,
}

impl Upgraded {
    fn new() -> Self {
        let setup = InstallSandbox::new();
        for _ in 0..2 {
            setup.renew_and_install(&[]).expect(0);
        }
        setup.write_delivery("next.crt");
        let file = format!("{LINEAGE}/settings.json");
        Self {
            path: setup.sandbox.join(&file),
            saved: Json::parse(&setup.sandbox.read(&file)),
            setup,
        }
    }

    /// Saves the history of the install with these options, as certctl 42475f8 wrote them.
    fn save(&self, options: &[(&str, String)]) {
        let root = self.setup.sandbox.join("root.pem").display().to_string();
        let mut fields = vec![format!("\"trust\": \"{root}\"")];
        for field in ["history", "chain_path", "key_path"] {
            fields.push(format!("\"{field}\": {}", self.saved[field]));
        }
        for (name, value) in options {
            fields.push(format!("\"{name}\": {value}"));
        }
        let text = format!("{{\n  {}\n}}\n", fields.join(",\n  "));
        std::fs::write(&self.path, text).unwrap();
    }

    fn run(&self, args: &[&str]) -> support::Run {
        let args = [args, &["--root", "tree", "--json"]].concat();
        self.setup.sandbox.run(&args)
    }

    fn settings(&self) -> Json {
        Json::parse(&std::fs::read_to_string(&self.path).unwrap())
    }
}

/// Every option that certctl 42475f8 saved, with a value that works in an empty tree. Only root can
/// give a key to another group.
fn options() -> Vec<(&'static str, String)> {
    let links = "[{\"path\": \"/etc/ssl/private/example.com.pem\", \"piece\": \"combined\"}]";
    let mut options = vec![
        ("server", "\"none\""),
        ("key_mode", "\"0640\""),
        ("test", "\"true\""),
        ("reload", "\"true\""),
        ("folder", "\"/root/requests\""),
        ("request", "\"example.com\""),
        ("ca", "\"namecheap\""),
        ("paid_until", "\"2027-06-10\""),
        ("links", links),
    ];
    if is_root() {
        options.push(("key_owner", "[0, 114]"));
    }
    options
        .into_iter()
        .map(|(name, value)| (name, value.to_owned()))
        .collect()
}

#[test]
fn each_option_of_the_previous_version_is_used_and_kept() {
    let all = options();
    let mut combinations: Vec<Vec<(&str, String)>> =
        all.iter().map(|option| vec![option.clone()]).collect();
    for pair in all.windows(2) {
        combinations.push(pair.to_vec());
    }
    combinations.push(all);
    let upgraded = Upgraded::new();
    let sandbox = &upgraded.setup.sandbox;
    for mut options in combinations {
        // The owner was only ever saved together with the mode.
        if matches!(
            &options[..],
            [("key_owner", _)] | [(_, _), ("key_owner", _)]
        ) {
            options.push(("key_mode", "\"0640\"".to_owned()));
        }
        upgraded.save(&options);
        let before = tree(&sandbox.join("tree"));
        for args in [
            &["status"][..],
            &["renew", "--dry-run"],
            &["rollback", "example.com", "--dry-run"],
            &["forget", "example.com", "--dry-run"],
        ] {
            let run = upgraded.run(args);
            assert!([0, 1].contains(&run.code), "{options:?} {args:?}: {run}");
        }
        assert_eq!(tree(&sandbox.join("tree")), before, "{options:?}");
        let installed = upgraded.run(&["install", "next.crt"]).expect(0).json();
        let settings = upgraded.settings();
        for (name, value) in &options {
            // Where the request is, is known better now.
            if ["folder", "request"].contains(name) {
                continue;
            }
            assert_eq!(settings[*name], Json::parse(value), "{name}: {installed}");
        }
        upgraded.run(&["rollback", "example.com"]).expect(0);
    }
}

#[test]
fn fields_of_a_later_version_outlive_a_downgrade() {
    let upgraded = Upgraded::new();
    let later = [
        ("renewal", "{\"by\": \"api\", \"times\": [1, 2]}".to_owned()),
        ("zone", "\"example.com\"".to_owned()),
    ];
    upgraded.save(&later);
    upgraded.run(&["install", "next.crt"]).expect(0);
    upgraded.run(&["rollback", "example.com"]).expect(0);
    let settings = upgraded.settings();
    for (field, value) in &later {
        assert_eq!(settings[*field], Json::parse(value));
    }
}

#[test]
fn files_that_cannot_be_trusted_change_nothing() {
    let upgraded = Upgraded::new();
    let sandbox = &upgraded.setup.sandbox;
    let served = (sandbox.read(CHAIN), sandbox.read(KEY));
    let huge = format!(
        "{{\"history\": [], \"padding\": \"{}\"}}",
        "x".repeat(1 << 20)
    );
    for text in [
        "",
        "{",
        "[]",
        "\u{0}\u{1}",
        "{\"history\": 5}",
        "{\"history\": [{\"release\": \"../../etc\", \"at\": \"2026-01-01T00:00:00Z\"}]}",
        "{\"history\": [], \"server\": 5}",
        huge.as_str(),
    ] {
        std::fs::write(&upgraded.path, text).unwrap();
        let shown: String = text.chars().take(60).collect();
        for args in [&["install", "next.crt"][..], &["rollback", "example.com"]] {
            let run = upgraded.run(args);
            assert!([1, 3, 4].contains(&run.code), "{shown}: {run}");
        }
        let checked = upgraded.run(&["install", "--check"]);
        assert!([1, 3, 4].contains(&checked.code), "{shown}: {checked}");
        assert_eq!(std::fs::read_to_string(&upgraded.path).unwrap(), text);
        assert_eq!((sandbox.read(CHAIN), sandbox.read(KEY)), served, "{shown}");
    }

    upgraded.save(&[("test", "\"true\"".to_owned())]);
    std::fs::set_permissions(&upgraded.path, Permissions::from_mode(0o664)).unwrap();
    if is_root() {
        chown(&upgraded.path, None, Some(4242)).unwrap();
    }
    let refused = upgraded.run(&["install", "--check"]).expect(1).json();
    assert!(codes(&refused).contains(&"drift-settings"), "{refused}");
    if is_root() {
        std::fs::set_permissions(&upgraded.path, Permissions::from_mode(0o644)).unwrap();
        chown(&upgraded.path, Some(4242), None).unwrap();
        let run = upgraded.run(&["install", "next.crt"]);
        assert_ne!(run.code, 0, "{run}");
        assert_eq!((sandbox.read(CHAIN), sandbox.read(KEY)), served);
    }
}

/// A later version may know more servers than this one.
#[test]
fn a_server_of_a_later_version_is_named_with_the_commands_that_choose_another() {
    let upgraded = Upgraded::new();
    upgraded.save(&[("server", "\"later\"".to_owned())]);
    let sandbox = &upgraded.setup.sandbox;
    let before = tree(&sandbox.join("tree"));
    for (args, step) in [
        (
            &["install", "next.crt"][..],
            "certctl install next.crt --root tree --json --server nginx",
        ),
        (
            &["rollback", "example.com"],
            "certctl install example.com --server nginx --root tree",
        ),
    ] {
        let failed = upgraded.run(args).expect(3).json();
        let error = &failed["error"];
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("the saved server later"), "{failed}");
        let steps: Vec<&str> = error["next"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["command"].as_str().unwrap())
            .collect();
        assert!(steps.contains(&step), "{failed}");
    }
    upgraded.run(&["install", "--check"]).expect(3);
    assert_eq!(tree(&sandbox.join("tree")), before);
    upgraded
        .run(&["install", "next.crt", "--server", "none"])
        .expect(0);
    assert_eq!(upgraded.settings()["server"], "none");
}
