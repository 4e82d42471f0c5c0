//! `certctl csr`: a key and the request for it, never a key overwritten, and what to publish as far as it can be known.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::kept::Kept;
use crate::dcv::record::{self, DcvRecord};
use crate::failure::{Failure, Kind};
use crate::finding::Next;
use crate::pki::key::{KeyAlgorithm, PrivateKey, PublicKeyId};
use crate::pki::name::Names;
use crate::pki::request::SigningRequest;
use crate::report::{Outcome, Text};
use crate::system::files;

/// Make a private key and the request (CSR) for it
///
/// Examples:
///   certctl csr example.com www.example.com --ca namecheap
///   certctl csr '*.example.com' --key-type rsa-2048 --cert-name wildcard
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct CsrArgs {
    /// DNS names, the primary one first; Unicode and *.wildcards as they are
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// The shop or CA that the request goes to
    #[arg(long)]
    pub ca: Option<Ca>,
    /// The kind of key [default: ecdsa-p256]
    #[arg(long, value_name = "TYPE")]
    pub key_type: Option<KeyType>,
    /// What the files are called, instead of after the first name
    #[arg(long, value_name = "STEM")]
    pub cert_name: Option<String>,
    /// Make a new key and request; the old ones become numbered backups
    #[arg(long)]
    pub force: bool,
}

/// The kinds of key that can be made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum KeyType {
    #[default]
    #[value(name = "ecdsa-p256")]
    EcdsaP256,
    #[value(name = "ecdsa-p384")]
    EcdsaP384,
    #[value(name = "ecdsa-p521")]
    EcdsaP521,
    #[value(name = "rsa-2048")]
    Rsa2048,
    #[value(name = "rsa-3072")]
    Rsa3072,
    #[value(name = "rsa-4096")]
    Rsa4096,
    #[value(name = "ed25519")]
    Ed25519,
}

impl From<KeyType> for KeyAlgorithm {
    fn from(key_type: KeyType) -> Self {
        match key_type {
            KeyType::EcdsaP256 => Self::EcdsaP256,
            KeyType::EcdsaP384 => Self::EcdsaP384,
            KeyType::EcdsaP521 => Self::EcdsaP521,
            KeyType::Rsa2048 => Self::Rsa(2048),
            KeyType::Rsa3072 => Self::Rsa(3072),
            KeyType::Rsa4096 => Self::Rsa(4096),
            KeyType::Ed25519 => Self::Ed25519,
        }
    }
}

/// What `csr` ends with.
#[derive(Debug)]
pub struct CsrOutcome {
    /// False when key and request were there already.
    pub changed: bool,
    /// The names asked for.
    pub names: Names,
    /// The key file.
    pub key_path: PathBuf,
    /// The kind of key.
    pub algorithm: KeyAlgorithm,
    /// The identity of the key.
    pub key_id: PublicKeyId,
    /// The request file.
    pub request_path: PathBuf,
    /// The request.
    pub request: SigningRequest,
    /// The CA, if one was named.
    pub ca: Option<Ca>,
    /// What to publish, as far as it can be known.
    pub records: Vec<DcvRecord>,
    /// The old files, moved aside by `--force`.
    pub backups: Vec<PathBuf>,
}

/// The files of one request.
#[derive(Debug)]
struct Paths {
    key: PathBuf,
    request: PathBuf,
    record: PathBuf,
}

impl Paths {
    fn new(context: &Context, stem: &str) -> Self {
        Self {
            key: context.here(format!("{stem}.key")),
            request: context.here(format!("{stem}.csr")),
            record: context.here(format!("{stem}.dcv")),
        }
    }
}

/// What is there under a stem already.
enum Existing {
    Nothing,
    Pair(Box<PrivateKey>, Box<SigningRequest>),
    KeyAlone,
    RequestAlone,
    /// Both are there but do not belong together, or one cannot be read.
    Unusable,
}

