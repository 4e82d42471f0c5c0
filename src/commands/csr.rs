//! `certctl csr`: a key and the request for it, never a key overwritten, and what to publish as far as it can be known.

mod outcome;
mod pair;

use std::path::Path;

pub use self::outcome::CsrOutcome;
use self::pair::{Fresh, Paths};
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::expect;
use crate::dcv::kept::Kept;
use crate::directory::kept as kept_file;
use crate::failure::{Failure, Kind};
use crate::finding::Next;
use crate::pairing::naming;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::name::Names;
use crate::pki::request::SigningRequest;
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
    #[arg(long, value_name = "STEM", value_parser = naming::chosen)]
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

/// What is there under a stem already.
enum Existing {
    Nothing,
    Pair(Box<PrivateKey>, Box<SigningRequest>),
    KeyAlone,
    RequestAlone,
    /// A pair of the same family of keys but another kind than asked for.
    OtherKey(KeyAlgorithm),
    /// Both are there but do not belong together, or one cannot be read.
    Unusable,
}

/// Makes key and request, or says again what is there.
///
/// # Errors
/// Names that are none, files in the way, files that cannot be written.
pub fn run(context: &Context, args: &CsrArgs) -> Result<CsrOutcome, Failure> {
    let names = Names::parse(&args.names)?;
    let stem = args.cert_name.clone().unwrap_or_else(|| names.primary().file_stem());
    let (paths, existing) = settle(context, args, &names, &stem)?;
    if args.force {
        return make(context, args, names, paths);
    }
    match existing {
        Existing::Nothing => make(context, args, names, paths),
        Existing::Pair(key, request) if request.names().is_some_and(|has| has.same_set(&names)) => {
            let wanted = args.key_type.map(KeyAlgorithm::from);
            if wanted.is_some_and(|wanted| wanted != key.algorithm()) {
                return Err(in_the_way(context, args, &paths, &Existing::OtherKey(key.algorithm())));
            }
            found(context, args, names, paths, &key, *request)
        }
        other => Err(in_the_way(context, args, &paths, &other)),
    }
}

/// A new pair; what is at its paths is moved aside.
fn make(context: &Context, args: &CsrArgs, names: Names, paths: Paths) -> Result<CsrOutcome, Failure> {
    let old: &[&Path] = if args.force { &[&paths.key, &paths.request, &paths.record] } else { &[] };
    let mut kept = if args.force { Kept::default() } else { kept_file::read(&paths.record)? };
    args.ca.iter().for_each(|ca| kept.set_ca(*ca));
    let key = PrivateKey::generate(args.key_type.unwrap_or_default().into())?;
    let request = SigningRequest::build(&names, &key)?;
    let backups = Fresh::stage(&paths, &key, &request, &kept)?.put(old)?;
    let outcome = outcome(context, names, paths, &key, request, &kept);
    Ok(CsrOutcome { made: true, changed: true, backups, ..outcome })
}

/// The pair that is there; a CA named now is kept for `dcv-check`.
fn found(
    context: &Context,
    args: &CsrArgs,
    names: Names,
    paths: Paths,
    key: &PrivateKey,
    request: SigningRequest,
) -> Result<CsrOutcome, Failure> {
    let mut kept = kept_file::read(&paths.record)?;
    args.ca.iter().for_each(|ca| kept.set_ca(*ca));
    let changed = kept_file::write(&paths.record, &kept)?;
    Ok(CsrOutcome { changed, ..outcome(context, names, paths, key, request, &kept) })
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

fn in_the_way(context: &Context, args: &CsrArgs, paths: &Paths, existing: &Existing) -> Failure {
    let (path, why) = match existing {
        Existing::Nothing | Existing::KeyAlone => (&paths.key, "a key is there without a request".to_owned()),
        Existing::OtherKey(algorithm) => (&paths.key, format!("it is {algorithm}")),
        Existing::RequestAlone => (&paths.request, "a request is there without its key".to_owned()),
        Existing::Pair(..) => (&paths.request, "it asks for other names".to_owned()),
        Existing::Unusable => {
            (&paths.key, "key and request are there but do not belong together, or cannot be read".to_owned())
        }
    };
    let again = again(context, args);
    let or = |words: &[&str], note: &str| {
        let step = Next::run(&[again.clone(), words.iter().map(|&word| word.to_owned()).collect()].concat());
        Next { text: format!("{}   ({note})", step.text), ..step }
    };
    // Without the stem it would move another pair aside.
    let stem = args.cert_name.iter().flat_map(|stem| ["--cert-name", stem]);
    let force: Vec<&str> = stem.chain(["--force"]).collect();
    Failure::new(Kind::Exists, format!("{} is in the way: {why}", path.display()))
        .with(or(&["--cert-name", "another-name"], "both stay"))
        .with(or(&force, "the old files become numbered backups"))
}

/// The same command line without `--cert-name` and `--force`.
fn again(context: &Context, args: &CsrArgs) -> Vec<String> {
    let mut words = context.again("csr");
    words.extend(args.names.iter().cloned());
    words.extend(args.ca.iter().flat_map(|ca| ["--ca".to_owned(), ca.name().to_owned()]));
    let key_type = args.key_type.map(KeyAlgorithm::from);
    words.extend(key_type.iter().flat_map(|key_type| ["--key-type".to_owned(), key_type.to_string()]));
    words
}

/// What there is to say of a key and its request.
fn outcome(
    context: &Context,
    names: Names,
    paths: Paths,
    key: &PrivateKey,
    request: SigningRequest,
    kept: &Kept,
) -> CsrOutcome {
    let ca = kept.ca();
    let given: Vec<_> = kept.records().into_iter().filter(|record| expect::belongs(record, &request)).collect();
    let expected = expect::expectations(&request, ca, &given);
    CsrOutcome {
        made: false,
        changed: false,
        names,
        key_path: paths.key,
        algorithm: key.algorithm(),
        key_id: key.id(),
        request_path: paths.request,
        record_path: paths.record,
        records: expected.into_iter().map(|one| one.record).collect(),
        request,
        ca,
        backups: Vec::new(),
        check: context.again("dcv-check"),
        install: context.again("install"),
    }
}
