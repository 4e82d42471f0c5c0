//! Domain validation by email: the addresses that a CA may write to, and whether mail for them can
//! be delivered according to the DNS. certctl cannot check whether anyone reads it.

use super::answer::DnsAnswer;
use super::caa::CaaLookup;

/// The five mailboxes that a CA may write to at each authorization domain name (BR 3.2.2.4.4).
pub(crate) const ALIASES: [&str; 5] = [
    "admin",
    "administrator",
    "webmaster",
    "hostmaster",
    "postmaster",
];

/// Returns the name of the TXT record with a domain's contact (BR A.2.1).
#[must_use]
pub(crate) fn contact_name(domain: &str) -> String {
    format!("_validation-contactemail.{domain}")
}

/// How mail for a domain is delivered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MailDelivery {
    /// These mail exchangers accept it.
    Accepted(Vec<String>),
    /// No MX: the domain's own address accepts it (RFC 5321 5.1).
    ByAddress,
    /// The domain declares that it accepts no mail (RFC 7505).
    Null,
    /// It has neither MX nor address.
    Nowhere,
    /// The lookup failed with this answer.
    Unknown(DnsAnswer),
}

/// A fact to report about validation by email.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MailReason {
    /// CAs may no longer use it (BR 3.2.2.4.4).
    Ended,
    /// CAs may not use it after a known date.
    Ends,
    /// Mail can be delivered to none of the domains of a name.
    NoMail { domain: String, mail: MailDelivery },
    /// Whether the CA offers it is not confirmed.
    NotConfirmed { ca: &'static str },
    /// The CA does not offer it.
    NotOffered { ca: &'static str },
    /// Whether a mailbox is read cannot be checked.
    Unchecked,
    /// The DNS gave no answer.
    Unknown { domain: String, answer: DnsAnswer },
}

/// Mail delivery and contacts of one domain, according to the DNS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct MailDomain {
    pub domain: String,
    /// How mail for it is delivered.
    pub mail: MailDelivery,
    /// Further contacts in the DNS: TXT, then CAA (BR A.2.1, A.1.1).
    pub contacts: Vec<String>,
}

impl MailDomain {
    /// Reads the answers for MX, A, AAAA and the contact's TXT record, and the CAA records of the
    /// domain.
    #[must_use]
    pub(crate) fn read(
        domain: &str,
        [mx, a, aaaa, text]: [&DnsAnswer; 4],
        caa: Option<&CaaLookup>,
    ) -> Self {
        let mut contacts: Vec<String> = Vec::new();
        if let DnsAnswer::Txt(texts) = text {
            contacts.extend(texts.iter().filter(|text| is_address(text)).cloned());
        }
        if let Some(CaaLookup::Records(_, records)) = caa {
            for record in records {
                if record.tag.eq_ignore_ascii_case("contactemail") && is_address(&record.value) {
                    contacts.push(record.value.clone());
                }
            }
        }
        contacts.dedup();
        Self {
            domain: domain.to_owned(),
            mail: mail_delivery(mx, a, aaaa),
            contacts,
        }
    }

    /// Returns all addresses that the CA may write to.
    #[must_use]
    pub(crate) fn addresses(&self) -> Vec<String> {
        let aliases = ALIASES
            .iter()
            .map(|alias| format!("{alias}@{}", self.domain));
        aliases.chain(self.contacts.iter().cloned()).collect()
    }

    /// Returns whether mail to one of them can be delivered according to the DNS; `None` if
    /// unknown.
    #[must_use]
    pub(crate) fn is_deliverable(&self) -> Option<bool> {
        match self.mail {
            _ if !self.contacts.is_empty() => Some(true),
            MailDelivery::Accepted(_) | MailDelivery::ByAddress => Some(true),
            MailDelivery::Null | MailDelivery::Nowhere => Some(false),
            MailDelivery::Unknown(_) => None,
        }
    }
}