/// Makes key and request, or says again what is there.
///
/// # Errors
/// Names that are none, files in the way, files that cannot be written.
pub fn run(context: &Context, args: &CsrArgs) -> Result<CsrOutcome, Failure> {
    let names = Names::parse(&args.names)?;
    let stem = stem(args, &names)?;
    let (paths, existing) = settle(context, args, &names, &stem)?;
    let mut backups = Vec::new();
    if args.force {
        for path in [&paths.key, &paths.request, &paths.record] {
            if files::occupied(path) {
                backups.push(files::back_up(path)?);
            }
        }
    } else {
        match existing {
            Existing::Nothing => {}
            Existing::Pair(key, request) if request.names().is_some_and(|has| has.same_set(&names)) => {
                let ca = args.ca.or_else(|| kept(&paths.record).ca);
                return Ok(outcome(false, names, paths, &key, *request, ca));
            }
            other => return Err(in_the_way(args, &paths, &other)),
        }
    }
    let key = PrivateKey::generate(args.key_type.unwrap_or_default().into())?;
    files::create_new(&paths.key, key.to_pem().as_bytes(), 0o600)?;
    let request = SigningRequest::build(&names, &key)?;
    files::create_new(&paths.request, request.to_pem().as_bytes(), 0o644)?;
    if let Some(ca) = args.ca {
        let text = format!("; ca {}\n", ca.name());
        files::replace(&paths.record, text.as_bytes(), 0o644)?;
    }
    let mut made = outcome(true, names, paths, &key, request, args.ca);
    made.backups = backups;
    Ok(made)
}

/// `--cert-name`, else the first name as a file name.
fn stem(args: &CsrArgs, names: &Names) -> Result<String, Failure> {
    let Some(stem) = &args.cert_name else {
        return Ok(names.primary().file_stem());
    };
    let numbered = stem.rsplit_once('-').is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let reserved = numbered || stem.ends_with(".rsa") || stem.ends_with(".ecdsa");
    let plain = !stem.is_empty()
        && !stem.starts_with(['.', '-'])
        && stem.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if plain && !reserved {
        return Ok(stem.clone());
    }
    let message = format!("{stem:?} cannot be a --cert-name");
    Err(Failure::new(Kind::Usage, message)
        .because("letters, digits, '.', '_' and '-'; no '-<number>', '.rsa' or '.ecdsa' at the end, which mark rounds and algorithms"))
}

/// The paths to use and what is there. A key of a second algorithm for the same names lies beside the first one as
/// `example.com.rsa.key`.
fn settle(context: &Context, args: &CsrArgs, names: &Names, stem: &str) -> Result<(Paths, Existing), Failure> {
    let paths = Paths::new(context, stem);
    let existing = look(&paths)?;
    if let (Existing::Pair(key, request), Some(wanted)) = (&existing, args.key_type) {
        let same_names = request.names().is_some_and(|has| has.same_set(names));
        let suffix = family(wanted.into());
        if same_names && family(key.algorithm()) != suffix {
            let paths = Paths::new(context, &format!("{stem}.{suffix}"));
            let existing = look(&paths)?;
            return Ok((paths, existing));
        }
    }
    Ok((paths, existing))
}

fn family(algorithm: KeyAlgorithm) -> &'static str {
    match algorithm {
        KeyAlgorithm::Rsa(_) => "rsa",
        KeyAlgorithm::Ed25519 => "ed25519",
        _ => "ecdsa",
    }
}

fn look(paths: &Paths) -> Result<Existing, Failure> {
    Ok(match (files::occupied(&paths.key), files::occupied(&paths.request)) {
        (false, false) => Existing::Nothing,
        (true, false) => Existing::KeyAlone,
        (false, true) => Existing::RequestAlone,
        (true, true) => {
            let key = crate::directory::read_file(&paths.key)?.keys.into_iter().next().map(|key| key.value);
            let request =
                crate::directory::read_file(&paths.request)?.requests.into_iter().next().map(|request| request.value);
            match (key, request) {
                (Some(key), Some(request)) if key.id() == request.key_id => {
                    Existing::Pair(Box::new(key), Box::new(request))
                }
                _ => Existing::Unusable,
            }
        }
    })
}

/// What is kept of the record of an earlier run.
fn kept(record: &Path) -> Kept {
    let text = files::read(record, 64 * 1024).unwrap_or_default();
    Kept::read(&String::from_utf8_lossy(&text))
}

