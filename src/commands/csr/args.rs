//! The arguments of `csr`.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::csr_lint;
use crate::dcv::ca::Ca;
use crate::inputs::PasswordArgs;
use crate::matching::file_names;
use crate::pki::key::KeyAlgorithm;
use crate::system::dns::parse_address;

/// Create a key and a certificate signing request (CSR)
///
/// Examples:
///   certctl csr example.com www.example.com --ca namecheap
///   certctl csr --like example.com:443 --key-type ecdsa-p256
#[derive(Clone, Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct CsrArgs {
    /// DNS names, the primary one first; Unicode and *.wildcards are accepted; with --ca private
    /// also IP addresses and email addresses
    #[arg(
        required_unless_present = "like",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub names: Vec<String>,
    /// The reseller or CA that gets the request
    #[arg(long)]
    pub ca: Option<Ca>,
    /// Algorithm of the new key [default: ecdsa-p256]
    #[arg(long, value_name = "TYPE")]
    pub key_type: Option<KeyType>,
    /// Use this existing private key (PEM, DER or PKCS#12); the file is not changed
    #[arg(long, value_name = "FILE", conflicts_with = "encrypt_key")]
    pub key: Option<PathBuf>,
    /// Take names, subject and key algorithm from a certificate, a request or a server;
    /// command-line values take precedence
    #[arg(long, value_name = "FILE|HOST[:PORT]")]
    pub like: Option<String>,
    /// Subject in RFC 4514 notation, the most specific part first: 'CN=example.com,O=Acme\,
    /// Inc.,C=DE'; without a CN the first name is used
    #[arg(long, value_name = "SUBJECT")]
    pub subject: Option<String>,
    /// Encrypt the new key (AES-256) with a password from a prompt or --password-file
    #[arg(long)]
    pub encrypt_key: bool,
    /// How encrypted files are opened.
    #[command(flatten)]
    pub reading: PasswordArgs,
    /// Base name of the files [default: the first name]
    #[arg(long, value_name = "STEM", value_parser = file_names::parse_cert_name)]
    pub cert_name: Option<String>,
    /// Check whether the CAA records allow the CA to issue
    #[arg(long)]
    pub check_caa: bool,
    /// Resolver to query instead of the system's (may be repeated); with a port other than 53,
    /// only this resolver is queried
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = parse_address, requires = "check_caa")]
    pub resolver: Vec<SocketAddr>,
    /// Report the finding with this code as a warning instead of refusing (may be repeated)
    #[arg(long, value_name = "CODE", value_parser = csr_lint::parse_allowable_code, value_delimiter = ',')]
    pub allow: Vec<&'static str>,
    /// Make a new key and request; the old files are kept as numbered backups
    #[arg(long)]
    pub force: bool,
    /// Check everything and show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// The key algorithms that certctl generates.
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
