//! The story: an old certificate, a new one, and the two mistakes that cost people their evening.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use serde_json::Value;

use super::outcome::{RehearsalProof, RehearseOutcome};
use super::step::{ExpectedResult, OutsideEvent, RehearsalStep, day};
use crate::commands::{csr, dcv_check, install};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::rehearsal::ca::RehearsalCa;
use crate::rehearsal::shop::{PendingOrder, RehearsalReseller, ValidationAttempt};
use crate::rehearsal::web::{self, OLD_DAYS, RehearsalNginx, RehearsalSite};
use crate::rehearsal::zone::RehearsalZone;
use crate::report::{Outcome, Sink};
use crate::system::fs::files;
use crate::system::fs::scratch::ScratchFolder;
use crate::system::serve::dns::DnsServer;
use crate::system::serve::web::{SiteVisit, visit};

/// Which web server serves the site.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum RehearsalServer {
    /// In this process.
    #[default]
    Embedded,
    /// The one that is installed here.
    Nginx,
}

/// A reload that ends well and does nothing.
const IDLE_RELOAD: &str = "true";

/// The verbs of the round. Their lines are parsed here, so that what is shown is what is run.
#[derive(Debug, Parser)]
#[command(name = "certctl", no_binary_name = true)]
enum Line {
    Csr(csr::CsrArgs),
    DcvCheck(dcv_check::DcvCheckArgs),
    Install(Box<install::InstallArgs>),
}

/// Why the round ended early.
enum Halt {
    /// Something did not come out as it should.
    Unexpected(Finding),
    /// The rehearsal itself could not go on.
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// All that stands around certctl in a round, and what has been done.
struct Round {
    /// In which the commands run: silent, in the rehearsal's folder.
    inner: Context,
    name: DnsName,
    zone: RehearsalZone,
    dns: DnsServer,
    shop: RehearsalReseller,
    root: Certificate,
    root_path: PathBuf,
    old: Certificate,
    web: RehearsalSite,
    /// What the shop's zip is called.
    zip: String,
    steps: Vec<RehearsalStep>,
}

/// Sets the stage in `scratch` and plays the round.
pub(super) fn play(
    context: &Context,
    server: RehearsalServer,
    name: &DnsName,
    scratch: &ScratchFolder,
) -> Result<RehearseOutcome, Failure> {
    let folder = scratch.path().to_owned();
    // So that whatever has been started is stopped too.
    context
        .interrupt
        .listen()
        .map_err(|error| Failure::of(FailureKind::Internal, &error))?;
    let mut round = Round::set_up(context, server, name, scratch)?;
    let intro = round.intro();
    let (proof, findings) = match round.run() {
        Ok(proof) => (Some(proof), Vec::new()),
        Err(Halt::Unexpected(finding)) => (None, vec![finding]),
        Err(Halt::Failed(failure)) => return Err(failure),
    };
    Ok(RehearseOutcome {
        name: name.clone(),
        folder,
        intro,
        steps: round.steps,
        proof,
        findings,
    })
}

impl Round {
    fn set_up(
        context: &Context,
        server: RehearsalServer,
        name: &DnsName,
        scratch: &ScratchFolder,
    ) -> Result<Self, Failure> {
        let now = context.now();
        let zone = RehearsalZone::new(name.registrable().unwrap_or_else(|| name.base()))?;
        let served = zone.clone();
        let dns = DnsServer::start(Arc::new(move |query: &[u8]| served.answer(query)))
            .context("the embedded DNS server cannot be started")?;
        let authority = RehearsalCa::new(now)?;
        let root = authority.root()?;
        let root_path = scratch.path().join("root.pem");
        files::create_new(&root_path, root.to_pem().as_bytes(), 0o644)?;
        let (paths, old) = web::old_pair(scratch, &authority, name)?;
        let web = match server {
            RehearsalServer::Embedded => RehearsalSite::embedded(scratch, paths)?,
            RehearsalServer::Nginx => {
                RehearsalSite::Nginx(RehearsalNginx::start(scratch, name.as_str(), &paths)?)
            }
        };
        let inner = Context {
            directory: scratch.path().to_owned(),
            root: Some(scratch.path().to_owned()),
            at: context.at,
            sink: Sink::silent(),
            interrupt: context.interrupt.clone(),
        };
        let shop = RehearsalReseller::new(authority, dns.address());
        Ok(Self {
            inner,
            name: name.clone(),
            zone,
            dns,
            shop,
            root,
            root_path,
            old,
            web,
            zip: String::new(),
            steps: Vec::new(),
        })
    }

