//! `certctl status`: each state and each reason is reported with the step that fixes it; what
//! cannot be checked is reported, and the rest is checked.
//! Needs: nginx
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use support::ca::{DAYS_LEFT, DAYS_UNTIL_DUE, Leaf, days, noon, today};
use support::external::{external_program, succeed};
use support::held_connections::HeldConnections;
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, LINEAGE};
use support::json::Json;
use support::site::Site;
use support::zip::{bomb, zip};
use support::{Run, Sandbox};

/// Runs `status ARGS --json` for the tree.
fn status(setup: &InstallSandbox, more: &[&str]) -> Run {
    setup
        .sandbox
        .run(&[&["status", "--root", "tree", "--json"], more].concat())
}

fn rows(document: &Json) -> &[Json] {
    document["rows"].as_array().unwrap()
}

/// Returns `NAME STATE VERDICT CODE...` for each row, without rule changes, which have a test of
/// their own.
fn summaries(document: &Json) -> Vec<String> {
    let codes = |row: &Json| {
        row["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["code"].as_str().unwrap().to_owned())
            .filter(|code| !code.starts_with("rule-"))
            .collect::<Vec<_>>()
    };
    let word = |row: &Json, field: &str| row[field].as_str().unwrap().to_owned();
    let line = |row: &Json| {
        [
            vec![word(row, "name"), word(row, "state"), word(row, "verdict")],
            codes(row),
        ]
        .concat()
        .join(" ")
    };
    rows(document).iter().map(line).collect()
}

fn set_mode(sandbox: &Sandbox, path: &str, mode: u32) {
    std::fs::set_permissions(sandbox.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_certificate_is_reported_from_request_to_expiry() {
    let setup = InstallSandbox::new();
    assert_eq!(
        summaries(&status(&setup, &[]).expect(0).json()),
        Vec::<String>::new()
    );
    setup
        .sandbox
        .run(&["csr", "example.com", "www.example.com"])
        .expect(0);
    let pending = status(&setup, &[]).expect(1).json();
    assert_eq!(
        summaries(&pending),
        ["example.com pending due request-pending"]
    );
    let step = rows(&pending)[0]["next"][0]["argv"].to_string();
    assert_eq!(
        step,
        r#"["certctl","--root","tree","dcv-check","example.com"]"#
    );

    let leaf = setup.ca.issue(&setup.sandbox.read("example.com.csr"));
    setup
        .sandbox
        .write("example_com.crt", leaf + &setup.ca.intermediate_pem());
    assert_eq!(
        summaries(&status(&setup, &[]).expect(0).json()),
        ["example.com ready fine unknown-root"]
    );
    setup.install("example_com.crt", &[]).expect(0);
    let fine = status(&setup, &[]).expect(0).json();
    assert_eq!(
        summaries(&fine)[0].split(' ').take(3).collect::<Vec<_>>(),
        ["example.com", "installed", "fine"]
    );
    assert_eq!(
        (&fine["schema"], &fine["verdict"]),
        (&"certctl.status/1".into(), &"fine".into())
    );

    // The certificate is valid for 45 days and due 15 days before it expires.
    let due = DAYS_LEFT - 15;
    for (day, code, verdict) in [
        (due - 1, 0, "fine"),
        (due + 1, 1, "due"),
        (DAYS_LEFT + 2, 1, "wrong"),
    ] {
        let run = status(&setup, &["--at", &noon(day)]).expect(code).json();
        assert_eq!(run["verdict"], verdict, "{day}: {run}");
        let reasons = &rows(&run)[0]["reasons"];
        let first = reasons.iter().next().map(|one| &one["code"]);
        let is_first = |code: &str| first.is_some_and(|first| first == code);
        assert_eq!(is_first("due"), verdict == "due", "{run}");
        assert_eq!(is_first("expired"), verdict == "wrong", "{run}");
    }
    status(&setup, &["--at", &noon(due - 1), "--renew-before", "20d"]).expect(1);
    status(&setup, &["--renew-before", "95%"]).expect(0);
    status(&setup, &["--renew-before", "soon"]).expect(2);
}

#[test]
fn a_key_that_all_users_can_read_is_reported() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    set_mode(&setup.sandbox, KEY, 0o644);
    let run = status(&setup, &[]).expect(1).json();
    assert!(
        summaries(&run)[0].starts_with("example.com installed wrong key-readable-by-others"),
        "{run}"
    );
    let step = rows(&run)[0]["next"][0]["command"].as_str().unwrap();
    let (_, path) = step.split_once("sudo chmod o= ").unwrap();
    assert!(path.ends_with(KEY), "{step}");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o640)).unwrap();
    status(&setup, &[]).expect(0);
}

