//! Files that belong to one certificate and that certctl does not replace: stored OCSP responses,
//! issuers and CT timestamps. Once a new certificate is installed, they are about the old one.

use std::path::{Path, PathBuf};

use crate::advice::served_evidence;
use crate::delivery::{CaDelivery, DeliveryInput, DeliveryLimits};
use crate::finding::Finding;
use crate::pki::certificate::Certificate;
use crate::pki::extensions::CertificateDetails;
use crate::probe::stapled::{self, StapledSubject};
use crate::store::layout::{ReleaseFile, StableLink};
use crate::system::fs::files;
use crate::webserver::control::{ControlledServer, ServerDetail, ServerObservation};
use crate::webserver::model::ConfigPosition;
use crate::webserver::nginx::NginxConfig;

/// The longest file that is read.
const FILE_LIMIT: u64 = 1024 * 1024;

/// What a file contains about one certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum RelatedKind {
    /// An OCSP response, which is stapled.
    OcspResponse,
    /// The certificate of the issuer.
    Issuer,
    /// Timestamps of Certificate Transparency logs (RFC 6962 3.3).
    Timestamps,
    /// The certificates that OCSP responses are verified with.
    Trusted,
}

/// A file that a server reads together with the certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct RelatedFile {
    kind: RelatedKind,
    path: PathBuf,
    /// The directive or the rule that makes the server read it.
    reader: String,
}

/// The new certificate, and what advice needs to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewCertificate<'a> {
    /// The new chain, leaf first.
    pub chain: &'a [Certificate],
    /// The certificate that servers read now.
    pub present: Option<&'a Certificate>,
    /// The folder of the live release.
    pub live: &'a Path,
    pub server: &'a ControlledServer,
}

/// Finds the files that a server reads together with the certificate at `links`.
#[must_use]
pub(super) fn find(server: &ServerObservation, links: &[StableLink]) -> Vec<RelatedFile> {
    let mut found = match &server.detail {
        ServerDetail::Nginx { config, .. } => find_for_nginx(config, links),
        ServerDetail::Haproxy(_) => {
            let is_used = |link: &&StableLink| {
                link.piece != ReleaseFile::Key
                    && server.config.blocks_mentioning(&link.path).next().is_some()
            };
            let used = links.iter().filter(is_used);
            used.flat_map(|link| next_to_certificate(&link.path))
                .collect()
        }
        // Apache fetches OCSP responses itself and reads no file about a certificate.
        ServerDetail::Apache(_) => Vec::new(),
    };
    found.dedup();
    found
}

fn find_for_nginx(config: &NginxConfig, links: &[StableLink]) -> Vec<RelatedFile> {
    let folder = files::parent(&config.file);
    let mut found: Vec<RelatedFile> = Vec::new();
    for server in &config.blocks {
        // Most blocks have no related files, and a batch asks for each of its certificates.
        if server.related.is_empty() || !server.block.names_certificate(links) {
            continue;
        }
        for directive in &server.related {
            let kind = match directive.name.as_str() {
                "ssl_stapling_file" => RelatedKind::OcspResponse,
                // Without stapling it is used for client certificates only.
                _ if server.block.stapling.is_some() => RelatedKind::Trusted,
                _ => continue,
            };
            let position = ConfigPosition {
                file: &directive.file,
                line: directive.line,
            };
            let Some(path) = directive.only() else {
                continue;
            };
            let related = RelatedFile {
                kind,
                path: folder.join(path),
                reader: format!("{} at {position}", directive.name),
            };
            if !found.contains(&related) {
                found.push(related);
            }
        }
    }
    found
}

/// The files that HAProxy loads next to a certificate.
fn next_to_certificate(certificate: &Path) -> Vec<RelatedFile> {
    let kinds = [
        ("ocsp", RelatedKind::OcspResponse),
        ("issuer", RelatedKind::Issuer),
        ("sctl", RelatedKind::Timestamps),
    ];
    kinds
        .into_iter()
        .map(|(end, kind)| RelatedFile {
            kind,
            path: PathBuf::from(format!("{}.{end}", certificate.display())),
            reader: "HAProxy (unless `ssl-load-extra-files` excludes it)".to_owned(),
        })
        .collect()
}

/// Reports the files that are not about the new certificate. A file that is missing or unreadable is
/// not reported: the server's own test decides about it.
#[must_use]
pub(super) fn check(related: &[RelatedFile], new: NewCertificate<'_>) -> Vec<Finding> {
    let findings = related.iter().filter_map(|file| {
        let bytes = files::read(&file.path, FILE_LIMIT).ok()?;
        new.check(file, bytes)
    });
    findings.collect()
}

