//! `certctl verify`: does it all fit, as a server would send it: key, chain, order, names, dates, trust.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::changeover::{self, installed};
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::finding::{Finding, Next, Severity};
use crate::intake::{self, PresentOptions, Presented, ReadArgs, Reading};
use crate::pairing::{self, Keyring, Remark};
use crate::pki::chain::{Chain, Prefer, Wanted};
use crate::pki::lint;
use crate::pki::name::DnsName;
use crate::pki::trust::{Scope, TrustSource};
use crate::pki::verify::{self, Policy};
use crate::report::{self, Outcome, Text};

/// Does it all fit: key, chain, names, dates, trust
///
/// Examples:
///   certctl verify example.com.fullchain.pem example.com.key --host www.example.com
///   certctl verify example_com.crt --chain example_com.ca-bundle
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct VerifyArgs {
    /// A name or the files of a pair, judged as a server would send them [default: the pairs here]
    #[arg(value_name = "NAME|FILE")]
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
    /// Whom to trust: Mozilla's list, this system's roots, or a file of CA certificates
    #[arg(long, value_name = "mozilla|system|FILE")]
    pub trust: Option<String>,
    /// Refuse on warnings too, and hold a company's own CA to the rules for public ones
    #[arg(long)]
    pub strict: bool,
    /// How what is locked is opened.
    #[command(flatten)]
    pub reading: ReadArgs,
}

/// One certificate with what was found about it.
#[derive(Debug)]
pub struct Verified {
    /// The file that was judged.
    pub file: String,
    /// The chain as far as it leads.
    pub chain: Chain,
    /// The key that fits and its file.
    pub key_path: Option<PathBuf>,
    /// Everything found.
    pub findings: Vec<Finding>,
    /// What makes it wrong: errors, with `--strict` warnings too.
    pub bar: Severity,
}

/// What `verify` ends with.
#[derive(Debug)]
pub struct VerifyOutcome {
    /// Each certificate that was judged.
    pub verified: Vec<Verified>,
    /// Whose roots were believed.
    pub trust: TrustSource,
    /// The hosts asked for.
    pub hosts: Vec<String>,
}

/// Judges what is named.
///
/// # Errors
/// Input that cannot be read or holds no certificate.
pub fn run(context: &Context, args: &VerifyArgs) -> Result<VerifyOutcome, Failure> {
    let hosts: Vec<String> = args.hosts.iter().map(|host| ascii_host(host)).collect::<Result<_, _>>()?;
    let installed = installed(context, args)?;
    let (items, key, remembered) = match &installed {
        Some(files) => {
            let trust = installed::settings(context, &files.stem)?.trust;
            (vec![files.chain.display().to_string()], Some(files.key.as_path()), trust)
        }
        None => (args.items.clone(), args.key.as_deref(), None),
    };
    let anchors = intake::anchors(args.trust.as_deref().or(remembered.as_deref()))?;
    let reading = Reading::new(context, &args.reading)?;
    let options = PresentOptions { key, chain: args.chain.as_deref(), reading: &reading };
    let (presented, keyring) = intake::present(context, &items, &options)?;
    let policy = Policy { hosts: &hosts, anchors: &anchors, at: context.now() };
    let bar = match args.strict {
        true => (Scope::Public, Severity::Warning),
        false => (anchors.source().scope(), Severity::Error),
    };
    let again = |one: &Presented| {
        let typed = if items.is_empty() { std::slice::from_ref(&one.file) } else { items.as_slice() };
        intake::bundle_again(context, typed, &anchors)
    };
    let mut verified: Vec<Verified> =
        presented.iter().map(|one| judge(one, &keyring, policy, bar, &again(one))).collect();
    if let (Some(files), Some(first)) = (installed.filter(|files| !files.proven), verified.first_mut()) {
        first.findings.push(not_proven(context, &files.stem));
    }
    let trust = anchors.source().clone();
    Ok(VerifyOutcome { verified, trust, hosts })
}

/// The installed files that a name means, where nothing newer for it lies here.
fn installed(context: &Context, args: &VerifyArgs) -> Result<Option<installed::Files>, Failure> {
    match (args.items.as_slice(), &args.key, &args.chain) {
        ([name], None, None) => installed::newest(context, name),
        _ => Ok(None),
    }
}

fn not_proven(context: &Context, stem: &str) -> Finding {
    Finding::note("not-proven", "not proven yet: these files are in place and were not seen to be served since")
        .with(changeover::order::again(context, &["install", stem]))
}

