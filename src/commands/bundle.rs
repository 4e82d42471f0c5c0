//! `certctl bundle`: whatever the CA sent, as the verified chain file. Nothing is written unless all of it is right.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::context::Context;
use crate::delivery::{Delivery, Input, Limits, Unused};
use crate::failure::{Failure, Kind};
use crate::finding::{Finding, Next, Severity};
use crate::intake::{self, TakeOptions, Taken};
use crate::pki::trust::TrustSource;
use crate::pki::verify::Policy;
use crate::report::{self, Outcome, Text};
use crate::system::files;

/// Whatever the CA sent, as the verified chain file
///
/// Examples:
///   certctl bundle example_com.zip
///   certctl bundle example_com.crt example_com.ca-bundle --key example.com.key --out -
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct BundleArgs {
    /// What the CA sent: zips, certificates, bundles, or the folder of them, in any order; - is stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// The private key that the certificate belongs to [default: found in the directory]
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The request that was given to the CA [default: found in the directory]
    #[arg(long, value_name = "FILE")]
    pub csr: Option<PathBuf>,
    /// Where the chain goes; - is stdout [default: NAME.fullchain.pem]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Whom to trust: mozilla or a file of CA certificates
    #[arg(long, value_name = "mozilla|FILE")]
    pub trust: Option<String>,
}

/// One chain and its file.
#[derive(Debug)]
pub struct Bundled {
    /// The chain, its key and its request.
    pub taken: Taken,
    /// Where it was written; none when it was not, or went to stdout.
    pub path: Option<PathBuf>,
    /// False when the file was there already, the same.
    pub changed: bool,
    /// Its key was passed: by `install` it would not be found in the directory.
    pub brought: bool,
}

/// What `bundle` ends with.
#[derive(Debug)]
pub struct BundleOutcome {
    /// Each chain.
    pub bundled: Vec<Bundled>,
    /// The first words of the command that installs.
    pub install: Vec<String>,
    /// The flags that it needs to come to the same judgement.
    pub flags: Vec<String>,
    /// All findings; an error among them: nothing was written.
    pub findings: Vec<Finding>,
    /// Whose roots were believed.
    pub trust: TrustSource,
    /// The chain was printed: nothing else may be.
    printed: bool,
}

/// Chooses, verifies, writes.
///
/// # Errors
/// Input that cannot be read or holds no certificate, an output that cannot be written.
pub fn run(context: &Context, args: &BundleArgs) -> Result<BundleOutcome, Failure> {
    let printed = args.out.as_deref() == Some(Path::new("-"));
    if printed && context.sink.wants_json() {
        return Err(Failure::new(Kind::Usage, "--out - and --json both want stdout")
            .with(Next::say("name a file:  --out FILE")));
    }
    let anchors = intake::anchors(args.trust.as_deref())?;
    let options = TakeOptions { key: args.key.as_deref(), csr: args.csr.as_deref(), anchors: &anchors };
    let mut taken = intake::take(context, &args.files, &options)?;
    if args.out.is_some() && taken.len() > 1 {
        return Err(Failure::new(Kind::Usage, format!("--out takes one chain, and {} were found", taken.len()))
            .with(Next::say("leave --out away, or name the key of the one that is meant:  --key FILE")));
    }
    let policy = Policy { hosts: &[], anchors: &anchors, at: context.now() };
    let findings = judge(&mut taken, policy);
    let right = findings.iter().all(|finding| finding.severity < Severity::Error);
    let bundled = taken.into_iter().map(|taken| match (right, printed) {
        (true, true) => print(context, taken),
        (true, false) => write(context, args.out.as_deref(), taken),
        (false, _) => Ok(Bundled::unwritten(taken)),
    });
    let mut bundled = bundled.collect::<Result<Vec<_>, _>>()?;
    for one in &mut bundled {
        one.brought = one.taken.key.as_ref().is_some_and(|(path, _)| is_passed(args, path));
    }
    let (install, flags) = (context.again("install"), intake::trust_flags(&anchors));
    let trust = anchors.source().clone();
    Ok(BundleOutcome { bundled, install, flags, findings, trust, printed: printed && right })
}

/// Whether the key at `path` came by the command line, not from the directory.
fn is_passed(args: &BundleArgs, path: &Path) -> bool {
    args.key.as_deref() == Some(path) || args.files.iter().any(|file| Path::new(file) == path)
}

fn judge(taken: &mut [Taken], policy: Policy<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pair in taken {
        findings.extend(pair.problems(policy).iter().map(Finding::from));
        findings.append(&mut pair.findings);
    }
    findings
}

fn print(context: &Context, taken: Taken) -> Result<Bundled, Failure> {
    let chain = taken.assembly.chain.to_pem();
    let printed = context.sink.raw(chain.as_bytes());
    printed.map_err(|error| Failure::new(Kind::Io, "cannot write to stdout").because(error.to_string()))?;
    Ok(Bundled::unwritten(taken))
}