    fn intro(&self) -> Vec<String> {
        let folder = self.inner.directory.display();
        let (name, address) = (self.name.as_str(), self.web.address());
        vec![
            "The whole round of a certificate with the real commands; the shop and its CA, the DNS \
                and the web server are"
                .to_owned(),
            format!("certctl's own, on this machine alone. Files: {folder}/ (each command runs \
                with -C {folder} --root {folder})."),
            format!("The site https://{name} ({address}) shows a certificate that ends in \
                {OLD_DAYS} days: time for a new one."),
        ]
    }

    fn run(&mut self) -> Result<RehearsalProof, Halt> {
        let order = self.order()?;
        self.publish_at_the_wrong_place(&order)?;
        let new = self.publish(&order)?;
        self.install_with_a_reload_that_does_nothing()?;
        self.install(&new)
    }

    fn order(&mut self) -> Result<PendingOrder, Halt> {
        let name = self.name.as_str().to_owned();
        self.certctl(
            "A key, which never leaves this machine, and a request (CSR), which the shop gets",
            &["csr", &name, "--ca", "namecheap"],
            ExpectedResult {
                exit_code: 0,
                verdict: None,
            },
        )?;
        let request = self.inner.here(format!("{}.csr", self.name.file_stem()));
        let order = self.shop.order(&files::read(&request, 65536)?)?;
        self.remark(
            "shop",
            format!(
                "prove that it is yours: CNAME {} to {}",
                order.host, order.target
            ),
        );
        Ok(order)
    }

    fn publish_at_the_wrong_place(&mut self, order: &PendingOrder) -> Result<(), Halt> {
        self.zone.enter(&order.host, &order.target)?;
        let record = format!("{} CNAME {}", order.host, order.target);
        let resolver = self.dns.address().to_string();
        self.certctl(
            "The record is published, with the usual mistake: the whole name as host, though the \
                DNS panel adds the zone",
            &["dcv-check", "--record", &record, "--resolver", &resolver],
            ExpectedResult {
                exit_code: 1,
                verdict: Some("wrong-place"),
            },
        )?;
        match self.shop.retry(order)? {
            Ok(_) => Err(unexpected(
                "the shop issued for a record at the wrong place",
            )),
            Err(_) => {
                self.remark("shop", "we do not see the record".to_owned());
                Ok(())
            }
        }
    }

    fn publish(&mut self, order: &PendingOrder) -> Result<Certificate, Halt> {
        self.zone.remove(&order.host);
        let zone = self.name.registrable().unwrap_or_else(|| self.name.base());
        let host = order
            .host
            .strip_suffix(zone)
            .map_or(order.host.as_str(), |host| host.trim_end_matches('.'));
        self.zone.enter(host, &order.target)?;
        let resolver = self.dns.address().to_string();
        self.certctl(
            "Published again, with the host alone; certctl has kept the shop's record",
            &["dcv-check", "--resolver", &resolver],
            ExpectedResult {
                exit_code: 0,
                verdict: Some("visible"),
            },
        )?;
        match self.shop.retry(order)? {
            Err(ValidationAttempt::Other(value)) => {
                Err(unexpected(format!("the shop sees the value {value}")))
            }
            Err(_) => Err(unexpected("the shop does not see the record")),
            Ok(leaf) => {
                self.zip = RehearsalReseller::zip_name(order);
                let path = self.inner.here(&self.zip);
                files::create_new(&path, &self.shop.pack(order, &leaf)?, 0o644)?;
                self.remark(
                    "shop",
                    format!(
                        "we see it, the domain is yours; by mail comes {}",
                        path.display()
                    ),
                );
                Ok(leaf)
            }
        }
    }

    fn install_with_a_reload_that_does_nothing(&mut self) -> Result<(), Halt> {
        self.certctl_install(
            "Installed, with a reload that says it worked and did nothing: certctl looks, sees it, \
                and puts all back",
            Some(IDLE_RELOAD),
            ExpectedResult {
                exit_code: 5,
                verdict: Some("rolled-back"),
            },
        )?;
        let visit = self.visit()?;
        if visit.leaf != self.old.der() {
            return Err(unexpected(
                "the site does not show the old certificate again",
            ));
        }
        self.remark(
            "visit",
            format!(
                "a visitor still sees the old certificate, until {}, and no error",
                day(self.old.not_after)
            ),
        );
        Ok(())
    }

    fn install(&mut self, new: &Certificate) -> Result<RehearsalProof, Halt> {
        let reload = match &self.web {
            RehearsalSite::Embedded { reload, .. } => Some(format!(
                "touch {}",
                shell_word(&reload.display().to_string())
            )),
            RehearsalSite::Nginx(_) => None,
        };
        self.certctl_install(
            "The same with the reload that this server knows: key and chain switch at once, and \
                the site is asked",
            reload.as_deref(),
            ExpectedResult {
                exit_code: 0,
                verdict: Some("live"),
            },
        )?;
        let visit = self.visit()?;
        if visit.leaf != new.der() {
            return Err(unexpected(
                "a visitor is not shown the new certificate, though install says so",
            ));
        }
        Ok(RehearsalProof {
            address: self.web.address().to_string(),
            protocol: visit.protocol,
            sha256: new.sha256(),
            not_after: new.not_after,
        })
    }

