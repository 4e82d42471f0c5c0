//! Every format that `bundle` writes is read by other programs.
//! Needs: openssl, certtool, keytool, nginx, haproxy, python3
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::os::unix::fs::PermissionsExt;

use support::external::{external_program, path_of, succeed};
use support::issued_certificate::IssuedCertificate;
use support::mask::masked;
use support::nginx::{free_port, write_config};
use support::program::program;
use support::{Run, Sandbox};

const ALL: [&str; 7] = ["pem", "cert", "chain", "der", "p7b", "pfx", "haproxy"];
const PASSWORD: &str = "gehe im€";

/// Returns a sandbox with the chain file and a password file.
fn issued() -> IssuedCertificate {
    let setup = IssuedCertificate::new();
    setup.sandbox.write("in.pem", setup.chain());
    setup
        .sandbox
        .write("password", format!("{PASSWORD}\r\nnot this\n"));
    setup
}

fn bundle(sandbox: &Sandbox, more: &[&str]) -> Run {
    let fixed = [
        "bundle",
        "in.pem",
        "--trust",
        "root.pem",
        "--pfx-password-file",
        "password",
    ];
    sandbox.run(&[fixed.as_slice(), more].concat())
}

fn all(sandbox: &Sandbox, more: &[&str]) -> Run {
    let formats: Vec<&str> = ALL.iter().flat_map(|format| ["--format", format]).collect();
    bundle(sandbox, &[formats.as_slice(), more].concat())
}

fn run(sandbox: &Sandbox, program: &str, args: &[&str]) -> String {
    succeed(
        external_program(program)
            .args(args)
            .current_dir(sandbox.path()),
    )
}

fn count(text: &str, word: &str) -> usize {
    text.matches(word).count()
}

#[test]
fn openssl_and_gnutls_read_all_formats() {
    let setup = issued();
    let sandbox = &setup.sandbox;
    for strength in [&[][..], &["--legacy"]] {
        all(sandbox, strength).expect(0);
        let openssl = |args: &[&str]| run(sandbox, "openssl", args);
        for (file, form) in [
            ("fullchain.pem", "PEM"),
            ("cert.pem", "PEM"),
            ("cer", "DER"),
            ("haproxy.pem", "PEM"),
        ] {
            let printed = openssl(&[
                "x509",
                "-in",
                &format!("example.com.{file}"),
                "-inform",
                form,
                "-noout",
                "-subject",
            ]);
            assert_eq!(printed.trim(), "subject=CN = example.com", "{file}");
        }
        let printed = openssl(&["x509", "-in", "example.com.chain.pem", "-noout", "-subject"]);
        assert!(printed.contains("Test DV CA R2"), "{printed}");
        let printed = openssl(&["pkcs7", "-in", "example.com.p7b", "-print_certs", "-noout"]);
        assert_eq!(
            (count(&printed, "subject="), count(&printed, "issuer=")),
            (2, 2),
            "{printed}"
        );
        let key = openssl(&["pkey", "-in", "example.com.key", "-pubout"]);
        assert_eq!(
            openssl(&["pkey", "-in", "example.com.haproxy.pem", "-pubout"]),
            key
        );
        let password = format!("pass:{PASSWORD}");
        let mut args = vec![
            "pkcs12",
            "-in",
            "example.com.pfx",
            "-passin",
            &password,
            "-info",
            "-nodes",
        ];
        args.extend((!strength.is_empty()).then_some("-legacy"));
        let printed = openssl(&args);
        assert_eq!(
            (
                count(&printed, "BEGIN CERTIFICATE"),
                count(&printed, "BEGIN PRIVATE KEY")
            ),
            (2, 1),
            "{printed}"
        );
        let cipher = if strength.is_empty() {
            "PBES2, PBKDF2, AES-256-CBC"
        } else {
            "pbeWithSHA1And3-KeyTripleDES-CBC"
        };
        assert_eq!(count(&printed, cipher), 2, "{printed}");
        assert!(printed.contains("friendlyName: example.com"), "{printed}");

        let certtool = |args: &[&str]| run(sandbox, "certtool", args);
        let printed = certtool(&[
            "--p12-info",
            "--inder",
            "--infile",
            "example.com.pfx",
            "--password",
            PASSWORD,
        ]);
        assert_eq!(
            (
                count(&printed, "BEGIN CERTIFICATE"),
                count(&printed, "PRIVATE KEY-----") / 2
            ),
            (2, 1),
            "{printed}"
        );
        assert!(
            certtool(&["--p7-info", "--infile", "example.com.p7b"])
                .contains("Number of certificates: 2")
        );
        let printed = certtool(&[
            "--certificate-info",
            "--inder",
            "--infile",
            "example.com.cer",
        ]);
        assert!(printed.contains("DNSname: www.example.com"), "{printed}");
        for file in ["fullchain.pem", "haproxy.pem"] {
            let printed = certtool(&[
                "--certificate-info",
                "--infile",
                &format!("example.com.{file}"),
            ]);
            assert!(printed.contains("DNSname: example.com"), "{printed}");
        }
    }
}

