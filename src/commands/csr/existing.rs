//! What is there under a stem already, and the ways on where it is in the way.

use super::args::CsrArgs;
use super::line;
use super::wanted::Wanted;
use crate::context::Context;
use crate::directory;
use crate::directory::pair::Paths;
use crate::failure::{Failure, Kind};
use crate::finding::Next;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::request::SigningRequest;
use crate::system::files;

/// What is there under a stem already.
pub(super) enum Existing {
    Nothing,
    Pair(Box<PrivateKey>, Box<SigningRequest>),
    KeyAlone,
    RequestAlone,
    /// A pair of the same family of keys but another kind than asked for.
    OtherKey(KeyAlgorithm),
    /// A pair for the same names with another subject; holds that.
    OtherSubject(String),
    /// Both are there but do not belong together, or one cannot be read.
    Unusable,
}

/// The paths to use and what is there. A key of a second algorithm for the same names lies beside the first one as
/// `example.com.rsa.key`.
pub(super) fn settle(context: &Context, wanted: &Wanted, stem: &str) -> Result<(Paths, Existing), Failure> {
    let paths = Paths::new(context, stem);
    let existing = look(&paths)?;
    if let (Existing::Pair(key, request), Some(asked)) = (&existing, wanted.key_type) {
        let suffix = family(asked);
        if wanted.is_for(request) && family(key.algorithm()) != suffix {
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
            let key = directory::read_file(&paths.key)?.keys.into_iter().next().map(|key| key.value);
            let request =
                directory::read_file(&paths.request)?.requests.into_iter().next().map(|request| request.value);
            match (key, request) {
                (Some(key), Some(request)) if key.id() == request.key_id => {
                    Existing::Pair(Box::new(key), Box::new(request))
                }
                _ => Existing::Unusable,
            }
        }
    })
}

/// Neither file is overwritten: why, and both ways on.
pub(super) fn in_the_way(context: &Context, args: &CsrArgs, paths: &Paths, existing: &Existing) -> Failure {
    let (path, why) = match existing {
        Existing::Nothing | Existing::KeyAlone => (&paths.key, "a key is there without a request".to_owned()),
        Existing::OtherKey(algorithm) => (&paths.key, format!("it is {algorithm}")),
        Existing::OtherSubject(subject) => (&paths.request, format!("its subject is {subject}")),
        Existing::RequestAlone => (&paths.request, "a request is there without its key".to_owned()),
        Existing::Pair(..) => (&paths.request, "it asks for other names".to_owned()),
        Existing::Unusable => {
            (&paths.key, "key and request are there but do not belong together, or cannot be read".to_owned())
        }
    };
    let or = |args: &CsrArgs, note: &str| {
        let step = Next::run(&line::line(context, args));
        Next { text: format!("{}   ({note})", step.text), ..step }
    };
    let another = CsrArgs { cert_name: Some("another-name".to_owned()), force: false, ..args.clone() };
    let force = CsrArgs { force: true, ..args.clone() };
    Failure::new(Kind::Exists, format!("{} is in the way: {why}", path.display()))
        .with(or(&another, "both stay"))
        .with(or(&force, "the old files become numbered backups"))
}