#[test]
fn certificate_and_key_in_different_folders_are_matched() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    for folder in ["a", "b/c", "d"] {
        std::fs::create_dir_all(sandbox.join(folder)).unwrap();
    }
    sandbox.run(&["csr", "example.com", "-C", "a"]).expect(0);
    let leaf = setup.ca.issue(&sandbox.read("a/example.com.csr"));
    sandbox.write("d/site.pem", &leaf);
    std::fs::rename(
        sandbox.join("a/example.com.key"),
        sandbox.join("b/c/old.bin"),
    )
    .unwrap();
    let alone = sandbox.run(&["status", "d", "--json"]).expect(0).json();
    assert_eq!(summaries(&alone), ["example.com key-missing fine"]);
    let found = sandbox
        .run(&["status", "d", "b", "--json"])
        .expect(0)
        .json();
    // An install refuses it, because its intermediate is nowhere.
    assert_eq!(summaries(&found), ["example.com ready fine unknown-issuer"]);
    let wait = &rows(&found)[0]["next"][0];
    assert_eq!(wait["when"], "later");
    assert_eq!(rows(&found)[0]["keys"][0]["path"], "b/c/old.bin");
    // The next step installs both from their current locations.
    let step = rows(&found)[0]["next"][0]["argv"].as_array().unwrap();
    let mut step: Vec<&str> = step
        .iter()
        .skip(1)
        .map(|word| word.as_str().unwrap())
        .collect();
    assert_eq!(step, ["install", "d/site.pem", "--key", "b/c/old.bin"]);
    sandbox.write("d/bundle.crt", setup.ca.intermediate_pem());
    step.extend([
        "d/bundle.crt",
        "--root",
        "tree",
        "--trust",
        "root.pem",
        "--dry-run",
    ]);
    sandbox.run(&step).expect(0);
    // A file can be passed too.
    sandbox.run(&["status", "d/site.pem"]).expect(0);
    let missing = sandbox.run(&["status", "d/nothing.pem"]).expect(3);
    assert!(missing.stderr.contains("no such file"), "{missing}");
}

#[test]
fn a_zip_with_the_certificate_for_a_request_is_found() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let order = |names: &[&str]| {
        sandbox
            .run(&[&["csr"], names, &["--force"]].concat())
            .expect(0);
        let leaf = setup.ca.issue(&sandbox.read(&format!("{}.csr", names[0])));
        zip(&[
            ("site.crt", leaf),
            ("site.ca-bundle", setup.ca.bundle_pem()),
        ])
    };
    // A zip file for other names, a damaged one, and a zip bomb: no request here waits for these.
    sandbox.write("others.zip", order(&["other.example"]));
    for end in ["csr", "key"] {
        std::fs::remove_file(sandbox.join(&format!("other.example.{end}"))).unwrap();
    }
    sandbox.write("bomb.zip", bomb(64 << 20));
    sandbox.write(
        "half.zip",
        &std::fs::read(sandbox.join("others.zip")).unwrap()[..200],
    );
    // It is listed, because somebody put it here, also beside other certificates.
    assert_eq!(
        summaries(&status(&setup, &[]).expect(0).json()),
        ["other.example key-missing fine unknown-root"]
    );

    sandbox.write(
        "example_com.zip",
        order(&["example.com", "www.example.com"]),
    );
    let ready = status(&setup, &[]).expect(0).json();
    let other = "other.example key-missing fine unknown-root";
    assert_eq!(
        summaries(&ready),
        ["example.com ready fine unknown-root", other]
    );
    assert_eq!(rows(&ready)[0]["places"][0]["found"], "delivery", "{ready}");
    let step = rows(&ready)[0]["next"][0].clone();
    assert_eq!(
        step["argv"].to_string(),
        r#"["certctl","--root","tree","install","example_com.zip","--trust","root.pem"]"#
    );
    setup.install("example_com.zip", &[]).expect(0);
    assert_eq!(
        summaries(&status(&setup, &[]).expect(0).json()),
        ["example.com installed fine", other]
    );
    // One that has expired is of no use without its key.
    let later = status(&setup, &["--at", &noon(400)]).json();
    assert_eq!(rows(&later).len(), 1, "{later}");

    // The certificate for the next renewal, while the first one is in use.
    std::fs::remove_file(sandbox.join("example_com.zip")).unwrap();
    let later = Leaf {
        not_before: today(),
        not_after: days(today(), 300),
        ..Leaf::default()
    };
    sandbox
        .run(&["csr", "example.com", "www.example.com", "--force"])
        .expect(0);
    let leaf = setup.ca.issue_as(&sandbox.read("example.com.csr"), later);
    sandbox.write(
        "mail/example_com.zip",
        zip(&[
            ("site.crt", leaf),
            ("site.ca-bundle", setup.ca.bundle_pem()),
        ]),
    );
    let run = sandbox
        .run(&["status", "mail", "example.com", "--root", "tree", "--json"])
        .expect(0)
        .json();
    let installed = rows(&run)
        .iter()
        .find(|row| row["state"] == "installed")
        .unwrap();
    assert_eq!(installed["reasons"][0]["code"], "newer-ready", "{run}");
    assert_eq!(
        installed["next"][0]["argv"][4], "mail/example_com.zip",
        "{run}"
    );
    // A zip that was passed is listed in any case.
    let alone = sandbox
        .run(&["status", "others.zip", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        summaries(&alone),
        ["other.example key-missing fine unknown-root"]
    );
}

