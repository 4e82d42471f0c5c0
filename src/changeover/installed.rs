//! The pairs that are installed in a tree, and which of them a certificate or a name means.

use super::tree::root;
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::finding::Next;
use crate::install::apply::store;
use crate::install::layout::{self, Layout, Pointer};
use crate::install::observe;
use crate::install::release::Release;
use crate::install::settings::Settings;
use crate::intake::Taken;
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::system::folders;

/// More pairs than that are not looked at.
const LIMIT: usize = 100_000;

/// The name of a pair in /etc/ssl: its request's without the round; else that of the installed pair with the same names
/// and kind of key; else the first DNS name.
///
/// # Errors
/// When what is installed cannot be read.
pub fn stem(context: &Context, taken: &Taken) -> Result<String, Failure> {
    if taken.request.is_some() {
        let stem = without_round(&taken.stem);
        if plain(stem) {
            return Ok(stem.to_owned());
        }
    }
    let leaf = taken.leaf();
    let same = |other: &Certificate| {
        let sorted = |one: &Certificate| {
            let mut names = one.dns_names.clone();
            names.sort();
            names
        };
        sorted(other) == sorted(leaf) && other.algorithm == leaf.algorithm
    };
    let known = pairs(context)?.into_iter().find(|(_, release)| same(release.leaf()));
    Ok(known.map_or_else(|| crate::intake::stem_of(leaf), |(stem, _)| stem))
}

/// `example.com-2` is the second round of `example.com`.
fn without_round(stem: &str) -> &str {
    match stem.rsplit_once('-') {
        Some((name, round)) if !name.is_empty() && !round.is_empty() && round.bytes().all(|b| b.is_ascii_digit()) => {
            name
        }
        _ => stem,
    }
}

/// A name that can be a folder's: it is a part of paths that root writes to.
fn plain(stem: &str) -> bool {
    !stem.is_empty()
        && !stem.starts_with(['.', '-'])
        && stem.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// Every installed pair that can be read: its name and what is live.
fn pairs(context: &Context) -> Result<Vec<(String, Release)>, Failure> {
    let root = root(context)?;
    let mut pairs = Vec::new();
    let mut stems: Vec<String> = folders::names(&layout::base(&root), LIMIT)?
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .filter(|name| plain(name))
        .collect();
    stems.sort();
    for stem in stems {
        let (chain, key) = observe::family(&root).stable_paths(&stem);
        let layout = Layout::new(Some(&root), &stem, root.join(chain), root.join(key));
        // A pair that is broken is another pair's business.
        let Ok(Some(live)) = observe::pointer(&layout, Pointer::Live) else { continue };
        if let Ok(Some(release)) = store::load(&layout, &live) {
            pairs.push((stem, release));
        }
    }
    Ok(pairs)
}

/// The pair that a name means: one of that name, else the one whose certificate has it; without a name, the only one.
///
/// # Errors
/// None fits, or several do.
pub fn named(context: &Context, name: Option<&str>) -> Result<String, Failure> {
    let pairs = pairs(context)?;
    let spelled = name.map(|name| {
        DnsName::parse(&name.replacen("_.", "*.", 1)).map_or_else(|_| name.to_owned(), |name| name.file_stem())
    });
    let fits = |(stem, release): &&(String, Release)| match (&spelled, name) {
        (Some(spelled), Some(name)) => stem == spelled || release.leaf().dns_names.iter().any(|has| has == name),
        _ => true,
    };
    let exact = pairs.iter().find(|(stem, _)| Some(stem) == spelled.as_ref());
    let found: Vec<&str> = match exact {
        Some((stem, _)) => vec![stem],
        None => pairs.iter().filter(fits).map(|(stem, _)| stem.as_str()).collect(),
    };
    match (found.as_slice(), name) {
        ([one], _) => Ok((*one).to_owned()),
        ([], Some(name)) => Err(Failure::new(Kind::NotFound, format!("no certificate of {name} is installed here"))
            .with(Next::say("see what is:  ls /etc/ssl/certctl"))),
        ([], None) => Err(Failure::new(Kind::NotFound, "no certificate is installed here by certctl")
            .with(Next::say("install one:  sudo certctl install FILE"))),
        (several, _) => {
            let failure = Failure::new(Kind::Ambiguous, format!("several are installed: {}", several.join(", ")));
            Err(several.iter().fold(failure, |failure, stem| failure.with(Next::run(&["rollback", stem]))))
        }
    }
}

/// What is remembered of a pair.
///
/// # Errors
/// When it cannot be read, or others could have written it.
pub fn settings(context: &Context, stem: &str) -> Result<Settings, Failure> {
    Ok(observe::settings(&root(context)?, stem)?)
}

#[cfg(test)]
mod tests {
    use super::{plain, without_round};

    #[test]
    fn rounds_share_a_name() {
        for (stem, name) in [
            ("example.com", "example.com"),
            ("example.com-2", "example.com"),
            ("my-site", "my-site"),
            ("-2", "-2"),
            ("example.com.rsa-3", "example.com.rsa"),
        ] {
            assert_eq!(without_round(stem), name);
        }
    }

    #[test]
    fn a_name_is_one_plain_folder() {
        for (stem, fine) in [
            ("example.com", true),
            ("_.example.com", true),
            ("", false),
            (".lock", false),
            ("..", false),
            ("a/b", false),
            ("a b", false),
            ("-x", false),
        ] {
            assert_eq!(plain(stem), fine, "{stem}");
        }
    }
}