/// An address, or a name as A-labels.
fn ascii_host(host: &str) -> Result<String, Failure> {
    if host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok() {
        return Ok(host.to_owned());
    }
    let name = DnsName::parse(host)
        .map_err(|error| Failure::of(Kind::Usage, &error).with(Next::say("--host www.example.com")))?;
    Ok(name.as_str().to_owned())
}

/// `bundle` is the command line that makes a right file of what was passed.
fn judge(
    one: &Presented,
    keyring: &Keyring,
    policy: Policy<'_>,
    (scope, bar): (Scope, Severity),
    bundle: &[String],
) -> Verified {
    let Presented { file, delivery, served, leaf, bag } = one;
    let wanted = Wanted { anchors: policy.anchors, at: policy.at, prefer: Prefer::default() };
    let mut chain = verify::assemble(leaf, bag, wanted).chain;
    let issuer = keyring.issuer_here(&chain, bundle);
    if let Some(root) = keyring.root_here(&chain) {
        // Nothing is missing: the chain is whole, and its root is not trusted.
        chain = verify::assemble(leaf, &[bag, std::slice::from_ref(root)].concat(), wanted).chain;
    }
    let key = keyring.key_of(leaf);
    let wrong = key.and_then(|key| pairing::wrong_key(leaf, key));
    let key_path = key.filter(|_| wrong.is_none()).map(|key| key.path.clone());
    let faults = pairing::faults(file, delivery, served, &chain);
    let request = keyring.request_of(leaf);
    let not_issued = request.and_then(|one| pairing::not_issued(leaf, &one.held.value, &one.held.path));
    let mut findings: Vec<Finding> = wrong.iter().map(Finding::from).collect();
    findings.extend(keyring.judge(leaf).iter().map(Finding::from));
    if let (None, Some(request)) = (key, request) {
        let (label, request, looked) = (leaf.label(), request.held.path.clone(), keyring.looked());
        findings.push(Finding::from(&Remark::OnlyRequest { label, request, looked }));
    }
    findings.extend(faults.iter().map(|fault| Finding::from((fault, bundle))));
    findings.extend(verify::problems(&chain, policy).iter().map(Finding::from));
    findings.extend(lint::lints(&chain).iter().map(|lint| Finding::from((lint, scope))));
    findings.extend(served.iter().filter_map(lint::outdated).map(|outdated| Finding::from(&outdated)));
    findings.extend(intake::second_opinion(&chain, bag, wanted));
    findings.extend(issuer.iter().map(Finding::from));
    findings.extend(not_issued.iter().map(Finding::from));
    Verified { file: file.clone(), chain, key_path, findings, bar }
}

impl Outcome for VerifyOutcome {
    fn json(&self) -> Value {
        let findings: Vec<&Finding> = self.verified.iter().flat_map(|one| &one.findings).collect();
        json!({
            "schema": "certctl.verify/1",
            "verdict": if self.is_right() { "right" } else { "wrong" },
            "certificates": self.verified.iter().map(Verified::json).collect::<Vec<_>>(),
            "trust": self.trust.to_string(),
            "hosts": self.hosts,
            "findings": findings,
            "next": [],
        })
    }

    fn human(&self, text: &mut Text) {
        for one in &self.verified {
            let right = if one.is_right() { "right" } else { "found" };
            text.fact(right, one.in_words(&self.trust, &self.hosts));
            text.findings(&one.findings);
        }
    }

    fn exit_code(&self) -> u8 {
        u8::from(!self.is_right())
    }
}

impl VerifyOutcome {
    fn is_right(&self) -> bool {
        self.verified.iter().all(Verified::is_right)
    }
}

impl Verified {
    fn is_right(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < self.bar)
    }

    fn json(&self) -> Value {
        json!({
            "file": self.file,
            "verdict": if self.is_right() { "right" } else { "wrong" },
            "key_path": self.key_path.as_deref().map(report::shown),
            "not_after": self.chain.leaf().not_after,
            "chain": report::chain_json(&self.chain),
        })
    }

    /// `x.pem: example.com, until 2027-06-10; fits example.com.key; 1 intermediate; trusted by Mozilla's list`.
    fn in_words(&self, trust: &TrustSource, hosts: &[String]) -> String {
        let mut words = format!("{}: {}", self.file, report::in_words(self.chain.leaf()));
        if let Some(path) = &self.key_path {
            words.push_str(&format!("; fits {}", path.display()));
        }
        words.push_str(&format!("; {}", report::intermediates_in_words(&self.chain)));
        if self.is_right() {
            words.push_str(&format!("; trusted by {trust}"));
            if !hosts.is_empty() {
                words.push_str(&format!("; good for {}", hosts.join(", ")));
            }
        }
        words
    }
}
