//! `certctl bundle`: writes the files from the CA as a verified chain file or in another format.
//! Writes nothing unless every chain is right.

mod extract;
mod outcome;
mod output_files;
mod outputs;
mod overwrite;
mod pfx_password;

use std::path::{Path, PathBuf};

use self::outcome::BundleVerdict;
use self::outputs::ReportFormat;
use crate::advice::bundle_command;
use crate::advice::matching::use_found_root;
use crate::context::Context;
use crate::export;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inputs::{
    self, DeliveryOptions, InputReader, KeyLocation, KeyUse, MatchedCertificate, NamedKeyOrigin,
    PasswordArgs, audit_decrypted_key,
};
use crate::install::stored_roots::use_stored_root;
use crate::pki::chain::ChainPreference;
use crate::pki::trust::TrustAnchors;
use crate::pki::verify::VerifyPolicy;
use crate::system::http::NetworkReach;

pub(crate) use self::extract::ExtractedKey;
pub(crate) use self::outcome::{BundleOutcome, BundledChain};
pub(crate) use self::outputs::{OutputArgs, OutputFile};

/// Write the files from the CA as a verified chain file
///
/// Examples:
///   certctl bundle example_com.zip
///   certctl bundle example_com.crt example_com.ca-bundle --format pfx --for haproxy
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct BundleArgs {
    /// Files from the CA: zips, certificates, bundles, or a folder with them, in any order; - reads
    /// stdin
    #[arg(required = true, value_name = "NAME|FILE")]
    pub files: Vec<String>,
    /// Private key of the certificate [default: the matching key in the working directory]
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Certificate request (CSR) that was given to the CA [default: the matching request in the
    /// working directory]
    #[arg(long, value_name = "FILE")]
    pub csr: Option<PathBuf>,
    /// Host name that the certificate must cover (may be repeated)
    #[arg(long = "host", value_name = "NAME", value_delimiter = ',')]
    pub hosts: Vec<String>,
    /// Trusted roots: mozilla, system, or a file of CA certificates [default: mozilla]
    #[arg(long, value_name = "mozilla|system|FILE", value_parser = inputs::parse_trust)]
    pub trust: Option<String>,
    /// Preferred chain when several are possible: to the root that most clients trust, or the
    /// shortest
    #[arg(long, value_enum, default_value_t)]
    pub prefer: ChainPreference,
    /// Download missing intermediates from the URLs in the certificates; =any also allows private
    /// addresses and a proxy
    #[arg(long, value_enum, value_name = "any", num_args = 0..=1, require_equals = true, default_missing_value = "public")]
    pub aia: Option<NetworkReach>,
    /// How encrypted files are opened.
    #[command(flatten)]
    pub reading: PasswordArgs,
    /// Write the private key that came with the certificate to NAME.key (mode 0600); never
    /// overwrites another key
    #[arg(long)]
    pub extract_key: bool,
    /// The files to write.
    #[command(flatten)]
    pub outputs: OutputArgs,
}

/// Matches certificates and keys, verifies the chains and writes them.
///
/// # Errors
/// An input cannot be read or contains no certificate, or an output cannot be written.
pub(crate) fn run(context: &Context, args: &BundleArgs) -> Result<BundleOutcome, Failure> {
    args.outputs.check(ReportFormat::of(context))?;
    let hosts = inputs::parse_host_flags(&args.hosts)?;
    let anchors = trust_anchors(context, args)?;
    let reader = InputReader::new(context, &args.reading)?;
    let options = delivery_options(args, &anchors, &reader);
    let mut matched = inputs::match_delivery(context, &args.files, &options)?;
    refuse_several_chains(args, &matched)?;
    let policy = verify_policy(context, &hosts, &anchors);
    let verdict = judge(context, &mut matched, policy, args);
    let key_files = plan_key_files(context, args, &matched)?;
    let written = match verdict {
        BundleVerdict::Right => write_files(context, args, &mut matched, &reader, key_files)?,
        BundleVerdict::Wrong => WrittenFiles::default(),
    };
    Ok(BundleOutcome {
        bundled: bundled_chains(args, matched, written),
        install_words: context.command_words("install"),
        trust_flags: inputs::trust_flags(&anchors),
        verdict,
        trust: anchors.source().clone(),
        printed: verdict == BundleVerdict::Right && args.outputs.uses_stdout(),
    })
}

/// Writes a line for each key that was encrypted and is now in an output without encryption.
fn audit_decrypted_keys(context: &Context, args: &BundleArgs, matched: &mut [MatchedCertificate]) {
    if !args.outputs.holds_key() {
        return;
    }
    for certificate in matched {
        let failed = audit_decrypted_key(context, certificate);
        certificate.findings.extend(failed);
    }
}

fn trust_anchors(context: &Context, args: &BundleArgs) -> Result<TrustAnchors, Failure> {
    let configured = context.defaults()?.trust;
    inputs::trust_anchors(args.trust.as_deref().or(configured.as_deref()))
}

fn verify_policy<'a>(
    context: &Context,
    hosts: &'a [String],
    anchors: &'a TrustAnchors,
) -> VerifyPolicy<'a> {
    VerifyPolicy {
        hosts,
        anchors,
        at: context.now(),
    }
}

