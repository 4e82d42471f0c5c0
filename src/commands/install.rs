//! `certctl install`: what the CA sent, or what lies here, into the place where servers read it; tested, reloaded, seen
//! live, or put back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::changeover::order::{Goal, Mode, Order, again};
use crate::changeover::outcome::{Changeover, Verdict, day};
use crate::changeover::{self, installed};
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::finding::{Finding, Next};
use crate::install::allow;
use crate::install::settings::Settings;
use crate::intake::{self, KeyUse, ReadArgs, Reading, TakeOptions, Taken};
use crate::live::Patience;
use crate::pairing::naming;
use crate::pki::certified_key::CertifiedKey;
use crate::pki::chain::{LeftOut, Prefer};
use crate::pki::name::DnsName;
use crate::pki::trust::TrustAnchors;
use crate::pki::verify::{Policy, VerifiedChain};
use crate::report::{Outcome, Text};
use crate::system::http::Reach;
use crate::system::{clock, files, folders};

mod access;
pub mod check;
mod placeholder;
mod servers;

pub use servers::ServerKind;

/// Put a certificate into place, test and reload the server, see it live, or put all back
///
/// Examples:
///   sudo certctl install example_com.zip
///   certctl install example.com --root /srv/image --dry-run
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct InstallArgs {
    /// What the CA sent (zip, PEM, DER), or a name known here
    #[arg(value_name = "NAME|FILE")]
    pub files: Vec<String>,
    /// The private key, where it is not the one here that fits
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Roots that the chain must end in: mozilla, or a file [default: mozilla]
    #[arg(long, value_name = "mozilla|FILE")]
    pub trust: Option<String>,
    /// Which way, where the certificates have several: to the root that most clients know, or the shortest
    #[arg(long, value_enum, default_value_t)]
    pub prefer: Prefer,
    /// Fetch issuers that are missing from where the certificates say they are; =any: also from this machine's own network,
    /// and through a proxy
    #[arg(long, value_enum, value_name = "any", num_args = 0..=1, require_equals = true, default_missing_value = "public")]
    pub aia: Option<Reach>,
    /// How what is locked is opened.
    #[command(flatten)]
    pub reading: ReadArgs,
    /// Who reads the files; may be repeated [default: every server here that names them, else those installed; none
    /// under --root]
    #[arg(long)]
    pub server: Vec<ServerKind>,
    /// The server's main configuration file; of several servers each its own:  --server-config haproxy=FILE
    #[arg(long, value_name = "FILE")]
    pub server_config: Vec<PathBuf>,
    /// Where servers read the chain [default: /etc/ssl/NAME.fullchain.pem]
    #[arg(long, value_name = "PATH")]
    pub chain_path: Option<PathBuf>,
    /// Where servers read the key [default: /etc/ssl/private/NAME.key]
    #[arg(long, value_name = "PATH")]
    pub key_path: Option<PathBuf>,
    /// Who may read the key.
    #[command(flatten)]
    pub access: access::AccessArgs,
    /// What the pair is called in /etc/ssl [default: as its request, else its first name]
    #[arg(long, value_name = "STEM", value_parser = naming::chosen)]
    pub cert_name: Option<String>,
    /// A finding that is not to refuse it; it is still told (may be repeated)
    #[arg(long, value_name = "CODE", value_parser = allow::code)]
    pub allow: Vec<&'static str>,
    /// Tests the server's configuration; split into words, never given to a shell
    #[arg(long, value_name = "COMMAND")]
    pub test: Option<String>,
    /// Makes the server read its files again; split into words, never given to a shell
    #[arg(long, value_name = "COMMAND")]
    pub reload: Option<String>,
    /// Also ask there what is served; none: ask nobody
    #[arg(long, value_name = "HOST:PORT|none")]
    pub probe: Vec<String>,
    /// How long to wait for another certctl [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    pub lock_timeout: Option<Duration>,
    /// Only show what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Is all as it was installed, and served? Names pairs that are installed [default: all]; touches nothing
    #[arg(long, conflicts_with_all = ["dry_run", "key", "owner", "key_mode", "cert_name", "allow", "chain_path", "key_path"])]
    pub check: bool,
    /// A self-signed pair for these names, for a week, so that the server can start; where there is none yet
    #[arg(long, conflicts_with_all = ["check", "key", "trust"])]
    pub placeholder: bool,
    /// How long the server is asked before it is judged. No flag: a rehearsal, whose server answers at once, waits less.
    #[arg(skip)]
    pub patience: Patience,
}

