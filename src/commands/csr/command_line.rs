//! The command line of this run with changes, for advice.

use std::path::Path;

use super::args::{CsrArgs, KeyType};
use crate::context::Context;
use crate::csr_lint::RequestChange;
use crate::dcv::ca::Ca;
use crate::pki::alt_name::AltNames;
use crate::pki::key::KeyAlgorithm;
use crate::system::dns;

/// Returns the words of `args` after `certctl`.
pub(super) fn words(context: &Context, args: &CsrArgs) -> Vec<String> {
    let mut words = context.command_words("csr");
    words.extend(args.names.iter().cloned());
    let mut flags = valued_flags(args);
    for code in &args.allow {
        flags.push(("--allow", Some((*code).to_owned())));
    }
    for address in &args.resolver {
        flags.push(("--resolver", Some(dns::format_address(*address))));
    }
    for (flag, value) in flags {
        if let Some(value) = value {
            words.extend([flag.to_owned(), value]);
        }
    }
    let switches = [
        ("--check-caa", args.check_caa),
        ("--encrypt-key", args.encrypt_key),
        ("--force", args.force),
    ];
    for (switch, is_set) in switches {
        if is_set {
            words.push(switch.to_owned());
        }
    }
    words
}

fn valued_flags(args: &CsrArgs) -> Vec<(&'static str, Option<String>)> {
    let ca = args.ca.map(|ca| ca.name().to_owned());
    let key_type = args
        .key_type
        .map(|key_type| KeyAlgorithm::from(key_type).to_string());
    vec![
        ("--ca", ca),
        ("--key-type", key_type),
        ("--key", path_text(args.key.as_deref())),
        ("--like", args.like.clone()),
        ("--subject", args.subject.clone()),
        (
            "--password-file",
            path_text(args.reading.password_file.as_deref()),
        ),
        ("--cert-name", args.cert_name.clone()),
    ]
}

fn path_text(path: Option<&Path>) -> Option<String> {
    path.map(|path| path.display().to_string())
}

/// Returns the words of `args` with `changes`, which repair the request.
pub(super) fn changed_words(
    context: &Context,
    args: &CsrArgs,
    names: &AltNames,
    changes: &[RequestChange],
) -> Vec<String> {
    let mut args = args.clone();
    for change in changes {
        match change {
            RequestChange::Add(added) => {
                args.names = names.texts();
                args.names.extend(added.iter().cloned());
            }
            RequestChange::Omit(omitted) => {
                args.names = names.texts();
                args.names.retain(|name| !omitted.contains(name));
            }
            RequestChange::NewKey => {
                args.key = None;
                args.key_type = Some(KeyType::default());
            }
            RequestChange::Private => args.ca = Some(Ca::Private),
        }
    }
    words(context, &args)
}