fn mail_delivery(mx: &DnsAnswer, a: &DnsAnswer, aaaa: &DnsAnswer) -> MailDelivery {
    match mx {
        DnsAnswer::Mx(names) if names.iter().all(String::is_empty) => MailDelivery::Null,
        DnsAnswer::Mx(names) => MailDelivery::Accepted(names.clone()),
        _ if is_absent(mx) => delivery_by_address(a, aaaa),
        _ => MailDelivery::Unknown(mx.clone()),
    }
}

/// Returns how mail is delivered to a domain without MX records.
fn delivery_by_address(a: &DnsAnswer, aaaa: &DnsAnswer) -> MailDelivery {
    match (a, aaaa) {
        (DnsAnswer::Addresses(_), _) | (_, DnsAnswer::Addresses(_)) => MailDelivery::ByAddress,
        _ if !is_absent(a) => MailDelivery::Unknown(a.clone()),
        _ if !is_absent(aaaa) => MailDelivery::Unknown(aaaa.clone()),
        _ => MailDelivery::Nowhere,
    }
}

/// Returns whether the answer means that there are no records of the type.
fn is_absent(answer: &DnsAnswer) -> bool {
    matches!(
        answer,
        DnsAnswer::NoName(_) | DnsAnswer::NoData(_) | DnsAnswer::Cname(_)
    )
}

/// Returns whether a text is a single email address.
fn is_address(text: &str) -> bool {
    let is_plain = text
        .chars()
        .all(|c| !c.is_whitespace() && !c.is_control() && !"<>,;\"".contains(c));
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    is_plain
        && text.len() < 255
        && !local.is_empty()
        && domain.contains('.')
        && !domain.contains('@')
}

#[cfg(test)]
mod tests {
    use super::{MailDelivery, MailDomain};
    use crate::dcv::answer::DnsAnswer;
    use crate::dcv::caa::{CaaLookup, CaaRecord};

    #[test]
    fn mail_delivery_follows_mx_and_addresses() {
        let none = || DnsAnswer::NoData(None);
        let here = || DnsAnswer::Addresses(vec!["192.0.2.1".parse().unwrap()]);
        let mx = |name: &str| DnsAnswer::Mx(vec![name.to_owned()]);
        for (mx, a, aaaa, mail, arrives) in [
            (
                mx("mail.example.net"),
                none(),
                none(),
                MailDelivery::Accepted(vec!["mail.example.net".into()]),
                Some(true),
            ),
            (mx(""), here(), none(), MailDelivery::Null, Some(false)),
            (none(), here(), none(), MailDelivery::ByAddress, Some(true)),
            (none(), none(), here(), MailDelivery::ByAddress, Some(true)),
            (none(), none(), none(), MailDelivery::Nowhere, Some(false)),
            (
                DnsAnswer::ServFail,
                here(),
                none(),
                MailDelivery::Unknown(DnsAnswer::ServFail),
                None,
            ),
            (
                none(),
                none(),
                DnsAnswer::Timeout,
                MailDelivery::Unknown(DnsAnswer::Timeout),
                None,
            ),
        ] {
            let domain = MailDomain::read("example.com", [&mx, &a, &aaaa, &none()], None);
            assert_eq!((domain.is_deliverable(), domain.mail), (arrives, mail));
        }
    }

    #[test]
    fn contacts_that_are_not_addresses_are_ignored() {
        let none = DnsAnswer::NoName(None);
        let text = DnsAnswer::Txt(vec![
            "dns@example.net".to_owned(),
            "no address".to_owned(),
            "@x.y".to_owned(),
        ]);
        let caa = |value: &str| CaaRecord {
            critical: false,
            tag: "ContactEmail".to_owned(),
            value: value.to_owned(),
            ttl: 60,
        };
        let found = CaaLookup::Records(None, vec![caa("caa@example.net"), caa("<b@c.d>")]);
        let mail = MailDomain::read("example.com", [&none, &none, &none, &text], Some(&found));
        assert_eq!(mail.contacts, ["dns@example.net", "caa@example.net"]);
        assert_eq!(mail.addresses()[0], "admin@example.com");
        assert_eq!(
            (mail.addresses().len(), mail.is_deliverable()),
            (7, Some(true))
        );
    }
}