impl NewCertificate<'_> {
    fn check(&self, file: &RelatedFile, bytes: Vec<u8>) -> Option<Finding> {
        let leaf = self.chain.first()?;
        match file.kind {
            RelatedKind::OcspResponse => self.check_response(file, &bytes, leaf),
            RelatedKind::Issuer => self.check_issuer(file, bytes, leaf),
            RelatedKind::Timestamps => self.check_timestamps(file, &bytes, leaf),
            RelatedKind::Trusted => self.check_trusted(file, bytes, leaf),
        }
    }

    fn check_response(
        &self,
        file: &RelatedFile,
        bytes: &[u8],
        leaf: &Certificate,
    ) -> Option<Finding> {
        let what = match stapled::find_subject(bytes, leaf, self.chain.get(1)) {
            StapledSubject::ThisCertificate => return None,
            StapledSubject::Other(serial) => {
                format!("an OCSP response for another certificate (serial number {serial})")
            }
            StapledSubject::NoAnswer | StapledSubject::Unreadable => {
                "no usable OCSP response".to_owned()
            }
        };
        let message = format!(
            "{} reads {}, which contains {what}; clients that require an OCSP response reject the new \
             certificate",
            file.reader,
            file.path.display()
        );
        let urls = CertificateDetails::from_certificate(leaf.der()).ocsp_urls;
        let is_directive = file.reader.starts_with("ssl_stapling_file");
        let next = match urls.first() {
            Some(url) => {
                served_evidence::fetch_ocsp_response(self.live, url, &file.path, &self.reload())
            }
            None if is_directive => served_evidence::remove_stapling_file(&file.reader),
            None => served_evidence::remove_neighbor(&file.path, &self.reload()),
        };
        Some(Finding::warning("related-file-outdated", message).with_step(next))
    }

    fn check_issuer(
        &self,
        file: &RelatedFile,
        bytes: Vec<u8>,
        leaf: &Certificate,
    ) -> Option<Finding> {
        let issuers = parse_certificates(bytes);
        if issuers.iter().any(|issuer| leaf.is_signed_by(issuer)) {
            return None;
        }
        let message = format!(
            "{} reads {} as the issuer of the certificate, which is not the issuer of the new one; \
             the chain file contains that already",
            file.reader,
            file.path.display()
        );
        let next = served_evidence::remove_neighbor(&file.path, &self.reload());
        Some(Finding::warning("related-file-outdated", message).with_step(next))
    }

    /// Timestamps for a certificate are made after it was issued.
    fn check_timestamps(
        &self,
        file: &RelatedFile,
        bytes: &[u8],
        leaf: &Certificate,
    ) -> Option<Finding> {
        let latest = latest_timestamp(bytes);
        let issued = leaf.not_before.as_millisecond();
        if latest.is_some_and(|latest| latest >= issued) {
            return None;
        }
        let what = match latest {
            Some(_) => "CT timestamps from before the new certificate was issued",
            None => "no readable CT timestamps",
        };
        let message = format!(
            "{} reads {}, which contains {what}; clients reject them",
            file.reader,
            file.path.display()
        );
        let next = served_evidence::remove_neighbor(&file.path, &self.reload());
        Some(Finding::warning("related-file-outdated", message).with_step(next))
    }

    /// Reports a file that contains the issuer of the present certificate and not that of the new
    /// one.
    fn check_trusted(
        &self,
        file: &RelatedFile,
        bytes: Vec<u8>,
        leaf: &Certificate,
    ) -> Option<Finding> {
        let trusted = parse_certificates(bytes);
        let issued_any =
            |leaf: &Certificate| trusted.iter().any(|issuer| leaf.is_signed_by(issuer));
        if issued_any(leaf) || !self.present.is_some_and(issued_any) {
            return None;
        }
        let message = format!(
            "{} reads {}, which lacks the issuer of the new certificate: nginx cannot verify its \
             OCSP responses and staples none",
            file.reader,
            file.path.display()
        );
        let next = served_evidence::add_trusted_issuer(self.live, &file.path, &self.reload());
        Some(Finding::warning("related-file-outdated", message).with_step(next))
    }

    /// The reload command as a shell line; empty without one.
    fn reload(&self) -> String {
        self.server.reload_line().unwrap_or_default()
    }
}

fn parse_certificates(bytes: Vec<u8>) -> Vec<Certificate> {
    let input = vec![DeliveryInput::new("related", bytes)];
    CaDelivery::read(input, &DeliveryLimits::default())
        .map(|delivery| delivery.clone_certificates())
        .unwrap_or_default()
}

/// The latest timestamp of a `SignedCertificateTimestampList`, in milliseconds since 1970.
fn latest_timestamp(list: &[u8]) -> Option<i64> {
    let split = |bytes: &'_ [u8]| -> Option<(usize, usize)> {
        let length = usize::from(u16::from_be_bytes(*bytes.first_chunk()?));
        (bytes.len() >= 2 + length).then_some((2, 2 + length))
    };
    let (start, end) = split(list)?;
    let mut rest = list.get(start..end)?;
    let mut latest = None;
    while !rest.is_empty() {
        let (start, end) = split(rest)?;
        // The version, the id of the log, then the timestamp.
        let timestamp = rest.get(start..end)?.get(33..41)?;
        let timestamp = u64::from_be_bytes(timestamp.try_into().ok()?);
        latest = latest.max(i64::try_from(timestamp).ok());
        rest = rest.get(end..)?;
    }
    latest
}

#[cfg(test)]
mod tests {
    use super::latest_timestamp;

    fn timestamps(times: &[u64]) -> Vec<u8> {
        let mut list = Vec::new();
        for time in times {
            let mut one = vec![0; 33];
            one.extend_from_slice(&time.to_be_bytes());
            one.extend_from_slice(&[0, 0, 4, 3, 0, 0]);
            list.extend_from_slice(&u16::try_from(one.len()).unwrap().to_be_bytes());
            list.extend_from_slice(&one);
        }
        let length = u16::try_from(list.len()).unwrap().to_be_bytes();
        [&length[..], &list].concat()
    }

    #[test]
    fn the_latest_timestamp_is_found() {
        assert_eq!(latest_timestamp(&timestamps(&[7])), Some(7));
        assert_eq!(latest_timestamp(&timestamps(&[9, 12, 3])), Some(12));
        assert_eq!(latest_timestamp(&timestamps(&[])), None);
        assert_eq!(latest_timestamp(&timestamps(&[u64::MAX])), None);
        let list = timestamps(&[1, 2]);
        for length in 0..list.len() {
            assert_eq!(latest_timestamp(&list[..length]), None, "{length}");
        }
    }
}
