//! `certctl status` on a tree with a file system whose server does not answer, as with NFS: a real FUSE
//! file system (bindfs) that was stopped.
//! Needs: bindfs mount unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use support::issued_certificate::IssuedCertificate;
use support::json::Json;
use support::namespace::in_mount;

/// Mounts `served` at `t/m`, stops its server where the argument says so, and runs `status`.
const SCRIPT: &str = "\
cp -r t/. tree; mkdir tree/m; ln -s m/x.pem tree/link.pem
bindfs -f served tree/m & server=$!
while ! test -e tree/m/x.pem; do kill -0 $server; sleep 0.1; done
$STOP
certctl status tree --json || code=$?
kill -KILL $server
exit ${code:-0}
";

fn status(stop: &str) -> (i32, Json) {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    for file in ["t/a.pem", "t/z/last.pem", "served/x.pem"] {
        sandbox.write(file, &setup.leaf);
    }
    let script = SCRIPT.replace("$STOP", stop);
    let run = in_mount(sandbox, "size=1m", &script);
    (run.code, run.json())
}

/// The files of the first row, and the texts of the findings.
fn read_and_unread(document: &Json) -> (Vec<&str>, Vec<&str>) {
    let places = document["rows"][0]["places"].as_array().unwrap();
    let findings = document["findings"].as_array().unwrap();
    let paths = places.iter().map(|place| place["path"].as_str().unwrap());
    let messages = findings.iter().map(|one| one["message"].as_str().unwrap());
    (paths.collect(), messages.collect())
}

#[test]
fn a_file_server_that_does_not_answer_delays_no_other_file() {
    let (_, document) = status("true");
    let (paths, _) = read_and_unread(&document);
    for path in ["tree/a.pem", "tree/m/x.pem", "tree/z/last.pem"] {
        assert!(paths.contains(&path), "{document}");
    }

    let (code, document) = status("kill -STOP $server");
    let (paths, messages) = read_and_unread(&document);
    assert_ne!(code, 0, "what was not read is no success: {document}");
    assert!(paths.contains(&"tree/a.pem"), "{document}");
    assert!(paths.contains(&"tree/z/last.pem"), "{document}");
    assert!(!paths.contains(&"tree/m/x.pem"), "{document}");
    let unanswered = messages
        .iter()
        .filter(|message| message.contains("does not answer"));
    assert!(unanswered.count() >= 1, "{document}");
}