#[test]
fn java_and_python_read_all_formats() {
    let setup = issued();
    let sandbox = &setup.sandbox;
    // Java keystores accept only ASCII passwords (RFC 7292 B.1 allows more).
    sandbox.write("password", "geheim\n");
    for strength in [&[][..], &["--legacy"]] {
        all(sandbox, strength).expect(0);
        let keytool = |args: &[&str]| run(sandbox, "keytool", args);
        for (file, certificates) in [
            ("fullchain.pem", 2),
            ("cert.pem", 1),
            ("chain.pem", 1),
            ("cer", 1),
            ("p7b", 2),
        ] {
            let printed = keytool(&["-printcert", "-file", &format!("example.com.{file}")]);
            assert_eq!(
                count(&printed, "Owner: "),
                certificates,
                "{file}: {printed}"
            );
        }
        let store = [
            "-list",
            "-v",
            "-storetype",
            "PKCS12",
            "-keystore",
            "example.com.pfx",
            "-storepass",
            "geheim",
        ];
        let printed = keytool(&store);
        assert!(
            printed.contains("Alias name: example.com")
                && printed.contains("Certificate chain length: 2"),
            "{printed}"
        );

        let printed = succeed(
            external_program("python3")
                .arg("-c")
                .arg(PYTHON)
                .current_dir(sandbox.path()),
        );
        assert_eq!(printed.trim(), "example.com 2 True");
    }
    path_of("/usr/lib/python3/dist-packages/cryptography");
}

const PYTHON: &str = r#"
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12, pkcs7, load_pem_private_key
read = lambda end: open("example.com." + end, "rb").read()
leaf = x509.load_der_x509_certificate(read("cer"))
for end in "fullchain.pem", "cert.pem", "haproxy.pem":
    assert x509.load_pem_x509_certificate(read(end)) == leaf, end
ca = x509.load_pem_x509_certificate(read("chain.pem"))
assert leaf in pkcs7.load_pem_pkcs7_certificates(read("p7b")) and ca in pkcs7.load_pem_pkcs7_certificates(read("p7b"))
key, one, more = pkcs12.load_key_and_certificates(read("pfx"), b"geheim")
assert one == leaf and more == [ca]
key2 = load_pem_private_key(read("haproxy.pem"), None)
same = key.public_key().public_numbers() == leaf.public_key().public_numbers() == key2.public_key().public_numbers()
names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
print(names[0], 1 + len(more), same)
"#;

#[test]
fn web_servers_load_all_formats() {
    let setup = issued();
    let sandbox = &setup.sandbox;
    all(sandbox, &[]).expect(0);
    let (port, here) = (free_port(), sandbox.path().display());
    for (chain, key) in [("fullchain.pem", "key"), ("haproxy.pem", "haproxy.pem")] {
        let http = format!(
            "server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {here}/example.com.{chain}; \
             ssl_certificate_key {here}/example.com.{key}; }}"
        );
        let config = write_config(&sandbox.join("nginx"), &http);
        succeed(external_program("nginx").arg("-t").arg("-c").arg(config));
    }
    let config = format!(
        "global\n maxconn 8\ndefaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\nfrontend f\n \
         bind 127.0.0.1:{port} ssl crt {here}/example.com.haproxy.pem\n default_backend b\nbackend b\n server s 127.0.0.1:1\n"
    );
    let config = sandbox.write("haproxy.cfg", config);
    succeed(external_program("haproxy").arg("-c").arg("-f").arg(config));
}

