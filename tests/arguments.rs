//! What an argument means: a name that is known here, else an existing path. A slash or the suffix of
//! a certificate forces a file.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::install_sandbox::InstallSandbox;
use support::issued_certificate::IssuedCertificate;
use support::json::Json;

/// Returns the kinds of the items that `inspect` shows.
fn kinds(document: &Json) -> Vec<&str> {
    let items = document["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["kind"].as_str().unwrap())
        .collect()
}

#[test]
fn a_name_known_here_takes_precedence_over_a_path() {
    let issued = IssuedCertificate::new();
    let sandbox = &issued.sandbox;
    sandbox.write("chain.pem", issued.chain());
    // A file with the spelling of the name, and a file with the suffix of a certificate.
    sandbox.write("example.com", issued.ca.root_pem());
    let inspect = |text: &str| sandbox.run(&["inspect", text, "--json"]).expect(0).json();
    let of_name = inspect("example.com");
    assert!(kinds(&of_name).contains(&"request"), "{of_name}");
    let of_file = inspect("./example.com");
    assert_eq!(kinds(&of_file), ["certificate"], "{of_file}");
    assert!(!kinds(&inspect("root.pem")).contains(&"request"));
    // The same for commands that resolve several arguments.
    let bundle = |text: &str| sandbox.run(&["bundle", text, "--trust", "root.pem", "--json"]);
    assert_eq!(bundle("example.com").expect(0).json()["verdict"], "right");
    bundle("./example.com").expect(1);
    // Without a request or certificate of that name, the path is meant.
    sandbox.write("other.example", issued.ca.root_pem());
    assert_eq!(kinds(&inspect("other.example")), ["certificate"]);
}

#[test]
fn a_folder_does_not_hide_a_name() {
    let issued = IssuedCertificate::new();
    issued
        .sandbox
        .write("example.com/root.pem", issued.ca.root_pem());
    let inspect = |text: &str| {
        issued
            .sandbox
            .run(&["inspect", text, "--json"])
            .expect(0)
            .json()
    };
    assert!(kinds(&inspect("example.com")).contains(&"request"));
    assert_eq!(kinds(&inspect("./example.com")), ["certificate"]);
    assert_eq!(kinds(&inspect("example.com/")), ["certificate"]);
}

#[test]
fn an_installed_name_takes_precedence_over_a_path() {
    let installed_sandbox = InstallSandbox::new();
    installed_sandbox.renew_and_install(&[]).expect(0);
    let sandbox = &installed_sandbox.sandbox;
    // Another folder, in which only the spelling of the name exists.
    sandbox.write("elsewhere/example.com", "neither a certificate nor a key\n");
    let verify = |text: &str| {
        let args = [
            "verify",
            text,
            "--root",
            "../tree",
            "--trust",
            "../root.pem",
            "--json",
        ];
        let mut command = sandbox.command(&args);
        command.current_dir(sandbox.join("elsewhere"));
        sandbox.run_command(command)
    };
    let from_name = verify("example.com").expect(0).json();
    let certificates = from_name["certificates"].as_array().unwrap();
    let file = certificates[0]["file"].as_str().unwrap();
    assert!(file.contains("tree/etc/ssl"), "{from_name}");
    verify("./example.com").expect(3);
}

#[test]
fn status_prefers_a_known_name_to_a_path() {
    let issued = IssuedCertificate::new();
    issued.sandbox.write("example.com", issued.ca.root_pem());
    let rows = |text: &str| {
        let run = issued
            .sandbox
            .run(&["status", text, "--root", "tree", "--json"]);
        run.json()["rows"].to_string()
    };
    assert!(rows("example.com").contains("example.com.csr"));
    assert!(!rows("./example.com").contains("example.com.csr"));
    assert!(!rows("root.pem").contains("example.com.csr"));
}
