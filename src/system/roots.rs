//! The roots that this machine trusts: its CA bundle or folder, or those in `SSL_CERT_FILE` and
//! `SSL_CERT_DIR`, as with OpenSSL.

use std::path::Path;
use std::sync::OnceLock;

use rustls_native_certs::CertificateResult;

use super::fs::files;

/// The system's trust store could not be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("this system's trust store contains no certificate{}", problem.as_ref().map(|problem| format!(": {problem}")).unwrap_or_default())]
pub(crate) struct RootsError {
    /// The first error while reading it.
    problem: Option<String>,
    /// The command of this machine's package manager that installs a package, if it is known.
    pub install_command: Option<&'static str>,
}

/// The package with the roots; Debian, Ubuntu, Red Hat, SUSE, Alpine and Arch use the same name.
pub(crate) const ROOTS_PACKAGE: &str = "ca-certificates";

/// Package managers, each with the command that installs a package.
const PACKAGE_MANAGERS: [(&str, &str); 6] = [
    ("/usr/bin/apt-get", "apt-get install"),
    ("/usr/bin/dnf", "dnf install"),
    ("/usr/bin/yum", "yum install"),
    ("/usr/bin/zypper", "zypper install"),
    ("/sbin/apk", "apk add"),
    ("/usr/bin/pacman", "pacman -S"),
];

/// Returns the command that installs a package, given the package managers that exist.
fn find_install_command(exists: impl Fn(&str) -> bool) -> Option<&'static str> {
    let mut managers = PACKAGE_MANAGERS.iter();
    managers
        .find(|(program, _)| exists(program))
        .map(|(_, command)| *command)
}

/// Returns the DER of each root; reads them once per run. Unreadable files are skipped if others
/// can be read, as OpenSSL does.
///
/// # Errors
/// When there is no root.
pub(crate) fn system_roots() -> Result<&'static [Vec<u8>], RootsError> {
    static ROOTS: OnceLock<Result<Vec<Vec<u8>>, RootsError>> = OnceLock::new();
    ROOTS.get_or_init(read).as_deref().map_err(Clone::clone)
}

/// Returns the roots in the system's bundle file, which is faster to read than some hundred files.
/// Empty if there is none, or if the environment selects other files. A root that is not in it may
/// still be among [`system_roots`].
#[must_use]
pub(crate) fn bundle_roots() -> &'static [Vec<u8>] {
    static ROOTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let is_overridden = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
            .iter()
            .any(|name| std::env::var_os(name).is_some());
        let file = if is_overridden {
            None
        } else {
            openssl_probe::probe().cert_file
        };
        ders(&rustls_native_certs::load_certs_from_paths(
            file.as_deref(),
            None,
        ))
    })
}

fn read() -> Result<Vec<Vec<u8>>, RootsError> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        return Err(RootsError {
            problem: found.errors.first().map(ToString::to_string),
            install_command: find_install_command(|program| files::exists(Path::new(program))),
        });
    }
    Ok(ders(&found))
}

fn ders(found: &CertificateResult) -> Vec<Vec<u8>> {
    found
        .certs
        .iter()
        .map(|one| one.as_ref().to_vec())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::find_install_command;

    #[test]
    fn the_package_manager_is_the_one_of_the_machine() {
        let command = |program: &'static str| find_install_command(move |known| known == program);
        assert_eq!(command("/usr/bin/apt-get"), Some("apt-get install"));
        assert_eq!(command("/usr/bin/dnf"), Some("dnf install"));
        assert_eq!(command("/sbin/apk"), Some("apk add"));
        assert_eq!(command("/usr/bin/emerge"), None);
    }
}