/// The lock is waited for that long.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// What `install` ends with.
#[derive(Debug)]
pub struct InstallOutcome {
    stem: String,
    /// What was found, in words.
    found: String,
    /// What was mended, left out or does not fit.
    findings: Vec<Finding>,
    /// What came of it; none when the pair itself was refused.
    changeover: Option<Changeover>,
    /// The way back, where files were replaced.
    undo: Option<Next>,
}

/// Installs one certificate.
///
/// # Errors
/// Files that cannot be used, a lock that is held, a signal. What is judged wrong is an outcome.
pub fn run(context: &Context, args: &InstallArgs) -> Result<InstallOutcome, Failure> {
    if context.at.is_some() && context.root.is_none() && !args.dry_run {
        return Err(Failure::new(
            Kind::Usage,
            "--at is for --root and --dry-run: what is installed here is judged by now",
        )
        .with(Next::say("leave --at out, or add --dry-run")));
    }
    if args.placeholder {
        return keep_the_place(context, args);
    }
    let Meant { taken, anchors, stem, folder } = take(context, args)?;
    let (mut found, approved) = (described(&taken), approved(&taken, &anchors));
    let findings = taken.findings.clone();
    let flags = Settings { folder, ..flags(context, args)? };
    let pair = match certify(context, taken, &anchors) {
        Ok(pair) => pair,
        Err(problems) => {
            let findings = findings.into_iter().chain(problems).collect();
            return Ok(InstallOutcome { stem, found, findings, changeover: None, undo: None });
        }
    };
    found = format!("{found}; {approved}");
    let changeover = changeover::run(context, &order(args, stem.clone(), Goal::Install(&pair), flags))?;
    let undo = changeover.replaced().then(|| again(context, &["rollback", &stem]));
    Ok(InstallOutcome { stem, found, findings, changeover: Some(changeover), undo })
}

/// What is asked of a changeover.
fn order<'a>(args: &InstallArgs, stem: String, goal: Goal<'a>, flags: Settings) -> Order<'a> {
    Order {
        stem,
        goal,
        flags,
        allow: args.allow.clone(),
        lock_timeout: args.lock_timeout.unwrap_or(LOCK_TIMEOUT),
        patience: args.patience,
        mode: if args.dry_run { Mode::DryRun } else { Mode::Run },
    }
}

/// `--placeholder`.
fn keep_the_place(context: &Context, args: &InstallArgs) -> Result<InstallOutcome, Failure> {
    let flags = flags(context, args)?;
    let order = |first: &DnsName| {
        let stem = args.cert_name.clone().unwrap_or_else(|| first.file_stem());
        order(args, stem, Goal::Back(None), flags)
    };
    let (found, findings, changeover) = placeholder::run(context, &args.files, order)?;
    let stem = changeover.name.clone();
    Ok(InstallOutcome { stem, found, findings, changeover: Some(changeover), undo: None })
}

/// What the arguments mean.
struct Meant {
    taken: Taken,
    anchors: TrustAnchors,
    /// Its name in /etc/ssl.
    stem: String,
    /// Where its request or key lies: the next round's key is looked for there too.
    folder: Option<PathBuf>,
}

