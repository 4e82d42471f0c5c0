//! What each server needs: formats, the lines of its configuration and the command that reloads it.

mod name;
mod table;

use clap::ValueEnum;

pub(crate) use self::name::ExportTarget;
use self::table::{PlacedLines, ROWS, Row};
use super::format::ExportFormat;
use super::pkcs12::Pkcs12Strength;
use super::service_profile::ServiceProfile;

/// A server of `certctl install --server NAME`, for its page.
#[derive(Debug)]
pub(crate) struct DescribedService {
    /// The value of `--server`.
    pub keyword: String,
    pub title: &'static str,
    pub profile: &'static ServiceProfile,
    /// The page that the facts are from.
    pub source: &'static str,
    /// What it says that explains them.
    pub why: &'static str,
}

/// One thing to do on a server: a sentence, and lines or a command.
#[derive(Debug)]
pub(crate) struct TargetStep {
    pub sentence: String,
    /// Commands to run there or lines for its configuration.
    pub lines: Vec<String>,
    /// The command to run after the steps before.
    pub command: Option<String>,
}

impl ExportTarget {
    /// The name in sentences.
    fn display_name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "Apache",
            Self::Haproxy => "HAProxy",
            Self::Postfix => "Postfix",
            Self::Dovecot => "Dovecot",
            Self::Tomcat => "Tomcat",
            Self::Iis => "IIS",
            Self::Windows2016 => "Windows Server 2016",
            Self::AwsAcm => "AWS Certificate Manager",
            Self::Caddy => "Caddy",
            Self::Lighttpd => "lighttpd",
            Self::Mosquitto => "mosquitto",
            Self::Postgres => "PostgreSQL",
            Self::Stunnel => "stunnel",
            Self::Vsftpd => "vsftpd",
            Self::Mariadb => "MariaDB",
            Self::Squid => "squid",
            Self::Openldap => "OpenLDAP",
            Self::Exim => "Exim",
        }
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.target == self)
    }

    /// The word for it on the command line.
    fn keyword(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Returns the servers that `certctl install --server NAME` controls without reading their
    /// configuration.
    #[must_use]
    pub(crate) fn services() -> Vec<DescribedService> {
        let rows = ROWS.iter();
        rows.filter_map(|row| {
            Some(DescribedService {
                keyword: row.target.keyword(),
                title: row.target.display_name(),
                profile: row.install.as_ref()?,
                source: row.source,
                why: row.why,
            })
        })
        .collect()
    }

    /// Finds a server that `certctl install --server NAME` supports without reading its
    /// configuration.
    #[must_use]
    pub(crate) fn find_service(name: &str) -> Option<&'static ServiceProfile> {
        let row = ROWS.iter().find(|row| row.target.keyword() == name)?;
        row.install.as_ref()
    }

    /// Returns the formats it needs; the key stays in its own file unless a format includes it.
    #[must_use]
    pub(crate) fn formats(self) -> &'static [ExportFormat] {
        self.row().map_or(&[], |row| row.formats)
    }

    /// Returns the encryption of a `.pfx` for it.
    #[must_use]
    pub(crate) fn strength(self) -> Pkcs12Strength {
        self.row()
            .map_or(Pkcs12Strength::Modern, |row| row.strength)
    }

    /// Returns where the lines of each version of the server belong.
    fn placed_steps(
        self,
        row: &Row,
        name: &str,
        path: &impl Fn(&str) -> String,
    ) -> Vec<TargetStep> {
        let first = PlacedLines {
            place: row.place,
            lines: row.lines,
        };
        let mut steps = Vec::new();
        for placed in std::iter::once(&first).chain(&row.other_version) {
            let place = fill_line(placed.place, name, path);
            steps.push(TargetStep {
                sentence: format!("For {}, {place}", self.display_name()),
                lines: fill_lines(placed.lines, name, path),
                command: None,
            });
        }
        steps
    }

    /// Returns how to configure the server with the files. `path` returns the path of a file by its
    /// word in the table, quoted for a shell.
    #[must_use]
    pub(crate) fn steps(self, name: &str, path: impl Fn(&str) -> String) -> Vec<TargetStep> {
        let Some(row) = self.row() else {
            return Vec::new();
        };
        let mut steps = Vec::new();
        if !row.copy.is_empty() {
            steps.push(TargetStep {
                sentence: format!("For {}, copy the files on the server", self.display_name()),
                lines: fill_lines(row.copy, name, &path),
                command: None,
            });
        }
        steps.extend(self.placed_steps(row, name, &path));
        if let Some(reload) = row.reload {
            steps.push(TargetStep {
                sentence: format!("Then check and reload {}", self.display_name()),
                lines: Vec::new(),
                command: Some(reload.to_owned()),
            });
        }
        if row.install.is_some() {
            let server = self.keyword();
            let line = format!("sudo certctl install {{pem}} --key {{key}} --server {server}");
            steps.push(TargetStep {
                sentence:
                    "Or let certctl copy the files, reload and verify, now and at each renewal"
                        .to_owned(),
                lines: Vec::new(),
                command: Some(fill_line(&line, name, &path)),
            });
        }
        steps
    }
}

fn fill_lines(lines: &[&str], name: &str, path: &impl Fn(&str) -> String) -> Vec<String> {
    lines
        .iter()
        .map(|line| fill_line(line, name, path))
        .collect()
}

/// Replaces the placeholders in a line with paths and `name`.
fn fill_line(line: &str, name: &str, path: &impl Fn(&str) -> String) -> String {
    let mut text = line.to_owned();
    for word in ["pem", "cert", "chain", "haproxy", "pfx", "key"] {
        let placeholder = format!("{{{word}}}");
        if text.contains(&placeholder) {
            text = text.replace(&placeholder, &path(word));
        }
    }
    text.replace("{name}", name)
}
