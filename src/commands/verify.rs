//! `certctl verify`: does it all fit, as a server would send it: key, chain, order, names, dates,
//! trust.

mod criteria;
mod host;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

pub(crate) use self::criteria::VerifiedCertificate;
use self::criteria::{Strictness, VerifyCriteria};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::inputs::folder::FolderContents;
use crate::inputs::{
    self, HostArgument, InputReader, PasswordArgs, ServedCertificates, ServedFileOptions,
};
use crate::install::installed;
use crate::install::request;
use crate::matching::{self, KeyCandidates, MatchingRemark};
use crate::pki::trust::TrustSource;
use crate::pki::verify;
use crate::probe::StartTls;
use crate::report::{Outcome, TextOutput};
use crate::system::fs::files;

/// Does it all fit: key, chain, names, dates, trust
///
/// Examples:
///   certctl verify example.com.fullchain.pem example.com.key --host www.example.com
///   certctl verify example.com:443
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct VerifyArgs {
    /// A name, the files of a pair, judged as a server would send them, or a server [default: the
    /// pairs here, else those installed]
    #[arg(value_name = "NAME|FILE|HOST:PORT")]
    pub items: Vec<String>,
    /// Certificates in any order; without a FILE the first is the site's
    #[arg(long, value_name = "FILE")]
    pub chain: Option<PathBuf>,
    /// The private key that must fit
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// A host that the certificate must be for (may be repeated)
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// What the server speaks before TLS [default: what its port implies]
    #[arg(long, value_name = "PROTOCOL")]
    pub starttls: Option<StartTls>,
    /// Whom to trust: Mozilla's list, this system's roots, or a file of CA certificates
    #[arg(long, value_name = "mozilla|system|FILE")]
    pub trust: Option<String>,
    /// Refuse on warnings too, and hold a company's own CA to the rules for public ones
    #[arg(long)]
    pub strict: bool,
    /// How what is locked is opened.
    #[command(flatten)]
    pub reading: PasswordArgs,
}

impl VerifyArgs {
    fn rules(&self) -> Strictness {
        if self.strict {
            Strictness::Strict
        } else {
            Strictness::Usual
        }
    }
}

/// What `verify` ends with.
#[derive(Debug)]
pub(crate) struct VerifyOutcome {
    /// Each certificate that was judged.
    pub verified: Vec<VerifiedCertificate>,
    /// Whose roots were believed.
    pub trust: TrustSource,
    /// The hosts asked for.
    pub hosts: Vec<String>,
}

/// Judges what is named.
///
/// # Errors
/// Input that cannot be read or holds no certificate, a host that shows none.
pub(crate) fn run(context: &Context, args: &VerifyArgs) -> Result<VerifyOutcome, Failure> {
    let hosts = inputs::wanted_hosts(&args.hosts)?;
    let (served, items): (Vec<String>, Vec<String>) = args
        .items
        .iter()
        .cloned()
        .partition(|item| server(item).is_some());
    if served.is_empty() && args.starttls.is_some() {
        return Err(Failure::new(
            FailureKind::Usage,
            "--starttls is about a host, and none is named",
        )
        .with(NextStep::say("certctl verify mail.example.com:25")));
    }
    let mut outcome = VerifyOutcome {
        verified: Vec::new(),
        trust: TrustSource::Mozilla,
        hosts,
    };
    for host in served.iter().filter_map(|item| server(item)) {
        let trust = inputs::anchors(args.trust.as_deref())?;
        let hosts: Vec<String> = std::iter::once(host.name.clone())
            .chain(outcome.hosts.iter().cloned())
            .collect();
        let measure = VerifyCriteria::new(context.now(), args.rules(), &trust, &hosts);
        outcome
            .verified
            .extend(host::judge(&host, args.starttls, measure)?);
        outcome.trust = trust.source().clone();
    }
    if served.is_empty() || !items.is_empty() {
        judge_files(context, args, &items, &mut outcome)?;
    }
    Ok(outcome)
}

/// A server to ask: it has a port, and there is no such file.
fn server(item: &str) -> Option<HostArgument> {
    if files::occupied(Path::new(item)) {
        None
    } else {
        HostArgument::with_port(item)
    }
}

/// What is named, else the pairs here, else all that are installed.
fn judge_files(
    context: &Context,
    args: &VerifyArgs,
    items: &[String],
    outcome: &mut VerifyOutcome,
) -> Result<(), Failure> {
    let installed = installed(context, args, items)?;
    let reading = InputReader::new(context, &args.reading)?;
    if installed.is_empty() {
        let (items, key, trust) = (items.to_vec(), args.key.as_deref(), args.trust.as_deref());
        return judge_pair(
            context,
            args,
            &Asked {
                items,
                key,
                trust,
                reading: &reading,
            },
            outcome,
        );
    }
    for files in installed {
        let remembered = installed::settings(context, &files.stem)?.trust;
        let items = vec![files.chain.display().to_string()];
        let trust = args.trust.as_deref().or(remembered.as_deref());
        let first = outcome.verified.len();
        judge_pair(
            context,
            args,
            &Asked {
                items,
                key: Some(&files.key),
                trust,
                reading: &reading,
            },
            outcome,
        )?;
        if let (false, Some(one)) = (files.proven, outcome.verified.get_mut(first)) {
            one.findings.push(not_proven(context, &files.stem));
        }
    }
    Ok(())
}

