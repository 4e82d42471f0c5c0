//! The roots that this machine trusts: its CA bundle or folder, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name, as OpenSSL
//! does.

use std::sync::OnceLock;

/// The system's trust store could not be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("this system's trust store holds no certificate{}", said.as_ref().map(|said| format!(": {said}")).unwrap_or_default())]
pub struct RootsError {
    /// What reading it said.
    said: Option<String>,
}

/// DER of each root, read once a run. What cannot be read beside others is passed over, as OpenSSL does.
///
/// # Errors
/// When there is none.
pub fn system() -> Result<&'static [Vec<u8>], RootsError> {
    static ROOTS: OnceLock<Result<Vec<Vec<u8>>, RootsError>> = OnceLock::new();
    ROOTS.get_or_init(read).as_deref().map_err(Clone::clone)
}

fn read() -> Result<Vec<Vec<u8>>, RootsError> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        return Err(RootsError { said: found.errors.first().map(ToString::to_string) });
    }
    Ok(found.certs.iter().map(|one| one.as_ref().to_vec()).collect())
}
