//! How `certctl install --server NAME` treats a server whose configuration certctl does not read:
//! what of its table row becomes options.

/// The options that the name of a server stands for. Options of the command line and saved ones
/// take precedence.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct ServiceProfile {
    /// What follows the certificate's name in the path of a key of its own: `/etc/ssl/NAME` and this.
    /// `None` if the server reads the key as root, at the usual path.
    pub key_suffix: Option<&'static str>,
    /// User and group that read the key, where root does not read it for them.
    pub owner: Option<&'static str>,
    /// The command that tests the configuration, where the server has one that changes nothing.
    pub test: Option<&'static str>,
    /// The command that makes the server load the files.
    pub reload: &'static str,
    /// Where it usually answers.
    pub probes: &'static [&'static str],
}

/// The mode of a key that the user of a server owns.
pub(crate) const OWNED_KEY_MODE: &str = "0600";

impl ServiceProfile {
    /// The path of the key for the certificate called `stem`, if it is not the usual one.
    #[must_use]
    pub(crate) fn key_path(&self, stem: &str) -> Option<String> {
        let suffix = self.key_suffix?;
        Some(format!("/etc/ssl/{stem}{suffix}"))
    }
}