/// The one certificate that the arguments mean. What is remembered of an installed one is asked where the command line
/// does not say: whom to trust, and the folder of the request where its key is not here.
fn take(context: &Context, args: &InstallArgs) -> Result<Meant, Failure> {
    let (files, key) = inputs(context, args)?;
    let reading = Reading::new(context, &args.reading)?;
    let once = |context: &Context, anchors: &TrustAnchors| -> Result<Taken, Failure> {
        let (key, prefer, key_use) = (key.as_deref(), args.prefer, KeyUse::Installing);
        let options = TakeOptions { key, csr: None, anchors, prefer, aia: args.aia, reading: &reading, key_use };
        one(context, args, intake::take(context, &files, &options)?)
    };
    let mut anchors = intake::anchors(args.trust.as_deref())?;
    let mut taken = once(context, &anchors)?;
    let stem = match &args.cert_name {
        Some(name) => name.clone(),
        None => installed::stem(context, &taken)?,
    };
    let remembered = installed::settings(context, &stem)?;
    let trust = remembered.trust.filter(|_| args.trust.is_none());
    let there = remembered.folder.filter(|folder| taken.key.is_none() && key.is_none() && files::is_folder(folder));
    if trust.is_some() || there.is_some() {
        if let Some(trust) = trust {
            anchors = intake::anchors(Some(&trust))?;
        }
        let there = there.map(|folder| context.in_folder(folder));
        taken = once(there.as_ref().unwrap_or(context), &anchors)?;
    }
    let request = taken.request.as_ref().map(|(path, _)| path.as_path());
    // A key of the installed files themselves says nothing of where the request lies.
    let own = taken.key.as_ref().map(|(path, _)| path.as_path()).filter(|_| key == args.key);
    let folder = request.or(own).map(|path| folders::absolute(files::parent(path))).transpose()?;
    Ok(Meant { taken, anchors, stem, folder })
}

/// What is read: the arguments; for a name that nothing newer here is for, the files that are installed under it, so
/// that an install that ended `not-served` or was interrupted is taken up where it stands.
fn inputs(context: &Context, args: &InstallArgs) -> Result<(Vec<String>, Option<PathBuf>), Failure> {
    if let ([name], None) = (args.files.as_slice(), &args.key)
        && let Some(files) = installed::newest(context, name)?
    {
        return Ok((vec![files.chain.display().to_string()], Some(files.key)));
    }
    Ok((args.files.clone(), args.key.clone()))
}

fn one(context: &Context, args: &InstallArgs, mut taken: Vec<Taken>) -> Result<Taken, Failure> {
    match (taken.pop(), taken.is_empty()) {
        (Some(taken), true) => Ok(taken),
        (last, _) => {
            taken.extend(last);
            let labels: Vec<String> = taken.iter().map(|one| one.leaf().label()).collect();
            let failure = Failure::new(
                Kind::Ambiguous,
                format!("these are {} certificates: {}", labels.len(), labels.join(", ")),
            );
            Err(taken.iter().fold(failure, |failure, one| failure.with(alone(context, args, one))))
        }
    }
}

