//! `certctl verify`: checks key, chain, order, names, dates and trust of a certificate, as a server
//! would send it.

mod criteria;
mod file;
mod host;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

pub(crate) use self::criteria::VerifiedCertificate;
use self::criteria::{Strictness, VerifyCriteria};
use self::file::FileCheck;
use crate::advice::verify_command;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inputs::folder::FolderContents;
use crate::inputs::{
    self, HostArgument, InputReader, PasswordArgs, ServedCertificates, ServedFileOptions,
};
use crate::install::stored_roots::use_stored_root;
use crate::install::{installed, newest_files, public_facts, stored_roots};
use crate::matching::KeyCandidates;
use crate::pki::trust::{TrustAnchors, TrustSource};
use crate::probe::StartTls;
use crate::report::{Label, Outcome, TextOutput};
use crate::system::fs::files;

/// Check that key, chain, names, dates and trust are right
///
/// Examples:
///   certctl verify example.com.fullchain.pem example.com.key --host www.example.com
///   certctl verify example.com:443
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct VerifyArgs {
    /// A name, the files of a certificate (checked as a server would send them), or a server
    /// [default: the certificates in the working directory, else the installed ones]
    #[arg(value_name = "NAME|FILE|HOST:PORT")]
    pub items: Vec<String>,
    /// Further certificates in any order; without a FILE, the first one is the server's
    #[arg(long, value_name = "FILE")]
    pub chain: Option<PathBuf>,
    /// Private key that must match the certificate
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Host name that the certificate must cover (may be repeated)
    #[arg(long = "host", value_name = "NAME", value_delimiter = ',')]
    pub hosts: Vec<String>,
    /// Protocol that the server speaks before TLS starts (STARTTLS) [default: implied by the port]
    #[arg(long, value_name = "PROTOCOL")]
    pub starttls: Option<StartTls>,
    /// Trusted roots: mozilla, system, or a file of CA certificates [default: mozilla; for a name
    /// with an installed certificate, the roots that it was installed with]
    #[arg(long, value_name = "mozilla|system|FILE", value_parser = inputs::parse_trust)]
    pub trust: Option<String>,
    /// Treat warnings as errors, and apply the rules for public CAs to private CAs too
    #[arg(long)]
    pub strict: bool,
    /// How encrypted files are opened.
    #[command(flatten)]
    pub reading: PasswordArgs,
}

impl VerifyArgs {
    fn strictness(&self) -> Strictness {
        if self.strict {
            Strictness::Strict
        } else {
            Strictness::Usual
        }
    }
}

/// The outcome of `verify`.
#[derive(Debug)]
pub(crate) struct VerifyOutcome {
    /// Each certificate that was checked.
    pub verified: Vec<VerifiedCertificate>,
    /// The source of the trust anchors.
    pub trust: TrustSource,
    /// The hosts of `--host`.
    pub hosts: Vec<String>,
    /// The files of the working directory that were not checked.
    skipped: Vec<Finding>,
}

/// Checks the servers and files of the arguments.
///
/// # Errors
/// An input cannot be read or contains no certificate, or a host sends none.
pub(crate) fn run(context: &Context, args: &VerifyArgs) -> Result<VerifyOutcome, Failure> {
    let mut outcome = VerifyOutcome {
        verified: Vec::new(),
        trust: TrustSource::Mozilla,
        hosts: inputs::parse_host_flags(&args.hosts)?,
        skipped: Vec::new(),
    };
    let mut hosts: Vec<HostArgument> = Vec::new();
    let mut items: Vec<String> = Vec::new();
    for item in &args.items {
        match server_argument(item) {
            Some(host) => hosts.push(host),
            None => items.push(item.clone()),
        }
    }
    if hosts.is_empty() && args.starttls.is_some() {
        let message = "`--starttls` applies to a server, but none was given";
        let failure = Failure::new(FailureKind::Usage, message);
        return Err(failure.with_step(verify_command::name_starttls_host()));
    }
    for host in &hosts {
        verify_host(context, args, host, &mut outcome)?;
    }
    if hosts.is_empty() || !items.is_empty() {
        verify_items(context, args, &items, &mut outcome)?;
    }
    Ok(outcome)
}

/// Parses the argument as a server to probe: it has a port, and no file has that name.
fn server_argument(item: &str) -> Option<HostArgument> {
    if files::may_exist(Path::new(item)) {
        None
    } else {
        HostArgument::with_port(item)
    }
}

