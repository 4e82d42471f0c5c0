//! The audit log: one line in the journal or syslog for each change, key, decrypted key, rollback,
//! removal, revocation and published record (who, which command, what before and after, which proof). Never a secret: of files it has
//! names and fingerprints, and no option of certctl takes a password as its value.

use std::path::Path;

use crate::context::Context;
use crate::finding::{Finding, shell_line, shell_word};
use crate::report;
use crate::system::system_log::{self, LogLine};
use crate::system::{environment, login};

/// The maximum number of bytes of one value; the rest is cut off.
const VALUE_LIMIT: usize = 4096;

/// What was done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AuditAction {
    ChangeAccountKey,
    ChangeSite,
    CreateAccount,
    CreateKey,
    DecryptKey,
    ExportAccount,
    Forget,
    ImportAccount,
    Install,
    InstallPlaceholder,
    Order,
    PublishRecord,
    RemoveRecord,
    Revoke,
    Rollback,
}

impl AuditAction {
    fn name(self) -> &'static str {
        match self {
            Self::ChangeAccountKey => "change-account-key",
            Self::ChangeSite => "change-site",
            Self::CreateAccount => "create-account",
            Self::CreateKey => "create-key",
            Self::DecryptKey => "decrypt-key",
            Self::ExportAccount => "export-account",
            Self::Forget => "forget",
            Self::ImportAccount => "import-account",
            Self::Install => "install",
            Self::InstallPlaceholder => "install-placeholder",
            Self::Order => "order",
            Self::PublishRecord => "publish-record",
            Self::RemoveRecord => "remove-record",
            Self::Revoke => "revoke",
            Self::Rollback => "rollback",
        }
    }
}

/// One line of the audit log. A field without content is omitted.
#[derive(Clone, Debug)]
pub(crate) struct AuditEvent<'a> {
    pub action: AuditAction,
    /// The name of the certificate, or the file of the key.
    pub subject: &'a str,
    /// The verdict, or `done`.
    pub result: &'a str,
    /// The fingerprint of the certificate that servers read before, and after.
    pub before: Option<&'a str>,
    pub after: Option<&'a str>,
    /// The id of a key.
    pub key_id: Option<String>,
    /// How the result was verified, as `proof` in the document.
    pub proof: &'a str,
}

impl<'a> AuditEvent<'a> {
    /// A key was created or decrypted into a file.
    #[must_use]
    pub(crate) fn of_key(action: AuditAction, path: &'a str, key_id: String) -> Self {
        Self {
            action,
            subject: path,
            result: "done",
            before: None,
            after: None,
            key_id: Some(key_id),
            proof: "",
        }
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        let words: Vec<String> = environment::command_line();
        let login = login::login_user().map(|user| user.to_string());
        let fields = [
            ("CERTCTL_ACTION", Some(self.action.name().to_owned())),
            ("CERTCTL_SUBJECT", Some(self.subject.to_owned())),
            ("CERTCTL_RESULT", Some(self.result.to_owned())),
            ("CERTCTL_PROOF", Some(self.proof.to_owned())),
            ("CERTCTL_BEFORE", self.before.map(str::to_owned)),
            ("CERTCTL_AFTER", self.after.map(str::to_owned)),
            ("CERTCTL_KEY_ID", self.key_id.clone()),
            ("CERTCTL_LOGIN_UID", login),
            ("CERTCTL_UID", Some(login::user().to_string())),
            ("CERTCTL_COMMAND", Some(shell_line(&words))),
        ];
        let fields = fields.into_iter();
        let present = fields.filter_map(|(name, value)| Some((name, value?)));
        present
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, cut(value)))
            .collect()
    }
}

/// Writes a line to the log of this machine. Nothing is written for the tree of another machine
/// (`--root`), or where the system has no log. A failure is a note, because what the line is about is
/// done already.
#[must_use]
pub(crate) fn record(context: &Context, event: &AuditEvent<'_>) -> Option<Finding> {
    if context.root.is_some() || !system_log::may_exist() {
        return None;
    }
    let fields = event.fields();
    let line = LogLine {
        message: message(&fields),
        fields,
    };
    let error = system_log::write(&line).err()?;
    let message = format!("no line could be written to the system's log: {error}");
    Some(Finding::note("log-not-written", message))
}

/// Writes a line about the key in a file.
#[must_use]
pub(crate) fn record_key(
    context: &Context,
    action: AuditAction,
    path: &Path,
    key_id: String,
) -> Option<Finding> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let path = path.to_string_lossy();
    let event = AuditEvent::of_key(action, &path, key_id);
    record(context, &event)
}

/// `action=install subject=example.com ... command='certctl install x.zip'`: the values as a shell
/// reads them, without line breaks.
fn message(fields: &[(&'static str, String)]) -> String {
    let words: Vec<String> = fields
        .iter()
        .map(|(name, value)| {
            let name = name.trim_start_matches("CERTCTL_").to_ascii_lowercase();
            let value = report::escape(value, &[]);
            format!("{name}={}", shell_word(&value))
        })
        .collect();
    words.join(" ")
}

/// Cuts a value to [`VALUE_LIMIT`].
fn cut(mut value: String) -> String {
    if value.len() > VALUE_LIMIT {
        let is_end = |end: &usize| value.is_char_boundary(*end);
        let end = (0..=VALUE_LIMIT).rev().find(is_end).unwrap_or(0);
        value.truncate(end);
        value.push_str("...");
    }
    value
}

#[cfg(test)]
mod tests {
    use super::{VALUE_LIMIT, cut, message};

    #[test]
    fn values_cannot_forge_a_line_or_a_field() {
        let fields = [
            ("CERTCTL_ACTION", "install".to_owned()),
            (
                "CERTCTL_COMMAND",
                "certctl install 'a\nb' result=live".to_owned(),
            ),
        ];
        assert_eq!(
            message(&fields),
            "action=install command='certctl install '\\''a\\u{a}b'\\'' result=live'"
        );
    }

    #[test]
    fn long_values_are_cut() {
        let cut = cut("\u{e9}".repeat(VALUE_LIMIT));
        assert!(cut.len() <= VALUE_LIMIT + 3 && cut.ends_with("..."));
    }
}
