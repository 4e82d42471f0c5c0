//! The order of certificates and key in one file. Servers differ: Postfix accepts only files that
//! start with the key (<https://www.postfix.org/postconf.5.html#smtpd_tls_chain_files>); HAProxy,
//! lighttpd and others accept both orders. Pure.

/// The order of the parts of a file with certificates and key.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum CombinedOrder {
    /// Leaf, intermediates, key.
    CertificatesFirst,
    /// Key, leaf, intermediates: every server accepts it.
    #[default]
    KeyFirst,
}

impl CombinedOrder {
    /// Returns the order of an existing file; `None` if it lacks one of the parts.
    #[must_use]
    pub fn of(combined: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(combined);
        let certificate = text.find("-----BEGIN CERTIFICATE-----")?;
        let key = text
            .match_indices("-----BEGIN ")
            .find(|(start, _)| {
                let line = text[*start..].lines().next().unwrap_or_default();
                line.trim_end().ends_with("PRIVATE KEY-----")
            })?
            .0;
        Some(if key < certificate {
            Self::KeyFirst
        } else {
            Self::CertificatesFirst
        })
    }
}

#[cfg(test)]
mod tests {
    use super::CombinedOrder;

    #[test]
    fn the_first_part_decides() {
        let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        let parameters = "-----BEGIN EC PARAMETERS-----\nAA==\n-----END EC PARAMETERS-----\n";
        let word = "PRIVATE";
        let key = format!("-----BEGIN EC {word} KEY-----\r\nAA==\n-----END EC {word} KEY-----\n");
        for (text, order) in [
            (
                format!("{certificate}{key}"),
                Some(CombinedOrder::CertificatesFirst),
            ),
            (
                format!("{parameters}{key}{certificate}"),
                Some(CombinedOrder::KeyFirst),
            ),
            (
                format!("# x\n{key}{certificate}{certificate}"),
                Some(CombinedOrder::KeyFirst),
            ),
            (certificate.to_owned(), None),
            (key.clone(), None),
        ] {
            assert_eq!(CombinedOrder::of(text.as_bytes()), order, "{text}");
        }
    }
}