/// Plans the key files of `--extract-key`, one entry per chain.
fn plan_key_files(
    context: &Context,
    args: &BundleArgs,
    matched: &[MatchedCertificate],
) -> Result<Vec<Option<ExtractedKey>>, Failure> {
    if args.extract_key {
        extract::plan(context, matched)
    } else {
        Ok(Vec::new())
    }
}

fn delivery_options<'a>(
    args: &'a BundleArgs,
    anchors: &'a TrustAnchors,
    reader: &'a InputReader,
) -> DeliveryOptions<'a> {
    let key_use = if args.outputs.holds_key() {
        KeyUse::Installing
    } else {
        KeyUse::Comparing
    };
    DeliveryOptions {
        key: args.key.as_deref(),
        key_origin: NamedKeyOrigin::User,
        csr: args.csr.as_deref(),
        anchors,
        prefer: args.prefer,
        aia: args.aia,
        reader,
        key_use,
    }
}

/// Fails if `--out` was given and there are several chains.
fn refuse_several_chains(args: &BundleArgs, matched: &[MatchedCertificate]) -> Result<(), Failure> {
    if args.outputs.out.is_none() || matched.len() <= 1 {
        return Ok(());
    }
    let message = format!("`--out` takes one chain, but {} were found", matched.len());
    Err(Failure::new(FailureKind::Usage, message).with_step(bundle_command::select_chain()))
}

/// Verifies all chains and adds their problems to the findings of each certificate.
fn judge(
    context: &Context,
    matched: &mut [MatchedCertificate],
    policy: VerifyPolicy<'_>,
    args: &BundleArgs,
) -> BundleVerdict {
    let mut verdict = BundleVerdict::Right;
    for certificate in matched {
        let problems = certificate.problems(policy);
        let mut findings: Vec<Finding> = problems.iter().map(Finding::from).collect();
        // A key that is only in the files from the CA can be written to its own file.
        let can_extract =
            certificate.key_location == KeyLocation::WithCertificate && !args.extract_key;
        for mut finding in std::mem::take(&mut certificate.findings) {
            if finding.code == "key-missing" {
                // A chain needs no key: the last step says where to install it.
                finding.next.clear();
            }
            if can_extract && finding.code == "key-in-delivery" {
                findings.push(finding.with_step(bundle_command::extract_key()));
            } else {
                findings.push(finding);
            }
        }
        if BundleVerdict::of(&findings) == BundleVerdict::Wrong {
            verdict = BundleVerdict::Wrong;
        }
        use_found_root(&mut findings);
        let last = certificate.assembly.chain.certificates().last();
        use_stored_root(context, last, &mut findings);
        certificate.findings = findings;
    }
    verdict
}

