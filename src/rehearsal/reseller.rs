//! A reseller: accepts a CSR, shows a validation record with a unique value, looks the record up
//! before the CA issues the certificate, and packs a zip.

use std::io::{Cursor, Write};
use std::net::SocketAddr;

use anyhow::{Context, Result};
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::ca::{LIFETIME_DAYS, RehearsalCa};
use crate::dcv::record;
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;
use crate::system::serve::dns;

/// The zone of all targets: one that Namecheap uses.
const TARGET_ZONE: &str = "comodoca.com";

/// A reseller with its CA.
#[derive(Debug)]
pub(crate) struct RehearsalReseller {
    authority: RehearsalCa,
    resolver: SocketAddr,
}

/// A request that waits for domain validation.
#[derive(Debug)]
pub(crate) struct PendingOrder {
    request: SigningRequest,
    name: DnsName,
    /// The full name of the CNAME record, as resellers show it.
    pub host: String,
    pub target: String,
}

/// What a lookup of the record finds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ValidationAttempt {
    /// The expected record.
    Record,
    Nothing,
    /// A record with another target.
    Other(String),
}

/// The result of a retry.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum RetryResult {
    Issued(Box<Certificate>),
    NotIssued(ValidationAttempt),
}

impl RehearsalReseller {
    /// Creates a reseller of the CA `authority` that sends its DNS queries to `resolver`.
    #[must_use]
    pub(crate) fn new(authority: RehearsalCa, resolver: SocketAddr) -> Self {
        Self {
            authority,
            resolver,
        }
    }

    /// Accepts a request (PEM) and returns the order with the record to publish: `_<MD5>.<domain>` to
    /// `<SHA-256 halves>.<unique value>.<zone>`.
    ///
    /// # Errors
    /// When the PEM is not a request or has no DNS name.
    pub(crate) fn order(&self, request: &[u8]) -> Result<PendingOrder> {
        let block =
            pem::parse(request).context("the reseller received something that is not a request")?;
        let request = SigningRequest::from_der(block.contents())?;
        let name = request
            .names()
            .context("the request contains no DNS name")?
            .primary()
            .clone();
        let mut unique = [0_u8; 7];
        aws_lc_rs::rand::fill(&mut unique)
            .ok()
            .context("the random number generator failed")?;
        // Hashes in upper case, as Namecheap shows them: DNS names are case-insensitive.
        let host = format!(
            "{}.{}",
            record::host_label(&request).to_uppercase(),
            name.base()
        );
        let hashes = record::target_labels(&request).to_uppercase();
        let target = format!("{hashes}.{}.{TARGET_ZONE}", &hex::encode(unique)[1..]);
        Ok(PendingOrder {
            request,
            name,
            host,
            target,
        })
    }

    /// Looks the record up over UDP. It does not use certctl's DNS client, so that a bug there is not
    /// hidden here.
    ///
    /// # Errors
    /// When the DNS server does not answer, or its answer is not a DNS message.
    pub(crate) fn look_up(&self, order: &PendingOrder) -> Result<ValidationAttempt> {
        let mut query = Message::query();
        query.metadata.recursion_desired = true;
        query.add_query(Query::query(
            Name::from_ascii(format!("{}.", order.host))?,
            RecordType::CNAME,
        ));
        let reply = dns::query_once(self.resolver, &query.to_vec()?)
            .context("the reseller's DNS query got no answer")?;
        let reply = Message::from_vec(&reply)?;
        let code = reply.metadata.response_code;
        anyhow::ensure!(
            matches!(code, ResponseCode::NoError | ResponseCode::NXDomain),
            "the DNS server answered {code}"
        );
        let mut targets = reply
            .answers
            .iter()
            .filter_map(|answer| match &answer.data {
                RData::CNAME(target) => Some(target.to_ascii().trim_end_matches('.').to_owned()),
                _ => None,
            });
        Ok(match targets.next_back() {
            None => ValidationAttempt::Nothing,
            Some(target) if target.eq_ignore_ascii_case(&order.target) => ValidationAttempt::Record,
            Some(target) => ValidationAttempt::Other(target),
        })
    }

