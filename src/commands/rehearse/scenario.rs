//! The scenario of a bought certificate: an old certificate, a new one, and two common mistakes.

use super::outcome::RehearsalProof;
use super::runner::{EarlyEnd, IDLE_RELOAD, RehearsalScenario, unexpected};
use super::setup::{RehearsalRun, zone_of};
use super::step::{ExpectedResult, ShownRecord};
use crate::advice;
use crate::finding::NextStep;
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::rehearsal::ca::RehearsalCa;
use crate::rehearsal::reseller::{PendingOrder, RehearsalReseller, RetryResult, ValidationAttempt};
use crate::rehearsal::web::{OLD_DAYS, RehearsalSite};
use crate::system::fs::files;
use crate::wording::day;

/// A renewal at a reseller, by copy and paste.
pub(super) struct PasteScenario<'a> {
    rehearsal: RehearsalRun<'a>,
    reseller: RehearsalReseller,
    /// The file name of the reseller's zip.
    zip: String,
}

impl<'a> PasteScenario<'a> {
    /// Opens a reseller whose CA is `authority`.
    pub(super) fn new(rehearsal: RehearsalRun<'a>, authority: RehearsalCa) -> Self {
        let reseller = RehearsalReseller::new(authority, rehearsal.dns.address());
        Self {
            rehearsal,
            reseller,
            zip: String::new(),
        }
    }
}

impl<'a> RehearsalScenario<'a> for PasteScenario<'a> {
    fn intro(&self) -> Vec<String> {
        let folder = self.rehearsal.inner.directory.display();
        let host = self.rehearsal.visited_host();
        let address = self.rehearsal.web.address();
        let server = match &self.rehearsal.web {
            RehearsalSite::Embedded { .. } => {
                "The reseller with its CA, the DNS server and the web \
                server are built into certctl"
            }
            RehearsalSite::Nginx(_) => {
                "The reseller with its CA and the DNS server are built into \
                certctl; the web server is the nginx of this machine"
            }
        };
        vec![
            format!(
                "This is a rehearsal: it runs the real commands, but only on this machine and \
                in the folder {folder}. {server}."
            ),
            format!(
                "The site https://{host} ({address}) has a certificate that expires in \
                {OLD_DAYS} days, so it needs a new one."
            ),
        ]
    }

    fn real_step(&self) -> NextStep {
        advice::rehearsal::request_real_certificate()
    }

    fn play(&mut self) -> Result<RehearsalProof, EarlyEnd> {
        let order = self.order()?;
        self.publish_at_doubled_name(&order)?;
        let new = self.publish(&order)?;
        self.install_with_idle_reload()?;
        let proof = self.install(&new)?;
        self.rehearsal.show_last_step()?;
        Ok(proof)
    }

    fn rehearsal(&self) -> &RehearsalRun<'a> {
        &self.rehearsal
    }

    fn into_rehearsal(self) -> RehearsalRun<'a> {
        self.rehearsal
    }
}