/// The installed files that a name means, where nothing newer for it lies here; without an argument
/// all, where no certificate lies here.
fn installed(
    context: &Context,
    args: &VerifyArgs,
    items: &[String],
) -> Result<Vec<installed::InstalledFiles>, Failure> {
    match (items, &args.key, &args.chain) {
        ([name], None, None) => Ok(installed::newest(context, std::slice::from_ref(name))?
            .into_iter()
            .flatten()
            .collect()),
        ([], None, None) if FolderContents::read(context)?.certificates.is_empty() => {
            installed::all_files(context)
        }
        _ => Ok(Vec::new()),
    }
}

/// What one judgement is about.
struct Asked<'a> {
    items: Vec<String>,
    key: Option<&'a Path>,
    trust: Option<&'a str>,
    reading: &'a InputReader,
}

fn judge_pair(
    context: &Context,
    args: &VerifyArgs,
    asked: &Asked<'_>,
    outcome: &mut VerifyOutcome,
) -> Result<(), Failure> {
    let Asked {
        items,
        key,
        trust,
        reading,
    } = asked;
    let anchors = inputs::anchors(*trust)?;
    let options = ServedFileOptions {
        key: *key,
        chain: args.chain.as_deref(),
        reading,
    };
    let (presented, keyring) = inputs::present(context, items, &options)?;
    let measure = VerifyCriteria::new(context.now(), args.rules(), &anchors, &outcome.hosts);
    let again = |one: &ServedCertificates| {
        let typed = if items.is_empty() {
            std::slice::from_ref(&one.file)
        } else {
            items.as_slice()
        };
        inputs::bundle_again(context, typed, &anchors)
    };
    let verified: Vec<VerifiedCertificate> = presented
        .iter()
        .map(|one| judge(one, &keyring, measure, &again(one)))
        .collect();
    outcome.verified.extend(verified);
    outcome.trust = anchors.source().clone();
    Ok(())
}

fn not_proven(context: &Context, stem: &str) -> Finding {
    Finding::note(
        "not-verified-live",
        "not proven yet: these files are in place and were not seen to be served since",
    )
    .with(request::again(context, &["install", stem]))
}

/// `bundle` is the command line that makes a right file of what was passed.
fn judge(
    one: &ServedCertificates,
    keyring: &KeyCandidates,
    measure: VerifyCriteria<'_>,
    bundle: &[String],
) -> VerifiedCertificate {
    let ServedCertificates {
        file,
        delivery,
        served,
        leaf,
        bag,
    } = one;
    let wanted = measure.wanted();
    let mut chain = verify::assemble(leaf, bag, wanted).chain;
    let issuer = keyring.issuer_here(&chain, bundle);
    if let Some(root) = keyring.root_here(&chain) {
        // Nothing is missing: the chain is whole, and its root is not trusted.
        chain = verify::assemble(leaf, &[bag, std::slice::from_ref(root)].concat(), wanted).chain;
    }
    let key = keyring.key_of(leaf);
    let wrong = key.and_then(|key| matching::wrong_key(leaf, key));
    let key_path = key.filter(|_| wrong.is_none()).map(|key| key.path.clone());
    let faults = matching::faults(file, delivery, served, &chain);
    let request = keyring.request_of(leaf);
    let not_issued =
        request.and_then(|one| matching::not_issued(leaf, &one.held.value, &one.held.path));
    let mut findings: Vec<Finding> = wrong.iter().map(Finding::from).collect();
    findings.extend(keyring.judge(leaf).iter().map(Finding::from));
    if let (None, Some(request)) = (key, request) {
        let (label, request, looked) = (leaf.label(), request.held.path.clone(), keyring.looked());
        findings.push(Finding::from(&MatchingRemark::OnlyRequest {
            label,
            request,
            looked,
        }));
    }
    findings.extend(faults.iter().map(|fault| Finding::from((fault, bundle))));
    findings.extend(measure.findings(&chain, served, bag));
    findings.extend(issuer.iter().map(Finding::from));
    findings.extend(not_issued.iter().map(Finding::from));
    VerifiedCertificate {
        key_path,
        ..measure.verified(file.clone(), chain, findings)
    }
}

impl Outcome for VerifyOutcome {
    fn json(&self) -> Value {
        let findings: Vec<&Finding> = self.verified.iter().flat_map(|one| &one.findings).collect();
        json!({
            "schema": "certctl.verify/1",
            "verdict": if self.is_right() { "right" } else { "wrong" },
            "certificates": self.verified.iter().map(VerifiedCertificate::json).collect::<Vec<_>>(),
            "trust": self.trust.to_string(),
            "hosts": self.hosts,
            "findings": findings,
            "next": [],
        })
    }

    fn human(&self, text: &mut TextOutput) {
        for one in &self.verified {
            let right = if one.is_right() { "right" } else { "found" };
            text.fact(right, one.in_words());
            text.findings(&one.findings);
        }
    }

    fn exit_code(&self) -> u8 {
        u8::from(!self.is_right())
    }
}

impl VerifyOutcome {
    fn is_right(&self) -> bool {
        self.verified.iter().all(VerifiedCertificate::is_right)
    }
}
