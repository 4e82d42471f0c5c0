//! The last line of `install`: what lets this machine renew by itself. In a mount namespace without a
//! timer, and then with a cron job.
//! Needs: mount unshare
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::install_sandbox::InstallSandbox;
use support::json::Json;
use support::namespace::in_mount;

/// The sentence of the last step, if the step runs something or is about `renew`.
fn last_step(document: &Json) -> Option<&str> {
    let next = document["next"].as_array().unwrap();
    let text = next.last()?["text"].as_str().unwrap();
    text.starts_with("Let ").then_some(text)
}

#[test]
fn the_last_step_lets_this_machine_renew() {
    let setup = InstallSandbox::new();
    setup.write_delivery("one.crt");
    let script = "\
        for folder in /etc/ssl /etc/cron.d /etc/cron.daily /var/spool /etc/systemd/system /run; do
          [ ! -d $folder ] || mount -t tmpfs -o mode=755 tmpfs $folder
        done
        mkdir -m 700 /etc/ssl/private
        install() { certctl install --trust root.pem --server none \"$@\" --json; }
        certctl install --placeholder example.com www.example.com --server none --json >placeholder.json
        install one.crt --key example.com.key --dry-run >planned.json
        install one.crt --key example.com.key >none.json
        install one.crt --key example.com.key --root tree >tree.json
        echo '17 3 * * * root certctl renew -q' >/etc/cron.d/renew
        install one.crt --key example.com.key >cron.json";
    let run = in_mount(&setup.sandbox, "size=1m", script);
    assert_eq!(run.code, 0, "{run}");
    let document = |file: &str| Json::parse(&setup.sandbox.read(file));
    let none = document("none.json");
    let step = last_step(&none).unwrap_or_else(|| panic!("{none}"));
    // Which of the two depends on whether cron is installed.
    let expected = [
        "Let cron prepare its renewal when it is due (it looks twice a day)",
        "Let this machine run `certctl renew` every day",
    ];
    assert!(expected.iter().any(|text| step.starts_with(text)), "{step}");
    for file in ["placeholder.json", "planned.json", "tree.json", "cron.json"] {
        let other = document(file);
        assert_eq!(last_step(&other), None, "{file}: {other}");
    }
}