impl PasteScenario<'_> {
    fn order(&mut self) -> Result<PendingOrder, EarlyEnd> {
        let name = self.rehearsal.name.as_str().to_owned();
        self.rehearsal.run_command(
            "You make a private key, which never leaves this machine, and a certificate signing \
                request (CSR), which you paste at the reseller",
            &["csr", &name, "--ca", "namecheap"],
            ExpectedResult {
                exit_code: 0,
                verdict: None,
            },
        )?;
        let request = self
            .rehearsal
            .inner
            .path_of(format!("{}.csr", self.rehearsal.name.file_stem()));
        let request = files::read(&request, 65536)?;
        let order = self.reseller.order(&request)?;
        let record = ShownRecord {
            host: order.host.clone(),
            target: order.target.clone(),
        };
        self.rehearsal.add_record_event(
            "reseller",
            "The reseller shows the record that you have to publish, with its full host name",
            record,
        );
        Ok(order)
    }

    fn publish_at_doubled_name(&mut self, order: &PendingOrder) -> Result<(), EarlyEnd> {
        let published = self.rehearsal.zone.add_cname(&order.host, &order.target)?;
        self.rehearsal.add_event(
            "dns-provider",
            format!(
                "You enter this full host name in the DNS provider's console, a common mistake: \
                    the console appends the zone, so the record is published at {published}"
            ),
        );
        let record = format!("{} CNAME {}", order.host, order.target);
        let resolver = self.rehearsal.dns.address().to_string();
        self.rehearsal.run_command(
            "You let certctl check the record before the CA does; it reports that the record is \
                at the wrong name",
            &["dcv-check", "--record", &record, "--resolver", &resolver],
            ExpectedResult {
                exit_code: 1,
                verdict: Some("wrong-place"),
            },
        )?;
        match self.reseller.retry(order)? {
            RetryResult::Issued(_) => Err(unexpected(
                "the reseller issued a certificate for a record at the wrong name",
            )),
            RetryResult::NotIssued(_) => {
                let event = "You choose Retry at the reseller; its CA does not find the record and \
                    issues nothing";
                self.rehearsal.add_event("reseller", event.to_owned());
                Ok(())
            }
        }
    }

    fn publish(&mut self, order: &PendingOrder) -> Result<Certificate, EarlyEnd> {
        self.rehearsal.zone.remove(&order.host);
        let host = order
            .host
            .strip_suffix(zone_of(&self.rehearsal.name))
            .map_or(order.host.as_str(), |host| host.trim_end_matches('.'));
        let published = self.rehearsal.zone.add_cname(host, &order.target)?;
        self.rehearsal.add_event(
            "dns-provider",
            format!(
                "In the DNS provider's console you change the host to {host}, so the record is \
                    now published at {published}"
            ),
        );
        let resolver = self.rehearsal.dns.address().to_string();
        self.rehearsal.run_command(
            "You let certctl check again; it stored the reseller's record, so you need not repeat \
                it",
            &["dcv-check", "--resolver", &resolver],
            ExpectedResult {
                exit_code: 0,
                verdict: Some("visible"),
            },
        )?;
        match self.reseller.retry(order)? {
            RetryResult::NotIssued(ValidationAttempt::Other(value)) => Err(unexpected(format!(
                "the reseller found the record with the value {value}"
            ))),
            RetryResult::NotIssued(_) => Err(unexpected("the reseller did not find the record")),
            RetryResult::Issued(leaf) => {
                self.receive_zip(order, &leaf)?;
                Ok(*leaf)
            }
        }
    }

    /// Writes the zip that the reseller sends by email.
    fn receive_zip(&mut self, order: &PendingOrder, leaf: &Certificate) -> Result<(), EarlyEnd> {
        self.zip = RehearsalReseller::zip_name(order);
        let path = self.rehearsal.inner.path_of(&self.zip);
        let zip = self.reseller.pack(order, leaf)?;
        files::create_new(&path, &zip, Mode::new(0o644))?;
        let event = format!(
            "You choose Retry at the reseller; its CA finds the record and issues the certificate, \
                which you save as {}",
            path.display()
        );
        self.rehearsal.add_event("reseller", event);
        Ok(())
    }

    fn install_with_idle_reload(&mut self) -> Result<(), EarlyEnd> {
        self.run_install(
            "You install the certificate with a reload command that succeeds but does nothing; \
                certctl detects that the old certificate is still served, and rolls back",
            Some(IDLE_RELOAD),
            ExpectedResult {
                exit_code: 5,
                verdict: Some("rolled-back"),
            },
        )?;
        let visit = self.rehearsal.visit()?;
        if visit.leaf != self.rehearsal.old.der() {
            return Err(unexpected(
                "the site does not serve the old certificate after the rollback",
            ));
        }
        self.rehearsal.add_event(
            "visitor",
            format!(
                "A visitor of https://{} gets the old certificate, which expires on {}, and no \
                    error",
                self.rehearsal.visited_host(),
                day(self.rehearsal.old.not_after)
            ),
        );
        Ok(())
    }

    fn install(&mut self, new: &Certificate) -> Result<RehearsalProof, EarlyEnd> {
        let reload = self.rehearsal.reload_command();
        self.run_install(
            "You install it with the right reload command; certctl replaces certificate and key in \
                one step, reloads the server and verifies that it serves the new certificate",
            reload.as_deref(),
            ExpectedResult {
                exit_code: 0,
                verdict: Some("live"),
            },
        )?;
        self.rehearsal.prove(new)
    }

    /// Installs the zip; `reload` replaces the server's own reload command.
    fn run_install(
        &mut self,
        title: &'static str,
        reload: Option<&str>,
        expected: ExpectedResult,
    ) -> Result<(), EarlyEnd> {
        let zip = self.rehearsal.inner.path_of(&self.zip);
        let mut words = vec!["install".to_owned(), zip.display().to_string()];
        words.extend(self.rehearsal.server_words(reload));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.rehearsal.run_command(title, &words, expected)
    }
}
