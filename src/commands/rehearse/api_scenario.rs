//! The scenario of `--api`: a certificate is ordered through APIs, and its renewal finishes by itself.

use super::outcome::RehearsalProof;
use super::runner::{EarlyEnd, RehearsalScenario, unexpected};
use super::setup::RehearsalRun;
use super::step::ExpectedResult;
use crate::advice;
use crate::failure::Failure;
use crate::finding::NextStep;
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::rehearsal::acme_server::AcmeServer;
use crate::rehearsal::ca::RehearsalCa;
use crate::rehearsal::dns_api;
use crate::rehearsal::web::{OLD_DAYS, RehearsalSite};
use crate::system::fs::files;
use crate::system::fs::scratch::ScratchFolder;
use crate::system::serve::http::HttpServer;

/// An order and two runs of `renew`.
pub(super) struct ApiScenario<'a> {
    rehearsal: RehearsalRun<'a>,
    acme: AcmeServer,
    acme_listener: HttpServer,
    _dns_api: HttpServer,
}

impl<'a> ApiScenario<'a> {
    /// Starts the CA and the provider, and writes the credentials of the provider's API.
    ///
    /// # Errors
    /// When no loopback port is free, or the credentials cannot be written.
    pub(super) fn new(
        rehearsal: RehearsalRun<'a>,
        authority: RehearsalCa,
        scratch: &ScratchFolder,
    ) -> Result<Self, Failure> {
        let acme = AcmeServer::new(authority, rehearsal.dns.address(), rehearsal.inner.now());
        let acme_listener = acme.start()?;
        let dns_api = dns_api::start(&rehearsal.zone)?;
        let credentials = format!(
            "[dns.cloudflare]\napi_url = \"http://{}\"\napi_token = \"{}\"\n",
            dns_api.address(),
            dns_api::TOKEN
        );
        let folder = scratch.create_folder("etc/certctl")?;
        let path = folder.join("credentials.toml");
        files::create_new(&path, credentials.as_bytes(), Mode::new(0o600))?;
        Ok(Self {
            rehearsal,
            acme,
            acme_listener,
            _dns_api: dns_api,
        })
    }

    fn order(&mut self) -> Result<Certificate, EarlyEnd> {
        let name = self.rehearsal.name.as_str().to_owned();
        let directory = format!("http://{}/directory", self.acme_listener.address());
        let resolver = self.rehearsal.dns.address().to_string();
        let reload = self.rehearsal.reload_command();
        let mut words = vec!["order", &name, "--ca", &directory, "--dns", "cloudflare"];
        words.extend(["--resolver", &resolver, "--agree-tos"]);
        let server_words = self.rehearsal.server_words(reload.as_deref());
        words.extend(server_words.iter().map(String::as_str));
        self.rehearsal.run_command(
            "You order a certificate: certctl publishes the validation record through the DNS \
                provider's API, checks that the zone's server shows it, gets the certificate, \
                installs it, and removes the record",
            &words,
            ExpectedResult {
                exit_code: 0,
                verdict: Some("live"),
            },
        )?;
        self.check_records()?;
        self.newest_certificate()
    }

    fn renew(&mut self, title: &'static str, verdict: &'static str) -> Result<(), EarlyEnd> {
        let expected = ExpectedResult {
            exit_code: 0,
            verdict: Some(verdict),
        };
        self.rehearsal.run_command(title, &["renew"], expected)
    }

    fn ask_for_early_renewal(&mut self) {
        self.acme.ask_for_early_renewal();
        let event = "The CA suggests to renew this certificate at once (ARI), as it does before it \
            has to revoke certificates";
        self.rehearsal.add_event("ca", event.to_owned());
    }

    /// The zone must be as it was before the order.
    fn check_records(&mut self) -> Result<(), EarlyEnd> {
        let name = self.rehearsal.name.base();
        let record = format!("_acme-challenge.{name}");
        if !self.rehearsal.zone.texts(&record).is_empty() {
            return Err(unexpected(format!("the record {record} was not removed")));
        }
        Ok(())
    }

    fn newest_certificate(&self) -> Result<Certificate, EarlyEnd> {
        let newest = self.acme.last_issued();
        newest.ok_or_else(|| unexpected("the CA issued nothing, although the command succeeded"))
    }
}

impl<'a> RehearsalScenario<'a> for ApiScenario<'a> {
    fn intro(&self) -> Vec<String> {
        let folder = self.rehearsal.inner.directory.display();
        let host = self.rehearsal.visited_host();
        let address = self.rehearsal.web.address();
        let server = match &self.rehearsal.web {
            RehearsalSite::Embedded { .. } => {
                "The CA with its ACME server, the DNS provider (its API is the part of \
                Cloudflare's that certctl uses), the DNS server and the web server are built into \
                certctl"
            }
            RehearsalSite::Nginx(_) => {
                "The CA with its ACME server, the DNS provider (its API is the part of \
                Cloudflare's that certctl uses) and the DNS server are built into certctl; the web \
                server is the nginx of this machine"
            }
        };
        vec![
            format!(
                "This is a rehearsal: it runs the real commands, but only on this machine and \
                in the folder {folder}. {server}."
            ),
            format!(
                "The site https://{host} ({address}) has a certificate that expires in \
                {OLD_DAYS} days. From now on, it is to be renewed without a person."
            ),
        ]
    }

    fn real_step(&self) -> NextStep {
        advice::rehearsal::order_real_certificate()
    }

    fn play(&mut self) -> Result<RehearsalProof, EarlyEnd> {
        let first = self.order()?;
        self.rehearsal.prove(&first)?;
        self.renew(
            "A timer runs `renew` twice a day; the certificate is not due",
            "nothing-due",
        )?;
        self.ask_for_early_renewal();
        self.renew(
            "The next run of the timer orders the next certificate, with a new key, and installs it",
            "renewed",
        )?;
        self.check_records()?;
        let second = self.newest_certificate()?;
        if second.key_id == first.key_id {
            return Err(unexpected("the renewed certificate has the old key"));
        }
        let proof = self.rehearsal.prove(&second)?;
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
