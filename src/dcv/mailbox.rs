//! Proof by an answer to an e-mail: who is written to, and whether the DNS says that mail for them
//! arrives anywhere. That somebody reads it cannot be seen from here.

use super::answer::DnsAnswer;
use super::caa::CaaLookup;

/// The five that a CA may write to at each domain it climbs to (BR 3.2.2.4.4).
pub(crate) const ALIASES: [&str; 5] = [
    "admin",
    "administrator",
    "webmaster",
    "hostmaster",
    "postmaster",
];

/// The name of a domain's contact in the DNS (BR A.2.1).
#[must_use]
pub(crate) fn contact_name(domain: &str) -> String {
    format!("_validation-contactemail.{domain}")
}

/// Whether mail for a domain arrives anywhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MailDelivery {
    Taken(Vec<String>),
    /// No MX: the domain's own address takes it (RFC 5321 5.1).
    ByAddress,
    /// It says that it takes none (RFC 7505).
    Null,
    /// Neither MX nor address.
    Nowhere,
    Unknown(DnsAnswer),
}

/// What is to be said of a proof by e-mail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MailReason {
    /// It is over (BR 3.2.2.4.4).
    Ended,
    /// It ends on a day that is known.
    Ends,
    /// Mail for none of the domains of a name arrives.
    NoMail {
        domain: String,
        /// What the DNS says.
        mail: MailDelivery,
    },
    /// Whether the CA takes an answer to an e-mail is not confirmed.
    NotConfirmed { ca: &'static str },
    /// The CA does not offer it.
    NotTaken { ca: &'static str },
    /// Whether a mailbox is read is nobody's to see.
    Unchecked,
    /// The DNS did not say.
    Unknown { domain: String, answer: DnsAnswer },
}

/// What the DNS says of one domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct MailDomain {
    pub domain: String,
    /// Whether mail for it arrives.
    pub mail: MailDelivery,
    /// Contacts that the domain names besides: TXT, then CAA (BR A.2.1, A.1.1).
    pub contacts: Vec<String>,
}

impl MailDomain {
    /// From the answers for MX, A, AAAA and the contact's TXT, and what CAA says at the domain.
    #[must_use]
    pub(crate) fn read(
        domain: &str,
        [mx, four, six, text]: [&DnsAnswer; 4],
        caa: Option<&CaaLookup>,
    ) -> Self {
        let mut contacts: Vec<String> = Vec::new();
        if let DnsAnswer::Txt(texts) = text {
            contacts.extend(texts.iter().filter(|text| is_address(text)).cloned());
        }
        if let Some(CaaLookup::Records(_, records)) = caa {
            let named = records
                .iter()
                .filter(|one| one.tag.eq_ignore_ascii_case("contactemail"));
            contacts.extend(
                named
                    .map(|one| one.value.clone())
                    .filter(|one| is_address(one)),
            );
        }
        contacts.dedup();
        Self {
            domain: domain.to_owned(),
            mail: mail(mx, four, six),
            contacts,
        }
    }

    /// Everybody who may be written to.
    #[must_use]
    pub(crate) fn addresses(&self) -> Vec<String> {
        let aliases = ALIASES
            .iter()
            .map(|alias| format!("{alias}@{}", self.domain));
        aliases.chain(self.contacts.iter().cloned()).collect()
    }

    /// `Some(true)` where mail to one of them arrives as far as the DNS says, `None` where that is
    /// not known.
    #[must_use]
    pub(crate) fn arrives(&self) -> Option<bool> {
        match self.mail {
            _ if !self.contacts.is_empty() => Some(true),
            MailDelivery::Taken(_) | MailDelivery::ByAddress => Some(true),
            MailDelivery::Null | MailDelivery::Nowhere => Some(false),
            MailDelivery::Unknown(_) => None,
        }
    }
}

fn mail(mx: &DnsAnswer, four: &DnsAnswer, six: &DnsAnswer) -> MailDelivery {
    let absent = |answer: &DnsAnswer| {
        matches!(
            answer,
            DnsAnswer::NoName(_) | DnsAnswer::NoData(_) | DnsAnswer::Cname(_)
        )
    };
    match mx {
        DnsAnswer::Mx(names) if names.iter().all(String::is_empty) => MailDelivery::Null,
        DnsAnswer::Mx(names) => MailDelivery::Taken(names.clone()),
        mx if !absent(mx) => MailDelivery::Unknown(mx.clone()),
        _ => match (four, six) {
            (DnsAnswer::Addresses(_), _) | (_, DnsAnswer::Addresses(_)) => MailDelivery::ByAddress,
            (four, six) if absent(four) && absent(six) => MailDelivery::Nowhere,
            (four, six) => MailDelivery::Unknown(if absent(four) {
                six.clone()
            } else {
                four.clone()
            }),
        },
    }
}

/// `somebody@somewhere`, and nothing else.
fn is_address(text: &str) -> bool {
    let plain = text
        .chars()
        .all(|c| !c.is_whitespace() && !c.is_control() && !"<>,;\"".contains(c));
    plain
        && text.len() < 255
        && matches!(text.split_once('@'), Some((local, domain)) if !local.is_empty() && domain.contains('.') && !domain.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::{MailDelivery, MailDomain};
    use crate::dcv::answer::DnsAnswer;
    use crate::dcv::caa::{CaaLookup, CaaRecord};

    #[test]
    fn mail_arrives_where_the_dns_says() {
        let none = || DnsAnswer::NoData(None);
        let here = || DnsAnswer::Addresses(vec!["192.0.2.1".parse().unwrap()]);
        let mx = |name: &str| DnsAnswer::Mx(vec![name.to_owned()]);
        for (mx, four, six, mail, arrives) in [
            (
                mx("mail.example.net"),
                none(),
                none(),
                MailDelivery::Taken(vec!["mail.example.net".into()]),
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
            let told = MailDomain::read("example.com", [&mx, &four, &six, &none()], None);
            assert_eq!((told.arrives(), told.mail), (arrives, mail));
        }
    }

    #[test]
    fn contacts_are_those_of_the_dns_that_are_addresses() {
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
        let told = MailDomain::read("example.com", [&none, &none, &none, &text], Some(&found));
        assert_eq!(told.contacts, ["dns@example.net", "caa@example.net"]);
        assert_eq!(told.addresses()[0], "admin@example.com");
        assert_eq!((told.addresses().len(), told.arrives()), (7, Some(true)));
    }
}
