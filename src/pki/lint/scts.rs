//! Signed certificate timestamps (SCTs, RFC 6962 3.3): browsers refuse certificates of public CAs
//! that too few logs of Certificate Transparency have recorded.

use std::collections::BTreeSet;

use super::rules;
use crate::pki::certificate::Certificate;
use crate::pki::extensions::CertificateDetails;

/// Says that a certificate, which is valid for so many days, contains the timestamps of too few logs;
/// `None` if there are enough.
pub(super) fn find_missing(leaf: &Certificate, days: i64) -> Option<String> {
    let details = CertificateDetails::from_certificate(leaf.der());
    let mut logs = BTreeSet::new();
    for sct in &details.scts {
        logs.insert(&sct.log_id);
    }
    let found = logs.len();
    let wanted = required_logs(days);
    (found < wanted).then(|| {
        format!(
            "it contains the signed timestamps (SCTs) of {found} Certificate Transparency logs; \
             Chrome, Safari and Firefox require {wanted} for a certificate that is valid for \
             {days} days, in the certificate or from the server"
        )
    })
}

/// Returns from how many logs a certificate needs timestamps that is valid for so many days.
fn required_logs(days: i64) -> usize {
    let mut wanted = 0;
    for step in &rules::SCT_REQUIREMENTS {
        if days > step.above_days {
            wanted = step.logs;
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    use super::{find_missing, required_logs};
    use crate::pki::certificate::Certificate;
    use crate::pki::testing::Authority;

    #[test]
    fn longer_certificates_need_more_logs() {
        for (days, logs) in [(1, 2), (90, 2), (180, 2), (181, 3), (398, 3)] {
            assert_eq!(required_logs(days), logs, "{days}");
        }
    }

    #[test]
    fn timestamps_of_a_certificate_are_counted_by_log() {
        let text = include_bytes!("../../../fixtures/letsencrypt.org.pem");
        let der = CertificateDer::from_pem_slice(text).unwrap();
        let public = Certificate::from_der(&der).unwrap();
        assert_eq!(find_missing(&public, 90), None);
        let message = find_missing(&public, 200).unwrap();
        assert!(message.contains("of 2 Certificate"), "{message}");
        let bare = Authority::new("Root").leaf(&["a.example"]);
        let message = find_missing(&bare, 90).unwrap();
        assert!(message.contains("of 0 Certificate"), "{message}");
    }
}
