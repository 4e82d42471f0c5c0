//! The certificates of another program, and the files that it keeps about them.

use std::path::{Component, Path, PathBuf};

use crate::acme_clients::{ForeignRenewal, acme_sh, certbot, lego};
use crate::advice::import_command as advice;
use crate::context::Context;
use crate::failure::Failure;
use crate::store::root::{path_below_root, resolve_root};
use crate::system::fs::{files, folders};

/// The maximum number of bytes of a file about a certificate.
pub(crate) const RENEWAL_FILE_LIMIT: u64 = 256 * 1024;
/// The maximum number of certificates of a program.
const LINEAGE_LIMIT: usize = 100_000;

/// A program that orders certificates.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum ImportTool {
    /// certbot of the EFF
    Certbot,
    /// acme.sh
    #[value(name = "acme.sh")]
    AcmeSh,
    /// lego
    Lego,
}

impl ImportTool {
    /// The name, which is also the value on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Certbot => "certbot",
            Self::AcmeSh => "acme.sh",
            Self::Lego => "lego",
        }
    }
}

/// A certificate of another program.
#[derive(Debug)]
pub(crate) struct ForeignLineage {
    pub tool: ImportTool,
    /// The program's name for it.
    pub name: String,
    pub chain: PathBuf,
    pub key: PathBuf,
    /// The file without which the program does not renew it.
    pub renewal_file: PathBuf,
    pub renewal: ForeignRenewal,
    /// The file of the account's key.
    pub account_key: Option<PathBuf>,
}

/// Which certificates of another program are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineageSelection<'a> {
    pub tool: ImportTool,
    /// The folder of the program, if it is not the usual one.
    pub from: Option<&'a Path>,
    /// The names; all if there are none.
    pub names: &'a [String],
}

/// Returns the wanted certificates.
///
/// # Errors
/// When there are none, or one of the names has none.
pub(crate) fn find_lineages(
    context: &Context,
    selection: &LineageSelection<'_>,
) -> Result<Vec<ForeignLineage>, Failure> {
    let tool = selection.tool;
    let home = match selection.from {
        Some(from) => from.to_owned(),
        None => default_folder(context, tool)?,
    };
    let tree = ToolTree {
        tool,
        home: folders::absolute(&home)?,
    };
    let known = tree.list_names()?;
    if known.is_empty() {
        return Err(advice::no_certificates(tool.name(), &tree.home));
    }
    let mut lineages = Vec::new();
    if selection.names.is_empty() {
        for name in &known {
            lineages.push(tree.read(name)?);
        }
        return Ok(lineages);
    }
    for wanted in selection.names {
        let wanted = wanted.replace('*', "_").to_ascii_lowercase();
        let found = known.iter().find(|name| name.eq_ignore_ascii_case(&wanted));
        match found {
            Some(name) => lineages.push(tree.read(name)?),
            None => return Err(advice::unknown_lineage(tool.name(), &wanted, &known)),
        }
    }
    Ok(lineages)
}

/// Returns the certificates that other programs renew on this machine, for each program that has any.
/// What cannot be read is omitted.
pub(crate) fn renewed_by_others(context: &Context) -> Vec<OthersRenewals> {
    let mut found = Vec::new();
    for tool in [ImportTool::Certbot, ImportTool::AcmeSh, ImportTool::Lego] {
        let Ok(home) = default_folder(context, tool) else {
            continue;
        };
        let names = ToolTree { tool, home }.list_names().unwrap_or_default();
        if !names.is_empty() {
            found.push(OthersRenewals {
                tool: tool.name(),
                names,
            });
        }
    }
    found
}

/// The certificates that another program renews.
#[derive(Debug)]
pub(crate) struct OthersRenewals {
    pub tool: &'static str,
    /// The program's names of its certificates.
    pub names: Vec<String>,
}

/// The folder that the program uses if no option names another one.
fn default_folder(context: &Context, tool: ImportTool) -> Result<PathBuf, Failure> {
    let root = resolve_root(context.root.as_deref())?;
    Ok(match tool {
        ImportTool::Certbot => path_below_root(&root, Path::new("/etc/letsencrypt")),
        ImportTool::Lego => context.path_of(".lego"),
        ImportTool::AcmeSh => {
            let own = folders::home_folder().filter(|_| context.root.is_none());
            let home = own.unwrap_or_else(|| path_below_root(&root, Path::new("/root")));
            home.join(".acme.sh")
        }
    })
}

/// The folder of a program.
struct ToolTree {
    tool: ImportTool,
    home: PathBuf,
}

impl ToolTree {
    /// Returns the program's names of its certificates, sorted.
    fn list_names(&self) -> Result<Vec<String>, Failure> {
        let folder = match self.tool {
            ImportTool::Certbot => self.home.join("renewal"),
            ImportTool::Lego => self.home.join("certificates"),
            ImportTool::AcmeSh => self.home.clone(),
        };
        let mut names = Vec::new();
        for name in folders::list_names(&folder, LINEAGE_LIMIT)? {
            let name = name.to_string_lossy();
            names.extend(self.lineage_name(&name));
        }
        names.sort();
        Ok(names)
    }