fn in_the_way(args: &CsrArgs, paths: &Paths, existing: &Existing) -> Failure {
    let (path, why) = match existing {
        Existing::Nothing | Existing::KeyAlone => (&paths.key, "a key is there without a request"),
        Existing::RequestAlone => (&paths.request, "a request is there without its key"),
        Existing::Pair(..) => (&paths.request, "it asks for other names"),
        Existing::Unusable => (&paths.key, "key and request are there but do not belong together, or cannot be read"),
    };
    let mut again = vec!["csr"];
    again.extend(args.names.iter().map(String::as_str));
    let forced: Vec<&str> = again.iter().copied().chain(["--force"]).collect();
    let renamed: Vec<&str> = again.iter().copied().chain(["--cert-name", "another-name"]).collect();
    Failure::new(Kind::Exists, format!("{} is in the way: {why}", path.display())).with(Next::run(&renamed)).with(
        Next {
            text: format!("{}   (the old files become numbered backups)", Next::run(&forced).text),
            argv: Next::run(&forced).argv,
        },
    )
}

fn outcome(
    changed: bool,
    names: Names,
    paths: Paths,
    key: &PrivateKey,
    request: SigningRequest,
    ca: Option<Ca>,
) -> CsrOutcome {
    CsrOutcome {
        changed,
        names,
        key_path: paths.key,
        algorithm: key.algorithm(),
        key_id: key.id(),
        request_path: paths.request,
        records: record::records(&request, ca),
        request,
        ca,
        backups: Vec::new(),
    }
}

impl Outcome for CsrOutcome {
    fn json(&self) -> Value {
        json!({
            "schema": "certctl.csr/1",
            "changed": self.changed,
            "names": self.names.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
            "key": {
                "path": self.key_path.display().to_string(),
                "algorithm": self.algorithm.to_string(),
                "id": self.key_id.to_string(),
            },
            "request": {
                "path": self.request_path.display().to_string(),
                "md5": self.request.md5(),
                "sha256": self.request.sha256(),
            },
            "records": self.records,
            "backups": self.backups.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
            "findings": [],
            "next": self.next(),
        })
    }

    fn human(&self, text: &mut Text) {
        let (key, request) = (self.key_path.display(), self.request_path.display());
        let label = if self.changed { "made" } else { "found" };
        text.fact(label, format!("{key} (0600, {})   {request}   for {}", self.algorithm, self.names));
        for backup in &self.backups {
            text.fact("kept", format!("{} (the one before)", backup.display()));
        }
        text.act("next", self.paste_here());
        text.payload(self.request.to_pem());
        for record in &self.records {
            self.publish(record, text);
        }
        text.nexts(&self.next());
    }

    fn exit_code(&self) -> u8 {
        0
    }
}

impl CsrOutcome {
    fn paste_here(&self) -> String {
        match self.ca {
            Some(Ca::Private) => "hand this request to your CA:".to_owned(),
            Some(Ca::Namecheap) => "1. Namecheap > Activate > DCV \"Add CNAME record\", paste:".to_owned(),
            Some(ca) => format!("1. paste this request at {}, and choose DCV by CNAME:", ca.title()),
            None => "1. paste this request at the shop or CA:".to_owned(),
        }
    }

    /// A line to publish where all of it is known; else the shape of what the shop will show.
    fn publish(&self, record: &DcvRecord, text: &mut Text) {
        let DcvRecord { zone, relative_name, .. } = record;
        match (&record.value, &record.shape, self.ca) {
            (Some(value), ..) => {
                text.act("next", format!("2. add in the panel of {zone}:  CNAME | host {relative_name} | value {value}"));
            }
            (None, Some(shape), Some(ca)) => text.act(
                "next",
                format!(
                    "2. {} shows a CNAME; in the panel of {zone} its host is {relative_name}\n   and its value has the form {shape}",
                    ca.title()
                ),
            ),
            (None, Some(shape), None) => text.act(
                "next",
                format!(
                    "2. if it shows a CNAME with host {relative_name} (Sectigo, SSL.com and their shops),\n   enter it in the panel of {zone}; its value has the form {shape}"
                ),
            ),
            (None, None, _) => {}
        }
    }

    fn next(&self) -> Vec<Next> {
        let request = self.request_path.display().to_string();
        if self.ca == Some(Ca::Private) {
            let text = "when the certificate has come:  sudo certctl install FILE".to_owned();
            return vec![Next::say(text)];
        }
        if self.records.iter().all(|record| record.complete) && self.ca.is_some() {
            return vec![Next::run(&["dcv-check", "--wait", request.as_str()])];
        }
        vec![Next::run(&["dcv-check", "--wait", "--record", "-"])]
    }
}
