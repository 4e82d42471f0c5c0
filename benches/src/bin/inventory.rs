//! A straightforward listing of a tree with x509-parser and rayon: prints a line for each certificate
//! (path, expiry, subject, DNS names). It verifies nothing, reads no keys and ignores unreadable files.
//! Usage: inventory FOLDER [THREADS]

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;

use memchr::memmem;
use rayon::prelude::*;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

fn main() {
    let mut args = std::env::args().skip(1);
    let folder = PathBuf::from(args.next().unwrap());
    if let Some(threads) = args.next() {
        rayon::ThreadPoolBuilder::new().num_threads(threads.parse().unwrap()).build_global().unwrap();
    }
    let mut files = Vec::new();
    walk(folder, &mut files);
    let listings: Vec<(String, usize)> = files.par_chunks(512).map(chunk).collect();
    let mut out = std::io::stdout().lock();
    listings.iter().for_each(|(lines, _)| out.write_all(lines.as_bytes()).unwrap());
    eprintln!("{} files, {} certificates", files.len(), listings.iter().map(|(_, count)| count).sum::<usize>());
}

fn walk(folder: PathBuf, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}

fn chunk(files: &[PathBuf]) -> (String, usize) {
    let (mut lines, mut count) = (String::with_capacity(1 << 17), 0);
    let (mut bytes, mut text) = (Vec::with_capacity(1 << 16), Vec::with_capacity(1 << 14));
    for path in files {
        bytes.clear();
        if File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).is_err() {
            continue;
        }
        let path = path.to_string_lossy();
        if bytes.first() == Some(&0x30) {
            count += certificate(&bytes, &path, &mut lines);
            continue;
        }
        let mut rest = bytes.as_slice();
        while let Some(start) = memmem::find(rest, BEGIN) {
            rest = &rest[start + BEGIN.len()..];
            let Some(end) = memmem::find(rest, END) else { break };
            text.clear();
            text.extend(rest[..end].iter().filter(|byte| !byte.is_ascii_whitespace()));
            if let Ok(der) = base64_simd::STANDARD.decode_inplace(&mut text) {
                count += certificate(der, &path, &mut lines);
            }
            rest = &rest[end + END.len()..];
        }
    }
    (lines, count)
}

fn certificate(der: &[u8], path: &str, lines: &mut String) -> usize {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return 0 };
    let _ = write!(lines, "{path}\t{}\t{}\t", certificate.validity().not_after.timestamp(), certificate.subject());
    if let Ok(Some(names)) = certificate.subject_alternative_name() {
        for name in &names.value.general_names {
            if let GeneralName::DNSName(name) = name {
                let _ = write!(lines, "{name},");
            }
        }
    }
    lines.push('\n');
    1
}
