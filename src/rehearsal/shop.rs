//! A shop as they are: it takes a CSR, names a record with a value that nobody else can know, looks
//! the record up itself before it issues, and packs a zip.

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

/// The zone that targets end in; the first of what is known of Namecheap.
const TARGET_ZONE: &str = "comodoca.com";

#[derive(Debug)]
pub(crate) struct RehearsalReseller {
    authority: RehearsalCa,
    resolver: SocketAddr,
}

/// A request that waits for its proof.
#[derive(Debug)]
pub(crate) struct PendingOrder {
    request: SigningRequest,
    name: DnsName,
    /// The CNAME's name, whole, as shops show it.
    pub host: String,
    pub target: String,
}

/// What the shop saw when it looked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ValidationAttempt {
    /// The record, as it has to be.
    Record,
    Nothing,
    /// A record with another target.
    Other(String),
}

impl RehearsalReseller {
    /// A shop that buys from `authority` and asks `resolver`.
    #[must_use]
    pub(crate) fn new(authority: RehearsalCa, resolver: SocketAddr) -> Self {
        Self {
            authority,
            resolver,
        }
    }

    /// Takes a request (PEM) and says what to publish: `_<MD5>.<domain>` to `<SHA-256
    /// halves>.<unique value>.<zone>`.
    ///
    /// # Errors
    /// When it is no request or asks for no name.
    pub(crate) fn order(&self, request: &[u8]) -> Result<PendingOrder> {
        let block =
            pem::parse(request).context("the shop was handed something else than a request")?;
        let request = SigningRequest::from_der(block.contents())?;
        let name = request
            .names()
            .context("the request asks for no DNS name")?
            .primary()
            .clone();
        let mut unique = [0_u8; 7];
        aws_lc_rs::rand::fill(&mut unique)
            .ok()
            .context("no random bytes")?;
        // Hashes in capitals, as Namecheap shows them: names in the DNS are blind to case.
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

    /// Looks for the record. Over UDP and with a question of its own making: a mistake in certctl's
    /// DNS client must not hide here too.
    ///
    /// # Errors
    /// When the DNS server does not answer, or not as a DNS server.
    pub(crate) fn look(&self, order: &PendingOrder) -> Result<ValidationAttempt> {
        let mut query = Message::query();
        query.metadata.recursion_desired = true;
        query.add_query(Query::query(
            Name::from_ascii(format!("{}.", order.host))?,
            RecordType::CNAME,
        ));
        let reply = dns::ask(self.resolver, &query.to_vec()?)
            .context("the shop's DNS question got no answer")?;
        let reply = Message::from_vec(&reply)?;
        let code = reply.metadata.response_code;
        anyhow::ensure!(
            matches!(code, ResponseCode::NoError | ResponseCode::NXDomain),
            "the DNS server said {code}"
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

    /// Looks, and issues if the record is there; else says what it saw.
    ///
    /// # Errors
    /// See [`RehearsalReseller::look`]; and when the certificate cannot be made.
    pub(crate) fn retry(
        &self,
        order: &PendingOrder,
    ) -> Result<std::result::Result<Certificate, ValidationAttempt>> {
        match self.look(order)? {
            ValidationAttempt::Record => {
                self.authority.issue(&order.request, LIFETIME_DAYS).map(Ok)
            }
            seen => Ok(Err(seen)),
        }
    }

    /// The zip's name: the first name with underscores.
    #[must_use]
    pub(crate) fn zip_name(order: &PendingOrder) -> String {
        format!("{}.zip", underscored(&order.name))
    }

    /// The zip, as Namecheap packs it: the leaf, and a bundle that holds the root too; CRLF line
    /// ends.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn pack(&self, order: &PendingOrder, leaf: &Certificate) -> Result<Vec<u8>> {
        let stem = underscored(&order.name);
        let bundle = self.authority.intermediate()?.to_pem() + &self.authority.root()?.to_pem();
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

    use super::{RehearsalCa, RehearsalReseller, ValidationAttempt};
    use crate::pki::key::{KeyAlgorithm, PrivateKey};
    use crate::pki::name::DnsNames;
    use crate::pki::request::SigningRequest;
    use crate::rehearsal::zone::RehearsalZone;
    use crate::system::serve::dns::DnsServer;

    #[test]
    fn the_shop_issues_only_what_it_has_seen_proven() {
        let zone = RehearsalZone::new("shop.example").unwrap();
        let served = zone.clone();
        let server = DnsServer::start(Arc::new(move |query: &[u8]| served.answer(query))).unwrap();
        let shop = RehearsalReseller::new(
            RehearsalCa::new(jiff::Timestamp::now()).unwrap(),
            server.address(),
        );
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let names = DnsNames::parse(&["www.shop.example", "shop.example"]).unwrap();
        let request = SigningRequest::build(&names, &key).unwrap();
        let order = shop.order(request.to_pem().as_bytes()).unwrap();
        assert_eq!(
            order.host.to_lowercase(),
            format!("_{}.www.shop.example", request.md5())
        );
        let again = shop.order(request.to_pem().as_bytes()).unwrap();
        assert_ne!(
            order.target, again.target,
            "each order has a unique value of its own"
        );

        assert_eq!(shop.retry(&order).unwrap(), Err(ValidationAttempt::Nothing));
        let host = order.host.strip_suffix(".shop.example").unwrap();
        zone.enter(&order.host, &order.target).unwrap();
        assert_eq!(
            shop.retry(&order).unwrap(),
            Err(ValidationAttempt::Nothing),
            "the doubled zone is not the place"
        );
        zone.enter(host, &again.target).unwrap();
        assert_eq!(
            shop.retry(&order).unwrap(),
            Err(ValidationAttempt::Other(again.target))
        );
        zone.enter(&host.to_lowercase(), &order.target.to_lowercase())
            .unwrap();
        let leaf = shop.retry(&order).unwrap().unwrap();

        let zip = shop.pack(&order, &leaf).unwrap();
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