/// How one of several is installed: the same files, chosen from by its key.
fn alone(context: &Context, args: &InstallArgs, one: &Taken) -> Next {
    let Some((key, _)) = &one.key else {
        return Next::say(format!("{}: its key is not here; say where it is:  --key FILE", one.leaf().label()));
    };
    let mut words = vec!["install".to_owned()];
    words.extend(args.files.iter().cloned());
    if args.files.is_empty() {
        words.push(one.stem.clone());
    } else {
        words.extend(["--key".to_owned(), key.display().to_string()]);
    }
    words.extend(args.trust.iter().flat_map(|trust| ["--trust".to_owned(), trust.clone()]));
    words.extend(args.server.iter().flat_map(|server| ["--server".to_owned(), server.name().to_owned()]));
    words.extend(args.server_config.iter().flat_map(|file| ["--server-config".to_owned(), file.display().to_string()]));
    again(context, &words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Key and chain belong together and hold; else everything that is wrong.
fn certify(context: &Context, taken: Taken, anchors: &TrustAnchors) -> Result<CertifiedKey, Vec<Finding>> {
    let policy = Policy { hosts: &[], anchors, at: context.now() };
    let known: Vec<&str> = taken.findings.iter().map(|finding| finding.code).collect();
    let problems = taken.problems(policy);
    let mut refused: Vec<Finding> =
        problems.iter().map(Finding::from).filter(|finding| !known.contains(&finding.code)).collect();
    let wrong =
        !problems.is_empty() || taken.findings.iter().any(|one| one.severity == crate::finding::Severity::Error);
    let no_key = Finding::from(&taken.no_key());
    let Taken { assembly, key, .. } = taken;
    let Some((_, key)) = key else {
        if !wrong {
            refused.push(no_key);
        }
        return Err(refused);
    };
    if wrong {
        return Err(refused);
    }
    let chain =
        VerifiedChain::new(assembly.chain, policy).map_err(|all| all.iter().map(Finding::from).collect::<Vec<_>>())?;
    CertifiedKey::new(chain, key).map_err(|problem| vec![Finding::from(&problem)])
}

/// What the command line says, for the next round too.
fn flags(context: &Context, args: &InstallArgs) -> Result<Settings, Failure> {
    let absolute = |path: &Option<PathBuf>| path.as_deref().map(folders::absolute).transpose();
    let trust = match args.trust.as_deref() {
        None | Some("mozilla" | "system") => args.trust.clone(),
        Some(file) => Some(folders::absolute(Path::new(file))?.display().to_string()),
    };
    let (server_config, server_configs) = servers::configs(&args.server_config)?;
    Ok(Settings {
        server_configs,
        server: args.server.iter().map(|server| server.name().to_owned()).collect(),
        server_config,
        chain_path: absolute(&args.chain_path)?,
        key_path: absolute(&args.key_path)?,
        test: args.test.clone(),
        reload: args.reload.clone(),
        probe: args.probe.clone(),
        trust,
        ..args.access.settings(context)?
    })
}

/// `example.com, www.example.com, ends 2027-06-10`
fn described(taken: &Taken) -> String {
    let leaf = taken.leaf();
    let names = if leaf.dns_names.is_empty() { leaf.label() } else { leaf.dns_names.join(", ") };
    format!("{names}, ends {}", day(leaf.not_after))
}

/// `fits example.com.key; 1 intermediate, root left out; trusted by Mozilla's list`: of a pair that holds.
fn approved(taken: &Taken, anchors: &TrustAnchors) -> String {
    let key = taken.key.as_ref().map(|(path, _)| path.display().to_string()).unwrap_or_default();
    let intermediates = match taken.assembly.chain.intermediates().len() {
        0 => "no intermediate".to_owned(),
        1 => "1 intermediate".to_owned(),
        count => format!("{count} intermediates"),
    };
    let root = taken.assembly.left_out.iter().any(|(_, why)| *why == LeftOut::Root);
    let root = if root { ", root left out" } else { "" };
    format!("fits {key}; {intermediates}{root}; trusted by {}", anchors.source())
}

impl Outcome for InstallOutcome {
    fn json(&self) -> Value {
        let Some(changeover) = &self.changeover else {
            return json!({
                "schema": "certctl.install/1",
                "verdict": Verdict::Refused.name(),
                "changed": false,
                "certificates": [{ "name": self.stem, "proof": "none", "probes": [] }],
                "findings": self.findings,
                "next": [],
            });
        };
        let mut document = changeover.json("certctl.install/1");
        let findings: Vec<&Finding> = self.findings.iter().chain(&changeover.findings).collect();
        document["findings"] = json!(findings);
        document
    }

    fn human(&self, text: &mut Text) {
        text.fact("found", self.found.clone());
        text.findings(&self.findings);
        match &self.changeover {
            Some(changeover) => changeover.human(text),
            None => text.fact("so", "nothing was touched"),
        }
        if let Some(undo) = &self.undo {
            text.fact("undo", undo.text.clone());
        }
    }

    fn exit_code(&self) -> u8 {
        self.changeover.as_ref().map_or(Verdict::Refused, |changeover| changeover.verdict).exit_code()
    }
}
