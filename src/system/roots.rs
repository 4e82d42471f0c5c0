//! The roots that this machine trusts: its CA bundle or folder, or what
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name, as OpenSSL does.

use std::sync::OnceLock;

use rustls_native_certs::CertificateResult;

/// The system's trust store could not be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("this system's trust store contains no certificate{}", said.as_ref().map(|said| format!(": {said}")).unwrap_or_default())]
pub(crate) struct RootsError {
    /// What reading it said.
    said: Option<String>,
}

/// DER of each root, read once a run. What cannot be read beside others is passed over, as OpenSSL
/// does.
///
/// # Errors
/// When there is none.
pub(crate) fn system_roots() -> Result<&'static [Vec<u8>], RootsError> {
    static ROOTS: OnceLock<Result<Vec<Vec<u8>>, RootsError>> = OnceLock::new();
    ROOTS.get_or_init(read).as_deref().map_err(Clone::clone)
}

/// The same of the one file in which a system keeps them all: some hundred fewer to open. Empty
/// where there is none, or where the environment says what is read; a root that is not in it may be
/// among [`system_roots`] all the same.
#[must_use]
pub(crate) fn bundle_roots() -> &'static [Vec<u8>] {
    static ROOTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let said = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
            .iter()
            .any(|name| std::env::var_os(name).is_some());
        let file = if said {
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
            said: found.errors.first().map(ToString::to_string),
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
