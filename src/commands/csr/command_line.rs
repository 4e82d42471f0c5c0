//! The command line of this run, with a change: what is proposed is what was typed, and one thing
//! else.

use std::path::PathBuf;

use super::args::{CsrArgs, KeyType};
use crate::context::Context;
use crate::csr_lint::RequestChange;
use crate::dcv::ca::Ca;
use crate::pki::alt_name::AltNames;
use crate::pki::key::KeyAlgorithm;
use crate::system::dns;

/// The words of `args` behind `certctl`.
pub(super) fn line(context: &Context, args: &CsrArgs) -> Vec<String> {
    let mut words = context.again("csr");
    words.extend(args.names.iter().cloned());
    let mut flag = |name: &str, value: Option<String>| {
        words.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
    };
    flag("--ca", args.ca.map(|ca| ca.name().to_owned()));
    flag(
        "--key-type",
        args.key_type
            .map(|kind| KeyAlgorithm::from(kind).to_string()),
    );
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    flag("--key", path(&args.key));
    flag("--like", args.from.clone());
    flag("--subject", args.subject.clone());
    flag("--password-file", path(&args.reading.password_file));
    flag("--cert-name", args.cert_name.clone());
    args.allow
        .iter()
        .for_each(|code| flag("--allow", Some((*code).to_owned())));
    args.resolver
        .iter()
        .for_each(|address| flag("--resolver", Some(dns::typed(*address))));
    words.extend(args.check_caa.then(|| "--check-caa".to_owned()));
    words.extend(args.encrypt_key.then(|| "--encrypt-key".to_owned()));
    words.extend(args.force.then(|| "--force".to_owned()));
    words
}

/// The same with what mends a fault.
pub(super) fn cured(
    context: &Context,
    args: &CsrArgs,
    names: &AltNames,
    cure: &RequestChange,
) -> Vec<String> {
    let mut args = args.clone();
    match cure {
        RequestChange::Add(more) => {
            args.names = names
                .texts()
                .into_iter()
                .chain(more.iter().cloned())
                .collect()
        }
        RequestChange::Leave(less) => {
            args.names = names
                .texts()
                .into_iter()
                .filter(|name| !less.contains(name))
                .collect()
        }
        RequestChange::NewKey => (args.key, args.key_type) = (None, Some(KeyType::default())),
        RequestChange::Private => args.ca = Some(Ca::Private),
    }
    line(context, &args)
}
