//! PEM out (RFC 7468): LF, 64 columns, one newline at the end. Reading is `delivery`'s.

use zeroize::Zeroizing;

/// One block.
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> String {
    let config = ::pem::EncodeConfig::new().set_line_ending(::pem::LineEnding::LF);
    ::pem::encode_config(&::pem::Pem::new(label, der), config)
}

/// One `PRIVATE KEY` block, wiped when dropped.
#[must_use]
pub fn encode_key(pkcs8: &[u8]) -> Zeroizing<String> {
    // `Pem` keeps a copy of the contents; wipe it before it goes.
    let config = ::pem::EncodeConfig::new().set_line_ending(::pem::LineEnding::LF);
    let block = ::pem::Pem::new("PRIVATE KEY", pkcs8);
    let text = Zeroizing::new(::pem::encode_config(&block, config));
    drop(Zeroizing::new(block.into_contents()));
    text
}