    /// Installs the zip; `reload` in place of the server's own.
    fn certctl_install(
        &mut self,
        title: &'static str,
        reload: Option<&str>,
        expected: ExpectedResult,
    ) -> Result<(), Halt> {
        let zip = self.inner.here(&self.zip).display().to_string();
        let root = self.root_path.display().to_string();
        let mut words = vec![
            "install".to_owned(),
            zip,
            "--trust".to_owned(),
            root,
            "--server".to_owned(),
        ];
        match &self.web {
            RehearsalSite::Embedded { server, .. } => {
                words.extend([
                    "none".to_owned(),
                    "--probe".to_owned(),
                    server.address().to_string(),
                ]);
            }
            RehearsalSite::Nginx(_) => {
                words.extend([
                    "nginx".to_owned(),
                    "--server-config".to_owned(),
                    self.inner.here("nginx/nginx.conf").display().to_string(),
                ]);
            }
        }
        words.extend(
            reload
                .into_iter()
                .flat_map(|command| ["--reload".to_owned(), command.to_owned()]),
        );
        self.certctl(
            title,
            &words.iter().map(String::as_str).collect::<Vec<_>>(),
            expected,
        )
    }

    /// Runs one line as a user types it.
    fn certctl(
        &mut self,
        title: &'static str,
        words: &[&str],
        expected: ExpectedResult,
    ) -> Result<(), Halt> {
        if let Some(signal) = self.inner.interrupt.signal() {
            let stood = format!(
                "after {} of its steps; nothing of it is in use",
                self.steps.len()
            );
            return Err(Failure::new(
                FailureKind::Interrupted(signal),
                "the rehearsal was interrupted",
            )
            .because(stood)
            .into());
        }
        let mut line = Line::try_parse_from(words).map_err(anyhow::Error::from)?;
        if let Line::Install(args) = &mut line
            && args.reload.as_deref() == Some(IDLE_RELOAD)
        {
            // Nothing will change, however long it is asked.
            args.patience.deadline = Duration::from_millis(300);
        }
        let (exit_code, document) = match &line {
            Line::Csr(args) => ended(csr::run(&self.inner, args))?,
            Line::DcvCheck(args) => ended(dcv_check::run(&self.inner, args))?,
            Line::Install(args) => ended(install::run(&self.inner, args))?,
        };
        let owned = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        let folder = self.inner.directory.display().to_string();
        let at = self
            .inner
            .at
            .iter()
            .flat_map(|at| ["--at".to_owned(), at.to_string()])
            .collect();
        let argv = [
            owned(&["certctl", "-C", &folder, "--root", &folder]),
            at,
            owned(words),
        ]
        .concat();
        let shown = [owned(&["certctl"]), owned(words)].concat();
        let step = RehearsalStep {
            title,
            argv,
            shown,
            expected,
            exit_code,
            document,
            remarks: Vec::new(),
        };
        let missed = step.missed();
        self.steps.push(step);
        match missed {
            None => Ok(()),
            Some(how) => Err(unexpected(format!("step {} {how}", self.steps.len()))),
        }
    }

    /// What a browser that trusts the shop's root is shown.
    fn visit(&self) -> Result<SiteVisit, Halt> {
        // A wildcard does not cover the name that it stands under.
        let host = if self.name.is_wildcard() {
            format!("www.{}", self.name.base())
        } else {
            self.name.as_str().to_owned()
        };
        visit(self.web.address(), &host, self.root.der(), self.inner.now())
            .map_err(|error| unexpected(format!("a visitor was refused: {error}")))
    }

    fn remark(&mut self, who: &'static str, what: String) {
        if let Some(step) = self.steps.last_mut() {
            step.remarks.push(OutsideEvent { who, what });
        }
    }
}

/// Exit code and document; a signal ends the rehearsal too.
fn ended<O: Outcome>(result: Result<O, Failure>) -> Result<(u8, Value), Failure> {
    match result {
        Ok(outcome) => Ok((outcome.exit_code(), outcome.json())),
        Err(failure) if matches!(failure.kind, FailureKind::Interrupted(_)) => Err(failure),
        Err(failure) => Ok((failure.kind.exit_code(), failure.json())),
    }
}

fn unexpected(message: impl Into<String>) -> Halt {
    let all = NextStep::say("please report it, with all of:  certctl rehearse --json");
    Halt::Unexpected(Finding::error("rehearsal-unexpected", message).with(all))
}