#[test]
fn prepared_and_newer_certificates_are_reported() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    sandbox
        .run(&["csr", "example.com", "www.example.com", "--force"])
        .expect(0);
    let prepared = status(&setup, &["--at", &noon(DAYS_UNTIL_DUE)])
        .expect(1)
        .json();
    assert!(
        summaries(&prepared)[0].contains("installed due due prepared"),
        "{prepared}"
    );
    let later = Leaf {
        not_before: today(),
        not_after: days(today(), 300),
        ..Leaf::default()
    };
    let leaf = setup.ca.issue_as(&sandbox.read("example.com.csr"), later);
    sandbox.write("new.pem", leaf + &setup.ca.intermediate_pem());
    let ready = status(&setup, &["--at", &noon(DAYS_UNTIL_DUE)])
        .expect(1)
        .json();
    let installed = summaries(&ready)
        .into_iter()
        .find(|row| row.contains("installed"))
        .unwrap();
    assert!(
        installed.starts_with("example.com installed due due newer-ready"),
        "{ready}"
    );
    let row = rows(&ready)
        .iter()
        .find(|row| row["state"] == "installed")
        .unwrap();
    assert_eq!(row["next"][0]["argv"][3], "install", "{ready}");
    setup.install("new.pem", &[]).expect(0);
    std::fs::remove_file(sandbox.join("new.crt")).unwrap();
    let done = status(&setup, &[]).expect(0).json();
    assert_eq!(rows(&done).len(), 1, "{done}");
}