    /// Returns the name of the certificate that a file or folder is about.
    fn lineage_name(&self, file: &str) -> Option<String> {
        let name = match self.tool {
            ImportTool::Certbot => file.strip_suffix(".conf")?,
            ImportTool::Lego => file.strip_suffix(".json")?,
            ImportTool::AcmeSh => file,
        };
        let is_known = files::exists(&self.renewal_file(name));
        is_known.then(|| name.to_owned())
    }

    /// The file without which the program does not renew the certificate.
    fn renewal_file(&self, name: &str) -> PathBuf {
        match self.tool {
            ImportTool::Certbot => self.home.join("renewal").join(format!("{name}.conf")),
            // lego does not read the other file before it renews.
            ImportTool::Lego => self.home.join("certificates").join(format!("{name}.crt")),
            ImportTool::AcmeSh => {
                let domain = domain_of(name);
                self.home.join(name).join(format!("{domain}.conf"))
            }
        }
    }

    fn read(&self, name: &str) -> Result<ForeignLineage, Failure> {
        let renewal = self.read_renewal(name)?;
        let renewal_file = self.renewal_file(name);
        Ok(ForeignLineage {
            tool: self.tool,
            name: name.to_owned(),
            chain: self.chain_file(name),
            key: self.key_file(name),
            renewal_file,
            account_key: self.account_key(&renewal),
            renewal,
        })
    }

    fn read_renewal(&self, name: &str) -> Result<ForeignRenewal, Failure> {
        let path = match self.tool {
            ImportTool::Certbot | ImportTool::AcmeSh => self.renewal_file(name),
            ImportTool::Lego => self.home.join("certificates").join(format!("{name}.json")),
        };
        let bytes = files::read(&path, RENEWAL_FILE_LIMIT)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(match self.tool {
            ImportTool::Certbot => certbot::parse(&text),
            ImportTool::AcmeSh => acme_sh::parse(&text),
            ImportTool::Lego => lego::parse(&text),
        })
    }

    fn chain_file(&self, name: &str) -> PathBuf {
        match self.tool {
            ImportTool::Certbot => {
                let folder = self.home.join("live");
                folder.join(name).join("fullchain.pem")
            }
            ImportTool::AcmeSh => {
                let folder = self.home.join(name);
                folder.join("fullchain.cer")
            }
            ImportTool::Lego => self.renewal_file(name),
        }
    }

    fn key_file(&self, name: &str) -> PathBuf {
        match self.tool {
            ImportTool::Certbot => {
                let folder = self.home.join("live");
                folder.join(name).join("privkey.pem")
            }
            ImportTool::AcmeSh => {
                let domain = domain_of(name);
                self.home.join(name).join(format!("{domain}.key"))
            }
            ImportTool::Lego => self.home.join("certificates").join(format!("{name}.key")),
        }
    }

    /// The file of the account's key, if there is one.
    fn account_key(&self, renewal: &ForeignRenewal) -> Option<PathBuf> {
        let folder = renewal.account.as_deref()?;
        // The text is the program's: it must not lead out of its folder.
        if !is_below(folder) {
            return None;
        }
        let path = match self.tool {
            ImportTool::Certbot => self
                .home
                .join("accounts")
                .join(folder)
                .join("private_key.json"),
            ImportTool::AcmeSh => {
                let accounts = self.home.join("ca");
                accounts.join(folder).join("account.key")
            }
            ImportTool::Lego => self.lego_account_key(folder)?,
        };
        files::exists(&path).then_some(path)
    }

    /// lego has a folder for the mail address of each account.
    fn lego_account_key(&self, folder: &Path) -> Option<PathBuf> {
        let folder = self.home.join("accounts").join(folder);
        let mut mails = folders::list_names(&folder, LINEAGE_LIMIT).ok()?;
        mails.sort();
        let mail = mails.into_iter().next()?;
        let file = format!("{}.key", mail.to_string_lossy());
        Some(folder.join(mail).join("keys").join(file))
    }
}

/// Whether a relative path stays below the folder that it is joined to.
fn is_below(path: &Path) -> bool {
    let mut components = path.components();
    components.all(|component| matches!(component, Component::Normal(_)))
}

/// The first name of a certificate of acme.sh, whose folder may end with the kind of its key.
fn domain_of(name: &str) -> &str {
    name.strip_suffix("_ecc").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_below;

    #[test]
    fn accounts_are_only_read_in_the_folder_of_the_program() {
        for (path, is_inside) in [
            ("acme.example/directory/0123abc", true),
            ("acme.example:14000/dir/0123abc", true),
            ("../../home/ann/0123abc", false),
            ("acme.example/../../0123abc", false),
            ("/root/keys", false),
        ] {
            assert_eq!(is_below(Path::new(path)), is_inside, "{path}");
        }
    }
}