    /// Issues the certificate if the record is published.
    ///
    /// # Errors
    /// See [`RehearsalReseller::look_up`]; and when the certificate cannot be made.
    pub(crate) fn retry(&self, order: &PendingOrder) -> Result<RetryResult> {
        match self.look_up(order)? {
            ValidationAttempt::Record => {
                let leaf = self.authority.issue(&order.request, LIFETIME_DAYS)?;
                Ok(RetryResult::Issued(Box::new(leaf)))
            }
            attempt => Ok(RetryResult::NotIssued(attempt)),
        }
    }

    /// Returns the file name of the zip: the first name with underscores.
    #[must_use]
    pub(crate) fn zip_name(order: &PendingOrder) -> String {
        format!("{}.zip", underscored(&order.name))
    }

    /// Packs the zip as Namecheap does: the leaf, and a bundle with the intermediate and the root;
    /// CRLF line endings.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn pack(&self, order: &PendingOrder, leaf: &Certificate) -> Result<Vec<u8>> {
        let stem = underscored(&order.name);
        let intermediate = self.authority.intermediate()?;
        let root = self.authority.root()?;
        let bundle = intermediate.to_pem() + &root.to_pem();
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, pem) in [
            (format!("{stem}.crt"), leaf.to_pem()),
            (format!("{stem}.ca-bundle"), bundle),
        ] {
            zip.start_file(name, SimpleFileOptions::default())?;
            zip.write_all(pem.replace('\n', "\r\n").as_bytes())?;
        }
        Ok(zip.finish()?.into_inner())
    }
}

fn underscored(name: &DnsName) -> String {
    name.file_stem().replace('.', "_")
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::Arc;

    use super::{RehearsalCa, RehearsalReseller, RetryResult, ValidationAttempt};
    use crate::pki::key::{KeyAlgorithm, PrivateKey};
    use crate::pki::name::DnsNames;
    use crate::pki::request::SigningRequest;
    use crate::rehearsal::zone::RehearsalZone;
    use crate::system::serve::dns::DnsServer;

    fn nothing() -> RetryResult {
        RetryResult::NotIssued(ValidationAttempt::Nothing)
    }

    #[test]
    fn the_reseller_issues_only_after_validation() {
        let zone = RehearsalZone::new("shop.example").unwrap();
        let served = zone.clone();
        let server = DnsServer::start(Arc::new(move |query: &[u8]| served.answer(query))).unwrap();
        let reseller = RehearsalReseller::new(
            RehearsalCa::new(jiff::Timestamp::now()).unwrap(),
            server.address(),
        );
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let names = DnsNames::parse(&["www.shop.example", "shop.example"]).unwrap();
        let request = SigningRequest::build(&names, &key).unwrap();
        let order = reseller.order(request.to_pem().as_bytes()).unwrap();
        assert_eq!(
            order.host.to_lowercase(),
            format!("_{}.www.shop.example", request.md5())
        );
        let again = reseller.order(request.to_pem().as_bytes()).unwrap();
        assert_ne!(
            order.target, again.target,
            "two orders have the same unique value"
        );

        assert_eq!(reseller.retry(&order).unwrap(), nothing());
        let host = order.host.strip_suffix(".shop.example").unwrap();
        zone.add_cname(&order.host, &order.target).unwrap();
        assert_eq!(
            reseller.retry(&order).unwrap(),
            nothing(),
            "a record at the doubled name must not validate"
        );
        zone.add_cname(host, &again.target).unwrap();
        assert_eq!(
            reseller.retry(&order).unwrap(),
            RetryResult::NotIssued(ValidationAttempt::Other(again.target))
        );
        zone.add_cname(&host.to_lowercase(), &order.target.to_lowercase())
            .unwrap();
        let RetryResult::Issued(leaf) = reseller.retry(&order).unwrap() else {
            panic!("not issued")
        };

        let zip = reseller.pack(&order, &leaf).unwrap();
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
        let mut names: Vec<_> = zip
            .file_names()
            .map(|name| name.unwrap().into_owned())
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["www_shop_example.ca-bundle", "www_shop_example.crt"]
        );
        let mut bundle = String::new();
        zip.by_name("www_shop_example.ca-bundle")
            .unwrap()
            .read_to_string(&mut bundle)
            .unwrap();
        assert_eq!(bundle.matches("-----BEGIN CERTIFICATE-----\r\n").count(), 2);
        assert_eq!(RehearsalReseller::zip_name(&order), "www_shop_example.zip");
    }
}
