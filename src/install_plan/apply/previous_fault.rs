//! Why the certificate that a rollback would restore is of no use: it is never restored while the new
//! one is served.

use jiff::Timestamp;

use crate::pki::certificate::Certificate;
use crate::wording::{day, joined_with_and};

/// Returns why clients refuse the `previous` certificates where they accept the `wanted` ones.
#[must_use]
pub(super) fn find(
    previous: &[Certificate],
    wanted: &[Certificate],
    now: Timestamp,
) -> Option<String> {
    let old = previous.first()?;
    let new = wanted.first()?;
    // An intermediate that has expired may be one that clients do not need.
    if old.not_after < now {
        return Some(format!(
            "the previous certificate expired on {}",
            day(old.not_after)
        ));
    }
    let is_lost = |name: &&String| !old.dns_names.contains(name) && !old.covers(name);
    let lost: Vec<&String> = new.dns_names.iter().filter(is_lost).collect();
    if lost.is_empty() {
        return None;
    }
    Some(format!(
        "the previous certificate does not cover {}",
        joined_with_and(&lost)
    ))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::{Certificate, Timestamp, find};

    fn certificate(names: &[&str], last_year: i32) -> Certificate {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(last_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        Certificate::from_der(params.self_signed(&key).unwrap().der()).unwrap()
    }

    #[test]
    fn only_the_leaf_decides() {
        let now: Timestamp = "2027-06-01T00:00:00Z".parse().unwrap();
        let wanted = [certificate(&["a.shop.example", "b.shop.example"], 2028)];
        let expired_cross_sign = certificate(&["ca.example"], 2021);
        let fault = |leaf| find(&[leaf, expired_cross_sign.clone()], &wanted, now);
        let good = certificate(&["a.shop.example", "b.shop.example"], 2028);
        assert_eq!(fault(good), None);
        let wildcard = certificate(&["*.shop.example"], 2028);
        assert_eq!(fault(wildcard), None);
        let narrow = certificate(&["a.shop.example"], 2028);
        let text = "the previous certificate does not cover b.shop.example";
        assert_eq!(fault(narrow).as_deref(), Some(text));
        let expired = fault(certificate(&["a.shop.example", "b.shop.example"], 2026)).unwrap();
        assert!(expired.contains("expired on 20"), "{expired}");
    }
}
