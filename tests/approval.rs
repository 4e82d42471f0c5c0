//! `install --plan ID`: what was approved runs, and nothing else. In a mount namespace with a real
//! nginx, whose configuration is part of what is approved.
//! Needs: nginx unshare mount
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::Run;
use support::install_sandbox::{InstallSandbox, codes};
use support::json::Json;
use support::namespace::in_mount;
use support::nginx::{free_port, write_config};

/// Runs `script` on a machine whose nginx serves the certificate; `plan` prints the id of the plan of
/// an install with these arguments.
fn here(setup: &InstallSandbox, script: &str) -> Run {
    let sandbox = &setup.sandbox;
    for name in ["one", "two"] {
        setup.write_delivery(&format!("{name}.crt"));
        let key = sandbox.join("example.com.key");
        std::fs::rename(key, sandbox.join(&format!("{name}.key"))).unwrap();
        std::fs::remove_file(sandbox.join("example.com.csr")).unwrap();
    }
    let block = format!(
        "server {{ listen 127.0.0.1:{} ssl; server_name example.com www.example.com;\n\
         ssl_certificate /etc/ssl/example.com.fullchain.pem;\n ssl_certificate_key /etc/ssl/private/example.com.key; }}",
        free_port()
    );
    write_config(&sandbox.join("nginx"), &block);
    in_mount(
        sandbox,
        "size=1m",
        &format!(
            "mount -t tmpfs -o mode=755 tmpfs /etc/ssl; mkdir -m 700 /etc/ssl/private; mount -t tmpfs -o mode=755 tmpfs /run
             mount --bind nginx/nginx.conf /etc/nginx/nginx.conf
             certctl install --placeholder example.com www.example.com --server none >/dev/null
             start() {{
               nginx -c \"$PWD/nginx/nginx.conf\" & trap \"kill $!\" EXIT
               for i in 1 2 3 4 5 6 7 8 9 0; do [ -s nginx/nginx.pid ] && break; sleep 0.2; done
             }}
             start
             install() {{ certctl install --trust root.pem --server nginx \"$@\"; }}
             plan() {{ install \"$@\" --dry-run --json | sed 's/.*\"plan_id\":\"//; s/\".*//'; }}
             refused() {{ code=0; install \"$@\" --json >refused.json || code=$?; [ $code = 1 ]; }}
             {script}"
        ),
    )
}

#[test]
fn the_approved_plan_runs_and_nothing_else_does() {
    let setup = InstallSandbox::new();
    let run = here(
        &setup,
        "id=$(plan one.crt --key one.key); sleep 1.1; [ $id = $(plan one.crt --key one.key) ]
         kill $(cat nginx/nginx.pid); for i in $(seq 100); do [ -s nginx/nginx.pid ] || break; sleep 0.1; done; start
         [ $id = $(plan one.crt --key one.key) ]
         refused two.crt --key two.key --plan $id
         refused one.crt --key one.key --key-mode 0640 --plan $id
         refused one.crt --key one.key --plan 0123456789abcdef
         [ ! -e /etc/ssl/certctl/example.com/proven ]
         install one.crt --key one.key --plan $(echo $id | tr a-f A-F) --json >done.json
         refused one.crt --key one.key --plan $id",
    );
    assert_eq!(run.code, 0, "{run}");
    let document = |file: &str| Json::parse(&setup.sandbox.read(file));
    assert_eq!(document("done.json")["verdict"], "live");
    let refused = document("refused.json");
    assert_eq!(
        (&refused["verdict"], &refused["changed"]),
        (&"refused".into(), &false.into())
    );
    assert!(codes(&refused).contains(&"plan-changed"), "{refused}");
    let findings = refused["findings"].as_array().unwrap();
    let finding = findings
        .iter()
        .find(|one| one["code"] == "plan-changed")
        .unwrap();
    assert_eq!(
        finding["next"][0]["command"],
        "certctl install --trust root.pem --server nginx one.crt --key one.key --json --dry-run",
        "{finding}"
    );
}

#[test]
fn a_changed_file_or_configuration_needs_another_approval() {
    let setup = InstallSandbox::new();
    let run = here(
        &setup,
        "install one.crt --key one.key >/dev/null
         id=$(plan two.crt --key two.key)
         echo '# comment' >>nginx/nginx.conf
         refused two.crt --key two.key --plan $id
         kill -HUP $(cat nginx/nginx.pid); sleep 1; refused two.crt --key two.key --plan $id; id=$(plan two.crt --key two.key)
         cp -L /etc/ssl/example.com.fullchain.pem copy; rm /etc/ssl/example.com.fullchain.pem; cp copy /etc/ssl/example.com.fullchain.pem
         refused two.crt --key two.key --plan $id
         other=$(plan two.crt --key two.key); [ $other != $id ]
         install two.crt --key two.key --plan $other >/dev/null",
    );
    assert_eq!(run.code, 0, "{run}");
}

/// The scripts are part of what is approved, those of the command line and those that are saved.
#[test]
fn a_changed_script_needs_another_approval() {
    let setup = InstallSandbox::new();
    let run = here(
        &setup,
        "for script in a-test a-hook; do printf '#!/bin/sh\\nexit 0\\n' >$script; chmod 755 $script; done
         id=$(plan one.crt --key one.key --test \"sh $PWD/a-test\" --after ./a-hook)
         echo '# changed' >>a-test
         refused one.crt --key one.key --test \"sh $PWD/a-test\" --after ./a-hook --plan $id
         id=$(plan one.crt --key one.key --test \"sh $PWD/a-test\" --after ./a-hook)
         install one.crt --key one.key --test \"sh $PWD/a-test\" --after ./a-hook --plan $id >/dev/null
         id=$(plan two.crt --key two.key); echo '# changed' >>a-hook
         refused two.crt --key two.key --plan $id; [ $id != $(plan two.crt --key two.key) ]
         install two.crt --key two.key --plan $(plan two.crt --key two.key) >/dev/null",
    );
    assert_eq!(run.code, 0, "{run}");
    let refused = Json::parse(&setup.sandbox.read("refused.json"));
    assert!(codes(&refused).contains(&"plan-changed"), "{refused}");
}

#[test]
fn what_changes_while_another_certctl_holds_the_lock_is_noticed() {
    let setup = InstallSandbox::new();
    let run = here(
        &setup,
        "install one.crt --key one.key >/dev/null
         id=$(plan two.crt --key two.key)
         printf '#!/bin/sh\\necho held >held; sleep 3\\n' >hook; chmod 755 hook
         install one.crt --key one.key --key-mode 0640 --after \"$PWD/hook\" >first.txt 2>&1 & first=$!
         for i in $(seq 100); do [ -e held ] && break; sleep 0.1; done; [ -e held ]
         other=$(plan two.crt --key two.key); [ $other != $id ]
         refused two.crt --key two.key --plan $id
         wait $first",
    );
    assert_eq!(run.code, 0, "{run}");
}

#[test]
fn several_certificates_and_placeholders_are_approved_as_one_plan() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let install = ["install", "--root", "tree", "--json"];
    let plan = |words: &[&str]| {
        let planned = sandbox.run(&[&install[..], words, &["--dry-run"]].concat());
        planned.expect(0).json()["plan_id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let placeholder = ["--placeholder", "other.example"];
    let id = plan(&placeholder);
    let approved = [&install[..], &placeholder, &["--plan", &id]].concat();
    sandbox.run(&approved).expect(0);
    let again = sandbox.run(&approved).expect(1).json();
    assert!(codes(&again).contains(&"plan-changed"), "{again}");

    setup.write_delivery("first.crt");
    sandbox.run(&["csr", "second.example"]).expect(0);
    let leaf = setup.ca.issue_as(
        &sandbox.read("second.example.csr"),
        support::ca::Leaf::default(),
    );
    sandbox.write("second.crt", setup.ca.bundle_pem() + &leaf);
    let both = ["first.crt", "second.crt", "--trust", "root.pem"];
    let id = plan(&both);
    let alone = [
        &install[..],
        &["first.crt", "--trust", "root.pem", "--plan", &id],
    ]
    .concat();
    sandbox.run(&alone).expect(1);
    let done = sandbox.run(&[&install[..], &both, &["--plan", &id]].concat());
    let done = done.expect(0).json();
    assert_eq!(done["certificates"].as_array().unwrap().len(), 2, "{done}");
    for wrong in ["", "0123", "0123456789abcdeg"] {
        sandbox
            .run(&[&install[..], &both, &["--plan", wrong]].concat())
            .expect(2);
    }
}
