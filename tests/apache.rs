//! certctl and a real Apache: certctl reads the configuration as Apache does, and
//! attributes its complaints.
//! Needs: apache2
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use certctl::facade::store::layout::{ReleaseFile, StableLink};
use certctl::facade::webserver::apache::ApacheDirective;
use certctl::facade::webserver::control::{
    ApacheProgram, ControlledServer, ServerDetail, ServerObservation, ServerProgram,
};
use certctl::facade::webserver::model::ComplaintSubject;
use support::Sandbox;
use support::apache::write_config;
use support::ca::TestCa;
use support::external::{external_program, succeed};

fn find(config: &Path) -> ApacheProgram {
    ApacheProgram::find(Some(config)).unwrap().expect("Apache")
}

fn observe(config: &Path) -> ServerObservation {
    find(config).observe().unwrap()
}

fn files_of(directives: &[ApacheDirective], files: &mut BTreeSet<String>) {
    for directive in directives {
        files.insert(directive.file.display().to_string());
        files_of(directive.inside.as_deref().unwrap_or_default(), files);
    }
}

const HOSTS: &str = "LoadModule macro_module /usr/lib/apache2/modules/mod_macro.so
Define PORT 18081
<IfModule ssl_module>
    Listen 127.0.0.1:18443
</IfModule>
<IfModule !nothing_module>
Listen 127.0.0.1:${PORT}
</IfModule>
<IfDefine NOT_GIVEN>
<VirtualHost *:1>
ServerName never.example
</VirtualHost>
</IfDefine>
<IfVersion >= 2.4>
IncludeOptional sites/*.conf
</IfVersion>
<IfFile sites/a.conf>
<VirtualHost *:18081>
ServerName file.example
</VirtualHost>
</IfFile>
<IfFile none>
<VirtualHost *:18081>
ServerName none.example
</VirtualHost>
</IfFile>
<Macro Site $name>
<VirtualHost *:18081>
ServerName $name.example
</VirtualHost>
</Macro>
Use Site one
Use site \"two\"
Include more
IncludeOptional none/*.conf
<VirtualHost *:${PORT}>
    ServerName \\
        long.example
    ServerAlias *.long.example \"quoted.example\"
</VirtualHost>
<VirtualHost *>
    ServerName any.example
</VirtualHost>
<VirtualHost 127.0.0.1:18443 [::1]:18443>
    ServerName two.example
</VirtualHost>";

#[test]
fn files_and_hosts_are_read_as_apache_reads_them() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "sites/b.conf",
        "<VirtualHost *:18081>\nServerName b.example\nInclude sites/inner/*\n</VirtualHost>",
    );
    sandbox.write(
        "sites/a.conf",
        "<VirtualHost *:18081>\n# x\nServerName a.example\n</VirtualHost>",
    );
    sandbox.write("sites/inner/x", "ServerAlias inner.example");
    sandbox.write("sites/.hidden.conf", "Nonsense");
    sandbox.write(
        "more/deep/y.conf",
        "<VirtualHost _default_:18081>\nServerName y.example\n</VirtualHost>",
    );
    let config = write_config(sandbox.path(), HOSTS);
    let dumped = succeed(
        external_program("apache2")
            .arg("-d")
            .arg(sandbox.path())
            .arg("-f")
            .arg(&config)
            .args(["-t", "-D", "DUMP_INCLUDES"]),
    );
    let theirs: BTreeSet<String> = dumped
        .lines()
        .filter_map(|line| Some(line.trim().split_once(") ")?.1.to_owned()))
        .collect();
    let observation = observe(&config);
    let ServerDetail::Apache(read) = &observation.detail else {
        panic!("Apache")
    };
    let mut ours = BTreeSet::new();
    files_of(&read.directives, &mut ours);
    assert_eq!(ours, theirs, "{dumped}");
    assert_eq!(
        observation.config.doubts, [""; 0],
        "Apache lists the same virtual hosts"
    );
    assert_eq!(
        (observation.config.blocks().len(), observation.running),
        (10, None)
    );
    assert_eq!(
        read.pid.as_deref(),
        Some(sandbox.join("apache2.pid").as_path())
    );
}

#[test]
fn virtual_hosts_that_apache_lists_differently_are_reported() {
    let sandbox = Sandbox::new();
    let hosts = "Listen 127.0.0.1:18081\n<IfDirective Listen>\n<VirtualHost *:18081>\n</VirtualHost>\n</IfDirective>\n\
                 <IfDirective NoSuch>\n<VirtualHost *:18081>\n</VirtualHost>\n</IfDirective>\n";
    let doubts = observe(&write_config(sandbox.path(), hosts)).config.doubts;
    assert_eq!(doubts.len(), 3, "{doubts:?}");
    assert!(
        doubts[2].contains("Apache does not list this virtual host"),
        "{doubts:?}"
    );
}

/// Issues a certificate and writes it and its key to disk.
fn issue(sandbox: &Sandbox, ca: &TestCa, stem: &str) -> [StableLink; 2] {
    let key = rcgen::KeyPair::generate().unwrap();
    let params =
        rcgen::CertificateParams::new(vec!["example.com".to_owned(), "*.example.com".to_owned()])
            .unwrap();
    let chain =
        ca.issue(&params.serialize_request(&key).unwrap().pem().unwrap()) + &ca.intermediate_pem();
    let chain = sandbox.write(&format!("{stem} x.crt"), chain);
    [
        StableLink::new(chain, ReleaseFile::FullChain),
        StableLink::new(
            sandbox.write(&format!("{stem}.key"), key.serialize_pem()),
            ReleaseFile::Key,
        ),
    ]
}

#[test]
fn failed_tests_are_attributed_and_a_key_that_does_not_match_fails() {
    let (sandbox, ca) = (Sandbox::new(), TestCa::new());
    let ([chain, key], [_, other]) = (issue(&sandbox, &ca, "good"), issue(&sandbox, &ca, "other"));
    let locked = sandbox.write(
        "locked.key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let missing = sandbox.join("missing");
    let empty = sandbox.write("empty", "");
    for (chain, key, more, blame) in [
        (&chain.path, &key.path, "", None),
        (&chain.path, &locked, "", None),
        (
            &chain.path,
            &other.path,
            "",
            Some(ComplaintSubject::FilesBroken),
        ),
        (
            &chain.path,
            &chain.path,
            "",
            Some(ComplaintSubject::FilesBroken),
        ),
        (
            &missing,
            &key.path,
            "",
            Some(ComplaintSubject::FilesMissing),
        ),
        (
            &chain.path,
            &empty,
            "",
            Some(ComplaintSubject::FilesMissing),
        ),
        (
            &chain.path,
            &key.path,
            "Nonsense",
            Some(ComplaintSubject::Other),
        ),
    ] {
        let hosts = format!(
            "Listen 127.0.0.1:1\n<VirtualHost *:1>\nSSLEngine on\nSSLCertificateFile \"{}\"\n\
             SSLCertificateKeyFile \"{}\"\n{more}\n</VirtualHost>",
            chain.display(),
            key.display()
        );
        let program = ServerProgram::Apache(find(&write_config(sandbox.path(), &hosts)));
        let server = ControlledServer::Known {
            program: Box::new(program),
            test: None,
            reload: None,
        };
        let finished = server.test().unwrap().unwrap();
        let subject = (!finished.succeeded())
            .then(|| server.complaint(&finished.output, &[chain, key]).subject);
        assert_eq!(subject, blame, "{}", finished.output);
    }
}