#[test]
fn a_certificate_that_nginx_did_not_load_is_reported() {
    let site = Site::new();
    let setup = &site.setup;
    let nginx = site.start("");
    site.renew_and_install(&[]).expect(1);
    nginx.rewrite(&site.block(CHAIN, KEY));
    let config = nginx.config().display().to_string();
    succeed(external_program("nginx").args(["-s", "reload", "-c", &config]));
    setup
        .sandbox
        .run(&[
            "install",
            "example.com",
            "--root",
            "tree",
            "--trust",
            "root.pem",
        ])
        .expect(0);
    let fine = status(setup, &[]).expect(0).json();
    assert!(
        summaries(&fine)[0].starts_with("example.com served fine"),
        "{fine}"
    );
    let shown = rows(&fine)[0]["places"]
        .as_array()
        .unwrap()
        .iter()
        .any(|place| place["kind"] == "address");
    assert!(shown, "{fine}");

    // There are new files, but nginx still uses the old ones.
    setup.write_delivery("next.crt");
    setup
        .install("next.crt", &["--server", "none", "--probe", "none"])
        .expect(0);
    let settings = format!("{LINEAGE}/settings.json");
    let mut document = Json::parse(&setup.sandbox.read(&settings));
    document.set("server", "nginx");
    setup.sandbox.write(&settings, document.to_string());
    let stale = status(setup, &[]).expect(1).json();
    let installed = rows(&stale)
        .iter()
        .find(|row| row["state"] == "installed")
        .unwrap();
    assert_eq!(
        installed["reasons"][0]["code"], "served-certificate-differs",
        "{stale}"
    );
    let message = installed["reasons"][0]["message"].as_str().unwrap();
    // One message for all names and addresses.
    assert!(
        message.starts_with("another certificate (example.com, expires on "),
        "{message}"
    );
    let at = format!(
        " is served for example.com, www.example.com at 127.0.0.1:{} instead of the files on disk",
        site.port
    );
    assert!(message.ends_with(&at), "{message}");
    assert_eq!(
        installed["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["code"] == "served-certificate-differs")
            .count(),
        1
    );
    assert!(
        rows(&stale).iter().any(|row| row["state"] == "served"),
        "the old certificate has a row too: {stale}"
    );
    succeed(external_program("nginx").args(["-s", "reload", "-c", &config]));
    let ends = Instant::now() + Duration::from_secs(20);
    while status(setup, &[]).code != 0 {
        assert!(Instant::now() < ends, "{}", status(setup, &[]));
    }
    drop(nginx);
    let silent = status(setup, &[]).expect(1).json();
    assert!(
        summaries(&silent)[0].contains("installed wrong not-served"),
        "{silent}"
    );
}

#[test]
fn hosts_are_probed_concurrently_and_an_unresponsive_one_delays_no_other() {
    let site = Site::new();
    let setup = &site.setup;
    site.plain("pair.pem", "pair.key");
    let _nginx = site.start(&site.block("pair.pem", "pair.key"));
    let held = HeldConnections::default();
    let stalls = held.serve(|_| {}).to_string();
    let counted = |answer: fn(TcpStream)| {
        let held = held.clone();
        serve(move |connection| {
            held.pass();
            answer(connection);
        })
    };
    let talks = counted(|mut connection| drop(connection.write_all(&[b'x'; 100_000])));
    // The data of the client is not read from the socket, so that the connection ends with a reset.
    let resets = counted(|connection| drop(connection.peek(&mut [0])));
    // The beginning of a handshake message of 16 MiB, and 100 MB of records after it.
    let floods = counted(|mut connection| {
        let mut record = vec![22, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff];
        record.resize(5 + 0x4000, b'x');
        let sent = (0..6104)
            .take_while(|_| connection.write_all(&record).is_ok())
            .count();
        assert!(sent < 6104, "no client reads all of it");
    });
    let good = format!("127.0.0.1:{}", site.port);
    let closed = format!("127.0.0.1:{}", support::nginx::free_port());
    let hosts = [&stalls, &good, &talks, &resets, &floods, &closed].map(String::as_str);
    let run = setup
        .sandbox
        .run(&[&["status"], &hosts[..], &["--json"]].concat())
        .expect(1)
        .json();
    let counts = held.counts();
    assert_eq!(counts.accepted, 4, "each host is probed once: {counts:?}");
    assert_eq!(
        counts.accepted_before_first_close,
        Some(4),
        "the others are probed while one stalls: {counts:?}"
    );
    assert_eq!(rows(&run).len(), 1, "{run}");
    assert_eq!(rows(&run)[0]["state"], "served");
    assert_eq!(rows(&run)[0]["places"][0]["address"], good);
    let silent: Vec<&str> = run["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["code"] == "host-no-answer")
        .map(|one| one["message"].as_str().unwrap())
        .collect();
    assert_eq!(silent.len(), 5, "{run}");
    for (host, why) in [
        (&stalls, "no handshake within"),
        (&talks, "does not speak TLS"),
        (&resets, "closed the connection"),
        (&floods, "more than 64 KiB of certificates"),
        (&closed, "refused"),
    ] {
        assert!(
            silent
                .iter()
                .any(|message| message.contains(host) && message.contains(why)),
            "{why}: {silent:#?}"
        );
    }
}

/// Servers that never finish a handshake, three of each kind: they send nothing, half a message, a
/// byte of a message from time to time, or do not accept the connection.
fn stalling(held: &HeldConnections) -> (Vec<String>, Box<dyn std::any::Any>) {
    // The beginning of a handshake message that is never completed.
    let half = [22, 3, 3, 1, 0, 2, 0, 0, 0xfc, 3, 3];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let full = (0..3).map(|_| {
        let _inside = runtime.enter();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        // This connection fills the backlog and is never accepted.
        let waits = TcpStream::connect(address).unwrap();
        (address, listener, waits)
    });
    let full: Vec<_> = full.collect();
    let mut hosts: Vec<String> = full
        .iter()
        .map(|(address, ..)| address.to_string())
        .collect();
    for _ in 0..3 {
        hosts.push(held.serve(|_| {}).to_string());
        hosts.push(
            held.serve(move |connection| connection.write_all(&half).unwrap())
                .to_string(),
        );
        let drip = move |connection: &mut TcpStream| {
            let mut writer = connection.try_clone().unwrap();
            let _ = std::thread::spawn(move || {
                let mut drops = half.into_iter().chain(std::iter::repeat(0));
                while drops
                    .next()
                    .is_some_and(|one| writer.write_all(&[one]).is_ok())
                {
                    std::thread::sleep(Duration::from_millis(100));
                }
            });
        };
        hosts.push(held.serve(drip).to_string());
    }
    (hosts, Box::new((runtime, full)))
}

#[test]
fn a_stream_reports_responsive_hosts_before_unresponsive_ones() {
    let site = Site::new();
    let setup = &site.setup;
    site.plain("pair.pem", "pair.key");
    let good: Vec<String> = (1..=12)
        .map(|last| format!("127.0.0.{last}:{}", site.port))
        .collect();
    let listens: String = good
        .iter()
        .map(|host| format!("listen {host} ssl; "))
        .collect();
    let usual = format!("listen 127.0.0.1:{} ssl;", site.port);
    let _nginx = site.start(&site.block("pair.pem", "pair.key").replace(&usual, &listens));
    let held = HeldConnections::default();
    let (stalling, _full) = stalling(&held);
    let hosts = stalling.iter().chain(&good).map(String::as_str);
    let run = setup.sandbox.run_command(
        setup.sandbox.command(
            &["status", "--jsonl"]
                .into_iter()
                .chain(hosts)
                .collect::<Vec<_>>(),
        ),
    );
    let run = run.expect(1);
    // Each has ten seconds, all at the same time: when the first one times out, all have been
    // probed. Three never accept.
    let counts = held.counts();
    assert_eq!(
        (counts.accepted, counts.accepted_before_first_close),
        (9, Some(9)),
        "{counts:?}"
    );
    let lines = run.json_lines();
    let shown = |line: &Json| {
        good.iter()
            .any(|host| line["address"] == host.as_str() && line["verdict"] == "fine")
    };
    assert_eq!(lines.len(), good.len() + stalling.len() + 1, "{run}");
    assert!(lines[..good.len()].iter().all(shown), "{run}");
    for host in &stalling {
        let is_reported = |line: &Json| {
            let message = line["message"].as_str().unwrap_or_default();
            line["code"] == "host-no-answer"
                && message.starts_with(&format!("{host} "))
                && message.contains("within 10 s")
        };
        assert!(lines[good.len()..].iter().any(is_reported), "{host}: {run}");
    }
    let summary = lines.last().unwrap();
    assert_eq!(
        (&summary["fine"], &summary["unreadable"]),
        (&good.len().into(), &stalling.len().into()),
        "{run}"
    );
}

/// Starts a listener that calls `answer` with each connection; returns its address.
fn serve(answer: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || listener.incoming().flatten().for_each(&answer));
    address
}

#[test]
fn a_row_with_a_warning_is_not_called_fine() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("one.crt");
    let chain = sandbox.read("one.crt") + &setup.ca.root_pem();
    sandbox.write("one.crt", chain);
    let run = sandbox.run(&["status", "--root", "tree"]).expect(0);
    let row = run.stdout.lines().find(|line| line.contains("example.com"));
    assert!(row.is_some_and(|row| row.starts_with("warning ")), "{run}");
    assert!(run.stdout.contains("not trusted"), "{run}");
}

