//! `certctl bundle`: whatever the CA sent, as the verified chain file or in another format. Nothing
//! is written unless all of it is right.

mod extract;
mod outcome;
mod outputs;

use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::export;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, Severity};
use crate::inputs::{
    self, DeliveryOptions, InputReader, KeyLocation, KeyUse, MatchedCertificate, PasswordArgs,
};
use crate::pki::chain::ChainPreference;
use crate::pki::verify::VerifyPolicy;
use crate::system::http::NetworkReach;

pub(crate) use self::extract::ExtractedKey;
pub(crate) use self::outcome::{BundleOutcome, BundledChain};
pub(crate) use self::outputs::{OutputArgs, OutputFile};

/// Whatever the CA sent, as the verified chain file or in another format
///
/// Examples:
///   certctl bundle example_com.zip
///   certctl bundle example_com.crt example_com.ca-bundle --format pfx --for haproxy
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct BundleArgs {
    /// What the CA sent: zips, certificates, bundles, or the folder of them, in any order; - is
    /// stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// The private key that the certificate belongs to [default: found in the directory]
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The request that was given to the CA [default: found in the directory]
    #[arg(long, value_name = "FILE")]
    pub csr: Option<PathBuf>,
    /// A host that the certificate must be for (may be repeated)
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// Whom to trust: Mozilla's list, this system's roots, or a file of CA certificates
    #[arg(long, value_name = "mozilla|system|FILE")]
    pub trust: Option<String>,
    /// Which way, where the certificates have several: to the root that most clients know, or the
    /// shortest
    #[arg(long, value_enum, default_value_t)]
    pub prefer: ChainPreference,
    /// Fetch issuers that are missing from where the certificates say they are; =any: also from
    /// this machine's own network, and through a proxy
    #[arg(long, value_enum, value_name = "any", num_args = 0..=1, require_equals = true, default_missing_value = "public")]
    pub aia: Option<NetworkReach>,
    /// How what is locked is opened.
    #[command(flatten)]
    pub reading: PasswordArgs,
    /// Write the private key that came with the certificate to NAME.key (0600), never over another
    #[arg(long)]
    pub extract_key: bool,
    /// What is given out.
    #[command(flatten)]
    pub outputs: OutputArgs,
}

/// Chooses, verifies, writes.
///
/// # Errors
/// Input that cannot be read or holds no certificate, an output that cannot be written.
pub(crate) fn run(context: &Context, args: &BundleArgs) -> Result<BundleOutcome, Failure> {
    args.outputs.check(context.sink.wants_json())?;
    let hosts = inputs::wanted_hosts(&args.hosts)?;
    let anchors = inputs::anchors(args.trust.as_deref())?;
    let reading = InputReader::new(context, &args.reading)?;
    let key_use = if args.outputs.with_key() {
        KeyUse::Installing
    } else {
        KeyUse::Comparing
    };
    let (key, csr) = (args.key.as_deref(), args.csr.as_deref());
    let options = DeliveryOptions {
        key,
        csr,
        anchors: &anchors,
        prefer: args.prefer,
        aia: args.aia,
        reading: &reading,
        key_use,
    };
    let mut taken = inputs::take(context, &args.files, &options)?;
    if args.outputs.out.is_some() && taken.len() > 1 {
        return Err(Failure::new(
            FailureKind::Usage,
            format!("--out takes one chain, and {} were found", taken.len()),
        )
        .with(NextStep::say(
            "leave --out away, or name the key of the one that is meant:  --key FILE",
        )));
    }
    let policy = VerifyPolicy {
        hosts: &hosts,
        anchors: &anchors,
        at: context.now(),
    };
    let findings = judge(&mut taken, policy, args);
    let right = findings
        .iter()
        .all(|finding| finding.severity < Severity::Error);
    let printed = right && args.outputs.printed();
    let extracted = match args.extract_key {
        true => extract::plan(context, &taken)?,
        false => Vec::new(),
    };
    let written = match (right, printed) {
        (true, true) => print(context, args, &taken)?,
        (true, false) => outputs::write(context, &args.outputs, &taken, &reading)?,
        (false, _) => Vec::new(),
    };
    if right {
        extract::write(&mut taken, &extracted)?;
    }
    let (mut written, mut extracted) = (written.into_iter(), extracted.into_iter());
    let bundled = taken.into_iter().map(|taken| {
        let extracted = extracted.next().flatten().filter(|_| right);
        bundled(args, taken, written.next().unwrap_or_default(), extracted)
    });
    let (install, flags) = (context.again("install"), inputs::trust_flags(&anchors));
    let trust = anchors.source().clone();
    Ok(BundleOutcome {
        bundled: bundled.collect(),
        install,
        flags,
        findings,
        trust,
        printed,
    })
}

fn bundled(
    args: &BundleArgs,
    taken: MatchedCertificate,
    outputs: Vec<OutputFile>,
    extracted: Option<ExtractedKey>,
) -> BundledChain {
    let key = taken.key.as_ref().map(|(path, _)| path.as_path());
    // One that came packed lies in no file of its own until it is extracted.
    let file = extracted
        .as_ref()
        .map(|one| one.path.as_path())
        .or_else(|| key.filter(|_| taken.key_place != KeyLocation::Sent));
    let steps = if outputs.is_empty() {
        Vec::new()
    } else {
        args.outputs.steps(&taken.stem, &outputs, file)
    };
    let brought = extracted.is_none()
        && key.is_some_and(|path| taken.key_place == KeyLocation::Sent || is_passed(args, path));
    BundledChain {
        taken,
        outputs,
        extracted,
        steps,
        brought,
    }
}

/// Whether the key at `path` came by the command line, not from the directory.
fn is_passed(args: &BundleArgs, path: &Path) -> bool {
    args.key.as_deref() == Some(path) || args.files.iter().any(|file| Path::new(file) == path)
}

fn judge(
    taken: &mut [MatchedCertificate],
    policy: VerifyPolicy<'_>,
    args: &BundleArgs,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pair in taken {
        findings.extend(pair.problems(policy).iter().map(Finding::from));
        // The way to a key that lies packed.
        let packed = pair.key_place == KeyLocation::Sent && !args.extract_key;
        let step = || NextStep::say("write it to a file of its own, mode 0600:  --extract-key");
        let all = std::mem::take(&mut pair.findings).into_iter();
        findings.extend(all.map(|one| {
            if packed && one.code == "key-in-delivery" {
                one.with(step())
            } else {
                one
            }
        }));
    }
    inputs::causes_first(&mut findings);
    findings
}

/// The one format of the one chain, to stdout: no file is written, and no key is in it.
fn print(
    context: &Context,
    args: &BundleArgs,
    taken: &[MatchedCertificate],
) -> Result<Vec<Vec<OutputFile>>, Failure> {
    for (taken, format) in taken.iter().zip(args.outputs.wanted()) {
        let pair = outputs::pair(taken);
        let bytes = export::render(format, pair, None)?;
        export::read_back(format, &bytes, pair, None)?;
        let printed = context.sink.raw(&bytes);
        printed.map_err(|error| {
            Failure::new(FailureKind::Io, "cannot write to stdout").because(error.to_string())
        })?;
    }
    Ok(Vec::new())
}