fn verify_host(
    context: &Context,
    args: &VerifyArgs,
    host: &HostArgument,
    outcome: &mut VerifyOutcome,
) -> Result<(), Failure> {
    let mut names = outcome.hosts.clone();
    // An address next to `--host` says where to connect, not which name is asked for.
    if names.is_empty() || host.name.parse::<IpAddr>().is_err() {
        names.insert(0, host.name.clone());
    }
    let given = args.trust.clone();
    let trust = match given.or_else(|| stored_trust(context, &names[0])) {
        Some(trust) => Some(trust),
        None => context.defaults()?.trust,
    };
    let anchors = inputs::trust_anchors(trust.as_deref())?;
    let criteria = VerifyCriteria::new(context.now(), args.strictness(), &anchors, &names);
    let mut verified = host::verify(host, args.starttls, criteria)?;
    for certificate in &mut verified {
        host::name_newer(context, host, args.starttls, certificate);
    }
    outcome.verified.extend(verified);
    outcome.trust = anchors.source().clone();
    Ok(())
}

/// Returns the `--trust` with which a certificate of this name is installed here.
fn stored_trust(context: &Context, name: &str) -> Option<String> {
    let found = newest_files::find_newest(context, &[name.to_owned()]).ok()?;
    let lineage = found.into_iter().flatten().next()?;
    let settings = installed::read_settings(context, &lineage.stem).ok()?;
    settings.trust
}

/// Checks the files of the arguments; without any, those in the directory, else all that are
/// installed.
fn verify_items(
    context: &Context,
    args: &VerifyArgs,
    items: &[String],
    outcome: &mut VerifyOutcome,
) -> Result<(), Failure> {
    let installed = installed_files(context, args, items)?;
    if items.is_empty() {
        let folder = FolderContents::read(context)?;
        outcome.skipped = verify_command::report_skipped_files(&folder);
    }
    let reader = InputReader::new(context, &args.reading)?;
    if installed.is_empty() {
        let selection = FileSelection {
            items: items.to_vec(),
            key: args.key.as_deref(),
            trust: args.trust.as_deref(),
            reader: &reader,
        };
        return verify_selection(context, args, &selection, outcome);
    }
    for lineage in installed {
        verify_installed(context, args, &reader, &lineage, outcome)?;
    }
    Ok(())
}

/// Checks the files of an installed certificate.
fn verify_installed(
    context: &Context,
    args: &VerifyArgs,
    reader: &InputReader,
    lineage: &installed::InstalledFiles,
    outcome: &mut VerifyOutcome,
) -> Result<(), Failure> {
    let settings = installed::read_settings(context, &lineage.stem)?;
    let selection = FileSelection {
        items: vec![lineage.chain_path.display().to_string()],
        key: lineage.key_path.as_deref(),
        trust: args.trust.as_deref().or(settings.trust.as_deref()),
        reader,
    };
    let first = outcome.verified.len();
    if let Err(failure) = verify_selection(context, args, &selection, outcome) {
        verify_without_key(context, args, selection, outcome, failure)?;
    }
    let renew = context.command_words("renew");
    let renew = [renew, vec![lineage.stem.clone()]].concat();
    for certificate in &mut outcome.verified[first..] {
        verify_command::renew_expired(&mut certificate.findings, &renew);
    }
    if let (false, Some(certificate)) = (lineage.is_proven, outcome.verified.get_mut(first)) {
        let finding = unproven_finding(context, &lineage.stem);
        certificate.findings.push(finding);
    }
    Ok(())
}

/// Checks an installed certificate whose key only root may read, without that key. A wrong
/// certificate is wrong whatever its key is; for a right one, the failure stands.
fn verify_without_key(
    context: &Context,
    args: &VerifyArgs,
    selection: FileSelection<'_>,
    outcome: &mut VerifyOutcome,
    failure: Failure,
) -> Result<(), Failure> {
    if !public_facts::may_need_root(&failure) {
        return Err(failure);
    }
    let first = outcome.verified.len();
    let public = FileSelection {
        key: None,
        ..selection
    };
    verify_selection(context, args, &public, outcome)?;
    let mut checked = outcome.verified[first..].iter();
    if checked.all(VerifiedCertificate::is_right) {
        let mut failure = failure;
        for certificate in outcome.verified.drain(first..) {
            let words = certificate.in_words();
            let fact = format!("{words}; its installed key was not checked");
            failure = failure.knowing(fact);
        }
        return Err(failure);
    }
    if let Some(certificate) = outcome.verified.get_mut(first) {
        let message = format!(
            "its installed key was not checked: {}",
            failure.with_causes()
        );
        let mut finding = Finding::note("keys-unreadable", message);
        for step in failure.next {
            finding = finding.with_step(step);
        }
        certificate.findings.push(finding);
    }
    Ok(())
}

/// Returns the installed files that a single name selects, unless the directory has newer ones;
/// without arguments, all installed files, unless the directory has certificates.
fn installed_files(
    context: &Context,
    args: &VerifyArgs,
    items: &[String],
) -> Result<Vec<installed::InstalledFiles>, Failure> {
    if args.key.is_some() || args.chain.is_some() {
        return Ok(Vec::new());
    }
    match items {
        [name] => {
            let newest = newest_files::find_newest(context, std::slice::from_ref(name))?;
            Ok(newest.into_iter().flatten().collect())
        }
        [] if FolderContents::read(context)?.certificates.is_empty() => {
            installed::list_live_files(context)
        }
        _ => Ok(Vec::new()),
    }
}