#[test]
fn what_was_rolled_back_is_not_suggested_again() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    let later = Leaf {
        not_before: today(),
        not_after: days(today(), 300),
        ..Leaf::default()
    };
    let leaf = setup.ca.issue_as(&sandbox.read("example.com.csr"), later);
    sandbox.write("new.pem", leaf + &setup.ca.intermediate_pem());
    let install = [
        "install", "new.pem", "--trust", "root.pem", "--root", "tree",
    ];
    let text = || sandbox.run(&["status", "--root", "tree"]).stdout;
    assert!(
        text().contains("Install the newer certificate"),
        "{}",
        text()
    );
    sandbox.run(&install).expect(0);
    sandbox
        .run(&["rollback", "example.com", "--root", "tree"])
        .expect(0);
    let after = text();
    assert!(!after.contains("Install the newer certificate"), "{after}");
    assert!(after.contains("rolled back on"), "{after}");
    assert!(
        after.contains("When the reason for the rollback is gone"),
        "{after}"
    );
    // The name means the certificate that was restored.
    assert!(after.contains("install new.pem"), "{after}");
    // Once it is installed again, the rollback no longer counts.
    sandbox.run(&install).expect(0);
    assert!(!text().contains("rolled back on"), "{}", text());
}

/// `csr`, `status` and bare `certctl` lead to the same command: the record that the CA shows is passed
/// on stdin until it is stored. A command that several rows need is printed once.
#[test]
fn a_request_waits_for_the_record_that_the_ca_shows() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let csr = ["csr", "shop.example", "--ca", "namecheap"];
    sandbox.run(&csr).expect(0);
    let row = status(&setup, &[]).expect(1).json();
    let step = rows(&row)[0]["next"][0].clone();
    let command = step["command"].as_str().unwrap();
    assert_eq!(
        command,
        "certctl --root tree dcv-check shop.example --wait --record -"
    );
    assert_eq!(step["when"], "later");
    let bare = sandbox.run(&[]).expect(0).stdout;
    let end = "certctl dcv-check --wait --record -\n";
    assert!(
        bare.ends_with(end) && bare.contains("Namecheap shows"),
        "{bare}"
    );
    // The record is stored, as `dcv-check --record` does it.
    let request = sandbox.run(&["inspect", "shop.example.csr", "--json"]);
    let request = request.expect(0).json();
    let text = |field: &str| request["items"][0][field].as_str().unwrap().to_owned();
    let (first, second) = (
        text("sha256")[..32].to_owned(),
        text("sha256")[32..].to_owned(),
    );
    let record = format!(
        "_{}.shop.example {first}.{second}.69ff68dc5168c.comodoca.com",
        text("md5")
    );
    let check = [
        "dcv-check",
        "--record",
        &record,
        "--resolver",
        "127.0.0.1:9",
    ];
    sandbox.run(&check).expect(4);
    let row = status(&setup, &[]).expect(1).json();
    let command = rows(&row)[0]["next"][0]["command"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(command, "certctl --root tree dcv-check shop.example");
}

