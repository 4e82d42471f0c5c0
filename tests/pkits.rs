//! Path validation with NIST's test suite: every path is searched in a bag of all CA certificates
//! of the suite. tests/pkits.txt lists the results that differ from the expected ones, with the
//! reason.
//! Needs: the package python3-cryptography-vectors, which ships the suite.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use certctl::facade::pki::certificate::Certificate;
use certctl::facade::pki::chain::{ChainCriteria, ChainPreference};
use certctl::facade::pki::trust::TrustAnchors;
use certctl::facade::pki::verify::{ChainProblem, VerifyPolicy, assemble_chain, find_problems};
use support::external::path_of;

const VECTORS: &str = "/usr/lib/python3/dist-packages/cryptography_vectors";
const ROOT: &str = "TrustAnchorRootCertificate.crt";

fn suite() -> PathBuf {
    path_of(VECTORS).join("x509/PKITS_data/certs")
}

/// One test of the suite.
struct Row<'a> {
    number: &'a str,
    valid: bool,
    file: &'a str,
    deviation: Option<&'a str>,
}

fn rows() -> Vec<Row<'static>> {
    let lines = include_str!("pkits.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (test, deviation) = line
                .split_once(" ! ")
                .map_or((line, None), |(test, why)| (test, Some(why)));
            let [number, expected, file] = test.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            assert!(["valid", "invalid"].contains(&expected), "{line}");
            Row {
                number,
                valid: expected == "valid",
                file,
                deviation,
            }
        })
        .collect()
}

fn read(path: &Path) -> Result<Certificate, String> {
    Certificate::from_der(&std::fs::read(path).unwrap()).map_err(|error| error.to_string())
}

/// Returns all CA certificates of the suite except the root.
fn authorities() -> Vec<Certificate> {
    let mut paths: Vec<_> = std::fs::read_dir(suite())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.retain(|path| !name(path).ends_with("EE.crt") && name(path) != ROOT);
    paths.iter().filter_map(|path| read(path).ok()).collect()
}

/// Returns the problems of the path, except those about names: the certificates of the suite have
/// none for TLS servers.
fn judged(file: &str, authorities: &[Certificate], anchors: &TrustAnchors) -> Vec<String> {
    let leaf = match read(&suite().join(format!("{file}.crt"))) {
        Ok(leaf) => leaf,
        Err(error) => return vec![error],
    };
    let at = "2026-06-01T00:00:00Z".parse().unwrap();
    let chain = assemble_chain(
        &leaf,
        authorities,
        ChainCriteria {
            anchors,
            at,
            prefer: ChainPreference::Compatible,
        },
    )
    .chain;
    let all = find_problems(
        &chain,
        VerifyPolicy {
            hosts: &[],
            anchors,
            at,
        },
    );
    all.iter()
        .filter(|problem| !matches!(problem, ChainProblem::NoNames { .. }))
        .map(ToString::to_string)
        .collect()
}

#[test]
fn path_validation_agrees_with_the_suite() {
    let anchors = TrustAnchors::from_certificates(ROOT, &[read(&suite().join(ROOT)).unwrap()]);
    let authorities = authorities();
    let mut wrong = String::new();
    for Row {
        number,
        valid,
        file,
        deviation,
    } in rows()
    {
        let found = judged(file, &authorities, &anchors);
        match (found.is_empty() == valid, deviation) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(why)) => writeln!(
                wrong,
                "{number} {file} is judged as expected now, not otherwise: {why}"
            )
            .unwrap(),
            (false, None) => {
                writeln!(wrong, "{number} {file} is judged otherwise: {found:?}").unwrap()
            }
        }
    }
    let rows = rows();
    let deviations = rows.iter().filter(|row| row.deviation.is_some()).count();
    assert!(rows.len() > 80, "the table was not read");
    assert!(deviations <= 4, "{deviations} rows are not as expected");
    let accepted: Vec<&str> = rows
        .iter()
        .filter(|row| !row.valid && row.deviation.is_some())
        .map(|row| row.number)
        .collect();
    assert!(accepted.is_empty(), "false accepts: {accepted:?}");
    assert!(wrong.is_empty(), "\n{wrong}");
}
