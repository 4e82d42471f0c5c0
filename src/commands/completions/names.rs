//! The names that certctl knows on this machine, for completion. Reads a bounded number of files,
//! does not use the network and never fails.

use crate::context::Context;
use crate::inputs::folder::FolderContents;
use crate::install::installed;
use crate::matching::file_names::is_safe_name;
use crate::pki::name::DnsName;

/// A folder with more files is not searched.
const FILE_LIMIT: usize = 500;

/// The maximum number of names that are offered.
const NAME_LIMIT: usize = 2000;

/// Where names are known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NameScope {
    /// The requests and certificates of the working directory, with all their names.
    AllOfFolder,
    /// The requests and certificates of the working directory.
    Folder,
    /// The installed certificates.
    Installed,
    /// The installed certificates, and the working directory.
    Everywhere,
}

/// Lists the known names that start with `typed`, sorted: the first name of each request and
/// certificate; their other names only if none of those fits.
pub(super) fn list_known(context: &Context, scope: NameScope, typed: &str) -> Vec<String> {
    let mut first = Vec::new();
    let mut others = Vec::new();
    if scope != NameScope::Installed {
        add_names_of_folder(context, &mut first, &mut others);
    }
    if matches!(scope, NameScope::Installed | NameScope::Everywhere) {
        first.extend(installed::list_installed(context).unwrap_or_default());
    }
    if scope == NameScope::AllOfFolder {
        first.append(&mut others);
    }
    let fitting = offer(first, typed);
    if fitting.is_empty() {
        offer(others, typed)
    } else {
        fitting
    }
}

fn add_names_of_folder(context: &Context, first: &mut Vec<String>, others: &mut Vec<String>) {
    let Ok(Some(folder)) = FolderContents::read_if_small(context, FILE_LIMIT) else {
        return;
    };
    let leaves = folder.certificates.iter().flat_map(|file| &file.value);
    let of_leaves = leaves
        .filter(|certificate| certificate.is_server_certificate())
        .map(|leaf| &leaf.dns_names);
    let of_requests = folder.requests.iter().map(|held| &held.value.dns_names);
    for names in of_leaves.chain(of_requests) {
        let mut names = names.iter().filter_map(|name| spell(name));
        first.extend(names.next());
        others.extend(names);
    }
}

/// Returns a name in a form that no shell has to quote: `_.example.com` for a wildcard. Names that
/// are no DNS names are not offered.
fn spell(name: &str) -> Option<String> {
    Some(DnsName::parse(name).ok()?.file_stem())
}

fn offer(mut names: Vec<String>, typed: &str) -> Vec<String> {
    let typed = typed.to_ascii_lowercase();
    names.retain(|name| is_safe_name(name) && name.starts_with(&typed));
    names.sort();
    names.dedup();
    names.truncate(NAME_LIMIT);
    names
}

#[cfg(test)]
mod tests {
    use super::{NAME_LIMIT, offer, spell};

    #[test]
    fn only_names_that_need_no_quotes_are_offered() {
        let names = [
            "b.example",
            "$(reboot)",
            "a b",
            "-x",
            "a.example",
            "b.example",
        ];
        let names: Vec<String> = names.map(str::to_owned).into();
        assert_eq!(offer(names.clone(), ""), ["a.example", "b.example"]);
        assert_eq!(offer(names, "B"), ["b.example"]);
        let many = (0..NAME_LIMIT + 1).map(|number| format!("{number}.example"));
        assert_eq!(offer(many.collect(), "").len(), NAME_LIMIT);
        assert_eq!(spell("*.example.com").unwrap(), "_.example.com");
        assert_eq!(spell("$(reboot).example"), None);
    }
}