/// The served certificate and the request for its next renewal need the same command.
#[test]
fn a_command_that_two_rows_need_is_printed_once() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let at = noon(DAYS_LEFT - 5);
    let sandbox = &setup.sandbox;
    sandbox
        .run(&["renew", "example.com", "--force", "--root", "tree"])
        .expect(0);
    let text = sandbox.run(&["status", "--root", "tree", "--at", &at]);
    let text = text.expect(1).stdout;
    let command = "certctl --root tree dcv-check example.com";
    let lines = text.lines().filter(|line| line.trim().starts_with(command));
    assert_eq!(lines.count(), 1, "{text}");
    assert!(text.contains("2 rows"), "{text}");
}

#[test]
fn a_certificate_is_found_by_the_name_under_which_it_is_installed() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&["--cert-name", "shop"]).expect(0);
    let found = status(&setup, &["shop"]).expect(0).json();
    assert_eq!(summaries(&found), ["example.com installed fine"]);
    assert_eq!(found["findings"].as_array().unwrap().len(), 0, "{found}");
}

#[test]
fn the_key_of_a_ca_is_not_suggested_for_a_site() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let key = rcgen::KeyPair::generate().unwrap();
    sandbox.write_key("ca.key", key.serialize_pem());
    let alone = status(&setup, &[]).expect(0).json();
    assert_eq!(summaries(&alone), ["ca.key unused-key fine"]);
    assert_eq!(rows(&alone)[0]["next"].as_array().unwrap().len(), 1);
    let root = support::ca::ca_params("Company CA").self_signed(&key);
    sandbox.write("ca.pem", root.unwrap().pem());
    let of_ca = status(&setup, &[]).expect(0).json();
    assert_eq!(summaries(&of_ca), ["ca.key unused-key fine key-of-ca"]);
    assert_eq!(rows(&of_ca)[0]["next"].as_array().unwrap().len(), 0);
}