/// The files that this run wrote or found unchanged.
#[derive(Default)]
struct WrittenFiles {
    /// The outputs of each chain.
    written: Vec<Vec<OutputFile>>,
    /// The key file of each chain, if its key was extracted.
    key_files: Vec<Option<ExtractedKey>>,
}

fn write_files(
    context: &Context,
    args: &BundleArgs,
    matched: &mut [MatchedCertificate],
    reader: &InputReader,
    key_files: Vec<Option<ExtractedKey>>,
) -> Result<WrittenFiles, Failure> {
    let written = write_outputs(context, args, matched, reader)?;
    extract::write(context, matched, &key_files)?;
    audit_decrypted_keys(context, args, matched);
    Ok(WrittenFiles { written, key_files })
}

fn write_outputs(
    context: &Context,
    args: &BundleArgs,
    matched: &[MatchedCertificate],
    reader: &InputReader,
) -> Result<Vec<Vec<OutputFile>>, Failure> {
    if args.outputs.uses_stdout() {
        print(context, args, matched)?;
        Ok(Vec::new())
    } else {
        output_files::write(context, &args.outputs, matched, reader)
    }
}

/// Prints the single format of the single chain to stdout, which contains no key; writes no file.
fn print(
    context: &Context,
    args: &BundleArgs,
    matched: &[MatchedCertificate],
) -> Result<(), Failure> {
    for (certificate, format) in matched.iter().zip(args.outputs.formats_to_write()) {
        let source = output_files::export_source(certificate);
        let bytes = export::render_export(format, source, None)?;
        export::verify_export(format, &bytes, source, None)?;
        context.sink.write_bytes(&bytes).map_err(|error| {
            Failure::new(FailureKind::Io, "cannot write to stdout").because(error.to_string())
        })?;
    }
    Ok(())
}

fn bundled_chains(
    args: &BundleArgs,
    matched: Vec<MatchedCertificate>,
    files: WrittenFiles,
) -> Vec<BundledChain> {
    let mut written = files.written.into_iter();
    let mut key_files = files.key_files.into_iter();
    let mut chains = Vec::new();
    for certificate in matched {
        let outputs = written.next().unwrap_or_default();
        let extracted = key_files.next().flatten();
        chains.push(bundled_chain(args, certificate, outputs, extracted));
    }
    chains
}

fn bundled_chain(
    args: &BundleArgs,
    matched: MatchedCertificate,
    outputs: Vec<OutputFile>,
    extracted: Option<ExtractedKey>,
) -> BundledChain {
    let key = matched.key.as_ref().map(|(path, _)| path.as_path());
    let is_sent = matched.key_location == KeyLocation::WithCertificate;
    // A key that came with the certificate has no file of its own until it is extracted.
    let key_file = extracted
        .as_ref()
        .map(|extracted| extracted.path.as_path())
        .or_else(|| key.filter(|_| !is_sent));
    let steps = if outputs.is_empty() {
        Vec::new()
    } else {
        args.outputs.server_steps(&matched.stem, &outputs, key_file)
    };
    let is_key_passed = key.is_some_and(|path| is_sent || is_passed(args, path));
    BundledChain {
        needs_key_flag: extracted.is_none() && is_key_passed,
        password_flags: password_flags(args),
        matched,
        outputs,
        extracted,
        steps,
    }
}

/// Returns true if the key at `path` was given on the command line and not found in the directory.
fn is_passed(args: &BundleArgs, path: &Path) -> bool {
    args.key.as_deref() == Some(path) || args.files.iter().any(|file| Path::new(file) == path)
}

/// Returns `--password-file FILE` if it was given.
fn password_flags(args: &BundleArgs) -> Vec<String> {
    let mut flags = Vec::new();
    if let Some(file) = &args.reading.password_file {
        flags.extend(["--password-file".to_owned(), file.display().to_string()]);
    }
    flags
}
