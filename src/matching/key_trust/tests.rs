//! Which key files root may use.

use std::path::PathBuf;

use super::{KeyFileJudgement, KeySource, NodeKind, PathNode, TrustedAccounts, TrustedKeyFile};
use crate::matching::HeldFile;
use crate::permissions::{Mode, Owner};
use crate::pki::key::PublicKeyId;

const ALICE: u32 = 1000;
const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nhalt:x:7:0::/:\nalice:x:1000:1000::/home/alice:\n\
    bob:x:1001:1001::/home/bob:\nbroken\n";
const GROUP: &str = "root:x:0:\nssl-cert:x:114:postgres\nstaff:x:50:alice,bob\nalice:x:1000:\n\
    bob:x:1001:\nalone:x:60:alice\nbad:x:many:\n";

/// Parses mode and owner: `0640 0:114`.
fn node(kind: NodeKind, path: &str, access: &str) -> PathNode {
    let (mode, owner) = access.split_once(' ').unwrap();
    let (uid, gid) = owner.split_once(':').unwrap();
    PathNode {
        path: PathBuf::from(path),
        kind,
        mode: Mode::parse(mode).unwrap(),
        owner: Owner {
            uid: uid.parse().unwrap(),
            gid: gid.parse().unwrap(),
        },
        has_acl: false,
    }
}

fn folder(access: &str) -> PathNode {
    node(NodeKind::Folder, "/d", access)
}

fn file(access: &str) -> PathNode {
    node(NodeKind::File, "/d/k", access)
}

/// Whether a key that is not encrypted is refused.
fn is_refused(judgement: &KeyFileJudgement) -> bool {
    let file = HeldFile {
        path: PathBuf::from("/d/k"),
        value: (),
    };
    let id = PublicKeyId::of_spki(b"any");
    TrustedKeyFile::admit(file, Some(id), judgement).is_err()
}

/// The doubts about a file in a folder, for root with or without alice behind sudo.
fn doubts(users: &[u32], file: &PathNode, folder: PathNode) -> Vec<String> {
    let accounts = TrustedAccounts::new(users, PASSWD, GROUP, None);
    let above = [node(NodeKind::Folder, "/", "0755 0:0"), folder];
    let judgement = KeyFileJudgement::for_root(file, &above, &accounts, KeySource::Found);
    assert_eq!(is_refused(&judgement), !judgement.doubts.is_empty());
    let given = KeyFileJudgement::for_root(file, &above, &accounts, KeySource::Given);
    assert!(!is_refused(&given) && given.doubts == judgement.doubts);
    judgement.doubts.iter().map(ToString::to_string).collect()
}

#[test]
fn root_uses_keys_that_no_other_user_controls() {
    for (key, above) in [
        ("0600 0:0", "0755 0:0"),
        ("0600 0:0", "1777 0:0"),
        ("0640 0:114", "0710 0:114"),
        ("0640 0:50", "0755 0:0"),
        ("0640 0:0", "0775 0:0"),
        ("0644 0:0", "0700 0:0"),
    ] {
        assert!(doubts(&[0], &file(key), folder(above)).is_empty(), "{key}");
    }
}

#[test]
fn root_does_not_use_keys_that_other_users_control() {
    for (key, above, expected) in [
        ("0600 1001:1001", "0755 0:0", "it belongs to user bob"),
        ("0600 4711:4711", "0755 0:0", "it belongs to user 4711"),
        (
            "0600 0:0",
            "0777 0:0",
            "other users may write to /d (mode 0777) and can replace the key",
        ),
        (
            "0600 0:0",
            "2775 0:50",
            "other users may write to /d (mode 2775) and can replace the key",
        ),
        (
            "0600 0:0",
            "0700 1001:1001",
            "user bob owns /d and can replace the key",
        ),
        (
            "0660 0:114",
            "0755 0:0",
            "other users may write to /d/k (mode 0660) and can replace the key",
        ),
        (
            "0644 0:0",
            "0755 0:0",
            "other users can read it (mode 0644)",
        ),
        (
            "0644 0:0",
            "0750 0:50",
            "other users can read it (mode 0644)",
        ),
    ] {
        assert_eq!(doubts(&[0], &file(key), folder(above)), [expected], "{key}");
    }
}