/// In any form, readable or not.
fn holds_key(path: &Path, bytes: Vec<u8>) -> bool {
    let named = bytes.windows(12).any(|window| window == b"PRIVATE KEY-");
    let input = Input::new(path.to_string_lossy(), bytes);
    let locked =
        |what: &Unused| matches!(what, Unused::EncryptedKey | Unused::Jks | Unused::Pkcs12 | Unused::UnusableKey);
    named
        || Delivery::read(vec![input], &Limits::default())
            .is_ok_and(|found| !found.keys.is_empty() || found.ignored.iter().any(|one| locked(&one.what)))
}

/// Whole or not at all, and read back.
fn write(context: &Context, out: Option<&Path>, taken: Taken) -> Result<Bundled, Failure> {
    let path = out.map_or_else(|| context.here(format!("{}.fullchain.pem", taken.stem)), Path::to_owned);
    let chain = taken.assembly.chain.to_pem();
    if files::occupied(&path) {
        let before = files::read(&path, crate::directory::FILE_LIMIT)?;
        if before == chain.as_bytes() {
            return Ok(Bundled { path: Some(path), ..Bundled::unwritten(taken) });
        }
        if holds_key(&path, before) {
            return Err(Failure::new(
                Kind::Exists,
                format!("{} holds a private key and is not overwritten", path.display()),
            )
            .with(Next::say("name another file:  --out FILE")));
        }
    }
    files::replace(&path, chain.as_bytes(), 0o644)?;
    if files::read(&path, crate::directory::FILE_LIMIT)? != chain.as_bytes() {
        return Err(Failure::new(Kind::Io, format!("{} does not read back as it was written", path.display()))
            .because("the file system or the disk lost data")
            .with(Next::say("look for disk errors:  dmesg | tail")));
    }
    Ok(Bundled { path: Some(path), changed: true, ..Bundled::unwritten(taken) })
}

impl Outcome for BundleOutcome {
    fn json(&self) -> Value {
        let certificates: Vec<Value> = self.bundled.iter().map(Bundled::json).collect();
        json!({
            "schema": "certctl.bundle/1",
            "verdict": if self.is_right() { "right" } else { "wrong" },
            "changed": self.bundled.iter().any(|one| one.changed),
            "certificates": certificates,
            "trust": self.trust.to_string(),
            "findings": self.findings,
            "next": self.next(),
        })
    }

    fn human(&self, text: &mut Text) {
        if self.printed {
            return;
        }
        for one in &self.bundled {
            text.fact("found", one.found(&self.trust, self.is_right()));
            if let Some(path) = &one.path {
                text.fact(if one.changed { "wrote" } else { "kept" }, path.display().to_string());
            }
        }
        text.findings(&self.findings);
        if !self.is_right() {
            text.act("", "nothing was written");
        }
        text.nexts(&self.next());
    }

    fn exit_code(&self) -> u8 {
        u8::from(!self.is_right())
    }
}

impl BundleOutcome {
    fn is_right(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Error)
    }

    fn next(&self) -> Vec<Next> {
        if !self.is_right() {
            return Vec::new();
        }
        let paths = self.bundled.iter().filter_map(|one| one.path.as_ref().map(|path| (one, path)));
        let step = |(one, path): (&Bundled, &PathBuf)| {
            let mut words = self.install.clone();
            words.push(path.display().to_string());
            words.extend(self.flags.iter().cloned());
            if let Some((key, _)) = one.taken.key.as_ref().filter(|_| one.brought) {
                words.extend(["--key".to_owned(), key.display().to_string()]);
            }
            let run = Next::run(&words);
            match one.taken.key {
                Some(_) => Next { text: format!("sudo {}", run.text), ..run },
                None => Next::say(format!("where its private key is:  sudo {}", run.text)),
            }
        };
        paths.map(step).collect()
    }
}

impl Bundled {
    fn unwritten(taken: Taken) -> Self {
        Self { taken, path: None, changed: false, brought: false }
    }

    fn json(&self) -> Value {
        let chain = &self.taken.assembly.chain;
        let key = self.taken.key.as_ref();
        json!({
            "name": self.taken.stem,
            "chain_path": self.path.as_deref().map(report::shown),
            "key_path": key.map(|(path, _)| report::shown(path)),
            "request_path": self.taken.request.as_ref().map(|(path, _)| report::shown(path)),
            "not_after": chain.leaf().not_after,
            "chain": report::chain_json(chain),
        })
    }

    /// `example.com, until 2027-06-10; fits example.com.key; 1 intermediate; trusted by Mozilla's list`.
    fn found(&self, trust: &TrustSource, right: bool) -> String {
        let Taken { key, request, assembly, .. } = &self.taken;
        let leaf = assembly.chain.leaf();
        let key = key.as_ref().filter(|(_, key)| key.id() == leaf.key_id).map(|(path, _)| path);
        let fits = key.or_else(|| request.as_ref().map(|(path, _)| path));
        let mut words = report::in_words(leaf);
        if let Some(path) = fits {
            words.push_str(&format!("; fits {}", path.display()));
        }
        words.push_str(&format!("; {}", report::intermediates_in_words(&assembly.chain)));
        if right {
            words.push_str(&format!("; trusted by {trust}"));
        }
        words
    }
}