/// The files that are checked together.
struct FileSelection<'a> {
    items: Vec<String>,
    key: Option<&'a Path>,
    trust: Option<&'a str>,
    reader: &'a InputReader,
}

/// What each certificate of the files is checked with.
struct SelectionCheck<'a> {
    selection: &'a FileSelection<'a>,
    keyring: &'a KeyCandidates,
    anchors: &'a TrustAnchors,
    strictness: Strictness,
    hosts: &'a [String],
}

impl SelectionCheck<'_> {
    fn verify(&self, context: &Context, certificates: &ServedCertificates) -> VerifiedCertificate {
        let items = &self.selection.items;
        let bundled_items = if items.is_empty() {
            std::slice::from_ref(&certificates.file_name)
        } else {
            items.as_slice()
        };
        let bundle_words = inputs::bundle_command(context, bundled_items, self.anchors);
        let criteria =
            VerifyCriteria::new(context.now(), self.strictness, self.anchors, self.hosts);
        let check = FileCheck {
            certificates,
            keyring: self.keyring,
            criteria,
            bundle_words: &bundle_words,
        };
        let mut verified = check.verify();
        let names = &certificates.leaf.dns_names;
        add_renewal(context, names, &mut verified.findings);
        let last = verified.chain.certificates().last();
        use_stored_root(context, last, &mut verified.findings);
        verified
    }
}

fn verify_selection(
    context: &Context,
    args: &VerifyArgs,
    selection: &FileSelection<'_>,
    outcome: &mut VerifyOutcome,
) -> Result<(), Failure> {
    let configured = context.defaults()?.trust;
    let anchors = inputs::trust_anchors(selection.trust.or(configured.as_deref()))?;
    let options = ServedFileOptions {
        key: selection.key,
        chain: args.chain.as_deref(),
        reader: selection.reader,
    };
    let (presented, keyring) = inputs::read_served_files(context, &selection.items, &options)?;
    let is_chosen = selection.trust.is_some() || configured.is_some();
    let mut source = anchors.source().clone();
    let mut verified = Vec::new();
    for certificates in &presented {
        let mut stored = None;
        if !is_chosen {
            let names = &certificates.leaf.dns_names;
            stored = stored_roots::load_anchors(context, names);
        }
        let check = SelectionCheck {
            selection,
            keyring: &keyring,
            anchors: stored.as_ref().unwrap_or(&anchors),
            strictness: args.strictness(),
            hosts: &outcome.hosts,
        };
        source = check.anchors.source().clone();
        let one = check.verify(context, certificates);
        verified.push(one);
    }
    outcome.verified.extend(verified);
    outcome.trust = source;
    Ok(())
}

/// Adds the command line that prepares the next certificate for these names to the finding that one
/// has expired: `renew` if one is installed for them.
fn add_renewal(context: &Context, names: &[String], findings: &mut [Finding]) {
    if findings.iter().all(|finding| finding.code != "expired") {
        return;
    }
    let found = newest_files::find_newest(context, names).ok();
    let lineage = found.and_then(|found| found.into_iter().flatten().next());
    let words = match lineage {
        Some(lineage) => [context.command_words("renew"), vec![lineage.stem]].concat(),
        None => [context.command_words("csr"), names.to_vec()].concat(),
    };
    verify_command::renew_expired(findings, &words);
}

fn unproven_finding(context: &Context, stem: &str) -> Finding {
    let message = "these files are installed, but no server was verified to serve them";
    Finding::note("not-verified-live", message)
        .with_step(verify_command::verify_live(context.root.as_deref(), stem))
}

impl Outcome for VerifyOutcome {
    fn json(&self) -> Value {
        let findings: Vec<&Finding> = self
            .verified
            .iter()
            .flat_map(|certificate| &certificate.findings)
            .chain(&self.skipped)
            .collect();
        let certificates: Vec<Value> = self
            .verified
            .iter()
            .map(VerifiedCertificate::json)
            .collect();
        json!({
            "schema": "certctl.verify/1",
            "verdict": if self.is_right() { "right" } else { "wrong" },
            "changed": false,
            "certificates": certificates,
            "trust": self.trust.to_string(),
            "hosts": self.hosts,
            "findings": findings,
            "next": [],
        })
    }

    fn human(&self, text: &mut TextOutput) {
        for certificate in &self.verified {
            let label = if certificate.is_right() {
                Label::Done
            } else {
                Label::Found
            };
            text.add(label, certificate.in_words());
            text.add_findings(&certificate.findings);
        }
        text.add_findings(&self.skipped);
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
