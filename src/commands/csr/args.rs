//! The arguments of `csr`.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::csr_lint;
use crate::dcv::ca::Ca;
use crate::inputs::PasswordArgs;
use crate::matching::file_names;
use crate::pki::key::KeyAlgorithm;
use crate::system::dns::parse_address;

/// Make a private key and the request (CSR) for it
///
/// Examples:
///   certctl csr example.com www.example.com --ca namecheap
///   certctl csr --like example.com:443 --key-type ecdsa-p256
#[derive(Clone, Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct CsrArgs {
    /// DNS names, the primary one first; Unicode and *.wildcards as they are; with --ca private
    /// addresses and mailboxes too
    #[arg(
        required_unless_present = "like",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub names: Vec<String>,
    /// The shop or CA that the request goes to
    #[arg(long)]
    pub ca: Option<Ca>,
    /// The kind of key [default: ecdsa-p256]
    #[arg(long, value_name = "TYPE")]
    pub key_type: Option<KeyType>,
    /// A private key to use again, in any form; it stays where it is, as it is
    #[arg(long, value_name = "FILE", conflicts_with = "encrypt_key")]
    pub key: Option<PathBuf>,
    /// Take names, subject and kind of key from a certificate or request, or from what a server
    /// shows; what is given beside it goes before
    #[arg(long, value_name = "FILE|HOST[:PORT]")]
    pub like: Option<String>,
    /// The subject as RFC 4514 writes it, the most specific part first: 'CN=example.com,O=Acme\,
    /// Inc.,C=DE'; without CN the first name is put before it
    #[arg(long, value_name = "SUBJECT")]
    pub subject: Option<String>,
    /// Lock the new key with a password (AES-256), typed twice or from --password-file
    #[arg(long)]
    pub encrypt_key: bool,
    /// How what is locked is opened.
    #[command(flatten)]
    pub reading: PasswordArgs,
    /// What the files are called, instead of after the first name
    #[arg(long, value_name = "STEM", value_parser = file_names::parse_cert_name)]
    pub cert_name: Option<String>,
    /// Ask the DNS whether CAA records let the CA issue
    #[arg(long)]
    pub check_caa: bool,
    /// Ask this resolver, not the system's; with a port other than 53 it alone is asked
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = parse_address, requires = "check_caa")]
    pub resolver: Vec<SocketAddr>,
    /// A finding that is not to refuse it, by its code (may be repeated)
    #[arg(long, value_name = "CODE", value_parser = csr_lint::parse_allowable_code, value_delimiter = ',')]
    pub allow: Vec<&'static str>,
    /// Make a new key and request; the old ones become numbered backups
    #[arg(long)]
    pub force: bool,
}

/// The kinds of key that certctl generates.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum KeyType {
    #[default]
    #[value(name = "ecdsa-p256")]
    EcdsaP256,
    #[value(name = "ecdsa-p384")]
    EcdsaP384,
    #[value(name = "ecdsa-p521")]
    EcdsaP521,
    #[value(name = "rsa-2048")]
    Rsa2048,
    #[value(name = "rsa-3072")]
    Rsa3072,
    #[value(name = "rsa-4096")]
    Rsa4096,
    #[value(name = "ed25519")]
    Ed25519,
}

impl From<KeyType> for KeyAlgorithm {
    fn from(key_type: KeyType) -> Self {
        match key_type {
            KeyType::EcdsaP256 => Self::EcdsaP256,
            KeyType::EcdsaP384 => Self::EcdsaP384,
            KeyType::EcdsaP521 => Self::EcdsaP521,
            KeyType::Rsa2048 => Self::Rsa(2048),
            KeyType::Rsa3072 => Self::Rsa(3072),
            KeyType::Rsa4096 => Self::Rsa(4096),
            KeyType::Ed25519 => Self::Ed25519,
        }
    }
}