#[test]
fn keys_in_files_of_the_arguments_may_be_readable() {
    let accounts = TrustedAccounts::new(&[0], PASSWD, GROUP, None);
    for (access, refused) in [
        ("0644 0:0", false),
        ("0600 1001:1001", true),
        ("0666 0:0", true),
    ] {
        let above = [folder("0755 0:0")];
        let judgement =
            KeyFileJudgement::for_root(&file(access), &above, &accounts, KeySource::Passed);
        assert!(judgement.doubts.len() == 1 || access.starts_with("0666"));
        assert_eq!(is_refused(&judgement), refused, "{access}");
    }
}

#[test]
fn the_user_behind_sudo_is_trusted_with_a_private_group() {
    let users = [0, ALICE];
    for (key, above) in [
        ("0600 1000:1000", "0755 1000:1000"),
        ("0664 1000:1000", "0770 1000:1000"),
        ("0660 1000:1000", "0775 1000:1000"),
        ("0640 1000:60", "0775 1000:60"),
    ] {
        assert!(
            doubts(&users, &file(key), folder(above)).is_empty(),
            "{key}"
        );
    }
    let shared = doubts(&users, &file("0640 1000:50"), folder("0755 0:0"));
    assert_eq!(shared, ["other users can read it (mode 0640)"]);
    // Without sudo, alice is another user.
    let expected = [
        "it belongs to user alice",
        "user alice owns /d and can replace the key",
    ];
    let hers = doubts(&[0], &file("0600 1000:1000"), folder("0700 1000:1000"));
    assert_eq!(hers, expected);
}

#[test]
fn acls_and_unknown_groups_may_have_other_members() {
    let mut with_acl = folder("0775 1000:1000");
    with_acl.has_acl = true;
    let unknown = folder("0775 1000:4711");
    for shared in [with_acl, unknown] {
        let found = doubts(&[0, ALICE], &file("0600 1000:1000"), shared);
        assert_eq!(
            found,
            ["other users may write to /d (mode 0775) and can replace the key"]
        );
    }
}

#[test]
fn links_of_other_users_are_not_followed() {
    let accounts = TrustedAccounts::new(&[0], PASSWD, GROUP, None);
    for (access, refused) in [("0777 0:0", false), ("0777 1001:1001", true)] {
        let above = [
            node(NodeKind::Folder, "/", "0755 0:0"),
            node(NodeKind::Folder, "/tmp", "1777 0:0"),
            node(NodeKind::Link, "/tmp/k", access),
        ];
        let key = file("0600 0:0");
        let judgement = KeyFileJudgement::for_root(&key, &above, &accounts, KeySource::Found);
        assert_eq!(is_refused(&judgement), refused);
    }
}

#[test]
fn folders_outside_the_user_namespace_count_as_roots() {
    let above = [folder("0755 65534:65534")];
    for (outside, refused) in [(Some(65534), false), (None, true)] {
        let accounts = TrustedAccounts::new(&[0], PASSWD, GROUP, outside);
        let judge = |key| KeyFileJudgement::for_root(&key, &above, &accounts, KeySource::Found);
        assert_eq!(is_refused(&judge(file("0600 0:0"))), refused);
        assert!(is_refused(&judge(file("0600 65534:65534"))));
    }
}

#[test]
fn for_ordinary_users_only_what_all_users_can_read_is_reported() {
    let judge = |key, above| KeyFileJudgement::for_user(&file(key), &[folder(above)]);
    let open = judge("0644 1000:1000", "0755 1000:1000");
    assert!(!is_refused(&open) && open.doubts.len() == 1);
    for (key, above) in [
        ("0600 1000:1000", "0777 1001:1001"),
        ("0644 1000:1000", "0700 1000:1000"),
    ] {
        assert_eq!(judge(key, above).doubts, []);
    }
}

#[test]
fn encrypted_keys_may_be_readable() {
    let accounts = TrustedAccounts::new(&[0], PASSWD, GROUP, None);
    let admit = |access| {
        let judgement = KeyFileJudgement::for_root(&file(access), &[], &accounts, KeySource::Found);
        let held = HeldFile {
            path: PathBuf::from("/d/k"),
            value: (),
        };
        TrustedKeyFile::admit(held, None, &judgement)
    };
    assert!(admit("0644 0:0").is_ok_and(|key| key.doubtful().is_none()));
    let refused = admit("0644 1001:1001").unwrap_err();
    assert_eq!(refused.file.reasons(), "it belongs to user bob");
    assert!(admit("0666 0:0").is_err());
}