#[test]
fn json_document_and_server_lines_are_complete() {
    let setup = issued();
    let sandbox = &setup.sandbox;
    let document = all(sandbox, &["--json"]).expect(0).json();
    insta::assert_snapshot!(document["certificates"][0]["outputs"], @r#"
    [{"format":"pem","path":"example.com.fullchain.pem","mode":"0644","holds_key":false,"changed":true},{"format":"cert","path":"example.com.cert.pem","mode":"0644","holds_key":false,"changed":true},{"format":"chain","path":"example.com.chain.pem","mode":"0644","holds_key":false,"changed":true},{"format":"der","path":"example.com.cer","mode":"0644","holds_key":false,"changed":true},{"format":"p7b","path":"example.com.p7b","mode":"0644","holds_key":false,"changed":true},{"format":"pfx","path":"example.com.pfx","mode":"0600","holds_key":true,"changed":true},{"format":"haproxy","path":"example.com.haproxy.pem","mode":"0600","holds_key":true,"changed":true}]
    "#);
    for output in document["certificates"][0]["outputs"].as_array().unwrap() {
        let meta = std::fs::metadata(sandbox.join(output["path"].as_str().unwrap())).unwrap();
        assert_eq!(
            format!("{:04o}", meta.permissions().mode() & 0o7777),
            output["mode"].as_str().unwrap()
        );
    }
    let again = all(sandbox, &["--json"]).expect(0).json();
    assert_eq!(again["changed"], false, "{again}");
    let targets = [
        "apache",
        "haproxy",
        "postfix",
        "dovecot",
        "tomcat",
        "iis",
        "windows2016",
        "aws-acm",
        "nginx",
    ];
    let args: Vec<&str> = targets
        .iter()
        .flat_map(|target| ["--for", target])
        .collect();
    let text = bundle(sandbox, &args).expect(0);
    insta::assert_snapshot!(masked(&text.to_string()), @r#"
    found   example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate; trusted by root.pem
            example.com.fullchain.pem is up to date
            example.com.haproxy.pem (0600) is up to date
    wrote   example.com.pfx (0600)
    found   example.com.cert.pem is up to date
            example.com.chain.pem is up to date
    next    For Apache, copy the files on the server:
                sudo install -m 0644 example.com.fullchain.pem /etc/ssl/example.com.fullchain.pem
                sudo install -m 0600 example.com.key /etc/ssl/private/example.com.key
    next    For Apache, add these lines to the VirtualHost; they also replace SSLCertificateChainFile:
                SSLCertificateFile    /etc/ssl/example.com.fullchain.pem
                SSLCertificateKeyFile /etc/ssl/private/example.com.key
    next    Then check and reload Apache:
                sudo apachectl configtest && sudo apachectl graceful
    next    For HAProxy, copy the files on the server:
                sudo install -m 0600 example.com.haproxy.pem /etc/ssl/private/example.com.pem
    next    For HAProxy, add this line to the frontend:
                bind :443 ssl crt /etc/ssl/private/example.com.pem alpn h2,http/1.1
    next    Then check and reload HAProxy:
                sudo haproxy -c -f /etc/haproxy/haproxy.cfg && sudo systemctl reload haproxy
    next    For Postfix, copy the files on the server:
                sudo install -m 0644 example.com.fullchain.pem /etc/ssl/example.com.fullchain.pem
                sudo install -m 0600 example.com.key /etc/ssl/private/example.com.key
    next    For Postfix, add this line to /etc/postfix/main.cf; it replaces smtpd_tls_cert_file and smtpd_tls_key_file:
                smtpd_tls_chain_files = /etc/ssl/private/example.com.key, /etc/ssl/example.com.fullchain.pem
    next    Then check and reload Postfix:
                sudo postfix check && sudo postfix reload
    next    Or let certctl copy the files, reload and verify, now and at each renewal:
                sudo certctl install example.com.fullchain.pem --key example.com.key --server postfix
    next    For Dovecot, copy the files on the server:
                sudo install -m 0644 example.com.fullchain.pem /etc/ssl/example.com.fullchain.pem
                sudo install -m 0600 example.com.key /etc/ssl/private/example.com.key
    next    For Dovecot, add these lines to /etc/dovecot/conf.d/10-ssl.conf if `dovecot --version` prints 2.3 or less:
                ssl_cert = </etc/ssl/example.com.fullchain.pem
                ssl_key = </etc/ssl/private/example.com.key
    next    For Dovecot, add these lines instead if it prints 2.4 or more:
                ssl_server_cert_file = /etc/ssl/example.com.fullchain.pem
                ssl_server_key_file = /etc/ssl/private/example.com.key
    next    Then check and reload Dovecot:
                sudo doveconf -n >/dev/null && sudo doveadm reload
    next    Or let certctl copy the files, reload and verify, now and at each renewal:
                sudo certctl install example.com.fullchain.pem --key example.com.key --server dovecot
    next    For Tomcat, copy the files on the server:
                sudo install -m 0640 -g tomcat example.com.pfx /etc/tomcat9/example.com.pfx
    next    For Tomcat, add these lines to the Connector of server.xml with the password of the file, and restart Tomcat:
                <SSLHostConfig>
                  <Certificate certificateKeystoreFile="/etc/tomcat9/example.com.pfx" certificateKeystoreType="PKCS12"
                               certificateKeystorePassword="PASSWORD" />
                </SSLHostConfig>
    next    For IIS, copy example.com.pfx to the server, run this there in PowerShell as administrator, and choose the certificate in the site's bindings:
                Import-PfxCertificate -FilePath .\example.com.pfx -CertStoreLocation Cert:\LocalMachine\My -Password (Read-Host -AsSecureString)
    next    For Windows Server 2016, copy example.com.pfx to the server, run this there in PowerShell as administrator, and choose the certificate in the site's bindings:
                Import-PfxCertificate -FilePath .\example.com.pfx -CertStoreLocation Cert:\LocalMachine\My -Password (Read-Host -AsSecureString)
    next    For AWS Certificate Manager, import the certificate; to replace an imported one, add `--certificate-arn` with its ARN:
                aws acm import-certificate --certificate fileb://example.com.cert.pem --certificate-chain fileb://example.com.chain.pem --private-key fileb://example.com.key
    next    For nginx, copy the files on the server:
                sudo install -m 0644 example.com.fullchain.pem /etc/ssl/example.com.fullchain.pem
                sudo install -m 0600 example.com.key /etc/ssl/private/example.com.key
    next    For nginx, add these lines to the server block:
                ssl_certificate     /etc/ssl/example.com.fullchain.pem;
                ssl_certificate_key /etc/ssl/private/example.com.key;
    next    Then check and reload nginx:
                sudo nginx -t && sudo nginx -s reload
    --- exit 0
    "#);
}

#[test]
fn existing_keys_are_never_overwritten() {
    let setup = issued();
    let sandbox = &setup.sandbox;
    all(sandbox, &[]).expect(0);
    // A file with the same key may be replaced; a file with another key may not.
    all(sandbox, &["--legacy"]).expect(0);
    let stranger = IssuedCertificate::new();
    let leaf = setup.ca.issue(&stranger.sandbox.read("example.com.csr"));
    sandbox.write("in.pem", format!("{leaf}{}", setup.ca.intermediate_pem()));
    for (name, end) in [("key", "key"), ("csr", "csr")] {
        sandbox.write(
            &format!("example.com.{end}"),
            stranger.sandbox.read(&format!("example.com.{name}")),
        );
    }
    for (format, file) in [
        ("pfx", "example.com.pfx"),
        ("haproxy", "example.com.haproxy.pem"),
    ] {
        let before = std::fs::read(sandbox.join(file)).unwrap();
        let refused = bundle(sandbox, &["--format", "pem", "--format", format]).expect(3);
        assert!(
            refused
                .stderr
                .contains("contains a private key and was not overwritten"),
            "{refused}"
        );
        assert_eq!(std::fs::read(sandbox.join(file)).unwrap(), before);
        // If one file is refused, no other file is written.
        assert!(
            !sandbox
                .read("example.com.fullchain.pem")
                .contains(leaf.lines().nth(5).unwrap())
        );
        bundle(
            sandbox,
            &["--format", format, "--out", &format!("new.{format}")],
        )
        .expect(0);
    }
    // No temporary file is left behind.
    let hidden: Vec<String> = setup
        .listing()
        .into_iter()
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(hidden, Vec::<String>::new());
}

#[test]
fn impossible_formats_are_refused_before_writing() {
    let setup = issued();
    let sandbox = &setup.sandbox;
    let plain = |more: &[&str]| {
        sandbox.run(&[&["bundle", "in.pem", "--trust", "root.pem"][..], more].concat())
    };
    sandbox.write("empty", "\n");
    for (args, code, expected) in [
        (
            &["--format", "pem", "--format", "pfx"][..],
            2,
            "--pfx-password-file password.txt",
        ),
        (
            &["--format", "pfx", "--pfx-password-file", "empty"],
            3,
            "--pfx-empty-password",
        ),
        (
            &["--format", "pfx", "--pfx-password-file", "missing"],
            3,
            "cannot read missing",
        ),
        (
            &["--format", "haproxy", "--out", "-"],
            2,
            "is written only to files",
        ),
        (
            &["--format", "pem", "--format", "der", "--out", "x"],
            2,
            "`--out` takes one format",
        ),
        (&["--legacy"], 2, "--format pfx --legacy"),
        (
            &["--format", "jks"],
            2,
            "the values are pem, cert, chain, der, p7b, pfx, haproxy",
        ),
    ] {
        let refused = plain(args).expect(code);
        assert!(refused.stderr.contains(expected), "{args:?}: {refused}");
    }
    std::fs::remove_file(sandbox.join("example.com.key")).unwrap();
    let refused = plain(&["--format", "pem", "--for", "haproxy"]).expect(3);
    assert!(
        refused.stderr.contains(
            "the haproxy format includes the private key of example.com, which was not found"
        ),
        "{refused}"
    );
    assert!(!sandbox.join("example.com.fullchain.pem").exists());
    // An empty password if the user asks for it; a single format under another name, or on stdout.
    let other = issued();
    let plain = |more: &[&str]| {
        other
            .sandbox
            .run(&[&["bundle", "in.pem", "--trust", "root.pem"][..], more].concat())
    };
    plain(&["--format", "pfx", "--pfx-empty-password"]).expect(0);
    let printed = run(
        &other.sandbox,
        "openssl",
        &[
            "pkcs12",
            "-in",
            "example.com.pfx",
            "-passin",
            "pass:",
            "-nokeys",
        ],
    );
    assert_eq!(count(&printed, "BEGIN CERTIFICATE"), 2);
    assert!(
        plain(&["--format", "p7b", "--out", "-"])
            .expect(0)
            .stdout
            .starts_with("-----BEGIN PKCS7-----\n")
    );
}

#[test]
fn pfx_passwords_are_prompted_for_twice_without_echo() {
    let setup = issued();
    let sandbox = &setup.sandbox;
    let script = format!(
        r#"
import os, pty, sys, time
answers = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execv("{}", ["certctl", "bundle", "in.pem", "--trust", "root.pem", "--format", "pfx"])
printed = b""
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    printed += piece
    if piece.rstrip(b" ").endswith(b":") and answers:
        os.write(terminal, answers.pop(0).encode())
sys.stdout.write(printed.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#,
        program()
    );
    let run_on_terminal = |answers: &[&str]| {
        let output = external_program("python3")
            .arg("-c")
            .arg(&script)
            .args(answers)
            .current_dir(sandbox.path())
            .output()
            .unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (code, printed) = run_on_terminal(&["one\n", "two\n"]);
    assert!(
        code == 3 && printed.contains("the two passwords differ"),
        "{code} {printed}"
    );
    let (code, printed) = run_on_terminal(&["one\n", "one\n"]);
    assert!(
        code == 0 && printed.contains("(not shown)") && !printed.contains("one"),
        "{code} {printed}"
    );
    run(
        sandbox,
        "openssl",
        &[
            "pkcs12",
            "-in",
            "example.com.pfx",
            "-passin",
            "pass:one",
            "-nokeys",
        ],
    );
    let (code, printed) = run_on_terminal(&["on\u{3}"]);
    assert!(
        code == 130 && printed.contains("interrupted"),
        "{code} {printed}"
    );
    let (code, printed) = run_on_terminal(&["\n", "\n"]);
    assert!(
        code == 3 && printed.contains("--pfx-empty-password"),
        "{code} {printed}"
    );
}

#[test]
fn keys_without_a_file_of_their_own_are_reported() {
    let setup = issued();
    let sandbox = &setup.sandbox;
    let key = sandbox.read("example.com.key");
    sandbox.write(
        "in.zip",
        support::zip::zip(&[("a.crt", setup.chain()), ("a.key", key.clone())]),
    );
    std::fs::remove_file(sandbox.join("example.com.key")).unwrap();
    let reported = sandbox
        .run(&[
            "bundle", "in.zip", "--trust", "root.pem", "--for", "postfix",
        ])
        .expect(0);
    assert!(
        reported
            .stdout
            .contains("0600 example.com.key /etc/ssl/private/example.com.key"),
        "{reported}"
    );
    assert!(
        reported
            .stdout
            .contains("if it came with the certificate, repeat the command with `--extract-key`"),
        "{reported}"
    );
    let args = [
        "bundle",
        "in.zip",
        "--trust",
        "root.pem",
        "--for",
        "postfix",
        "--extract-key",
    ];
    let written = sandbox.run(&args).expect(0);
    assert!(
        !written.stdout.contains("which was not found here"),
        "{written}"
    );
    assert_eq!(sandbox.read("example.com.key"), key);
}
