//! What each server needs: formats, the lines of its configuration and the command that reloads it.
//! A table with the source of every row.

use super::format::ExportFormat;
use super::pkcs12::Pkcs12Strength;

/// A server to write files for (`--for`).
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum ExportTarget {
    /// nginx
    Nginx,
    /// Apache 2.4.8 or newer
    Apache,
    /// HAProxy
    Haproxy,
    /// Postfix 3.4 or newer
    Postfix,
    /// Dovecot
    Dovecot,
    /// Tomcat 8.5 or newer
    Tomcat,
    /// Windows Server 2019 or newer
    Iis,
    /// Windows Server 2016 or older
    Windows2016,
    /// AWS Certificate Manager
    AwsAcm,
}

/// One row of the table. In `copy` and `lines`, `{pem}`, `{cert}`, `{chain}`, `{haproxy}`,
/// `{pfx}` and `{key}` stand for the paths of files on this machine, and `{name}` for their name.
struct Row {
    target: ExportTarget,
    formats: &'static [ExportFormat],
    strength: Pkcs12Strength,
    /// Commands that copy the files to their destination.
    copy: &'static [&'static str],
    /// The sentence above the lines: where they belong.
    place: &'static str,
    lines: &'static [&'static str],
    /// The command that makes the server load the files.
    reload: Option<&'static str>,
}

/// One thing to do on a server: a sentence, and lines or a command.
#[derive(Debug)]
pub(crate) struct TargetStep {
    pub sentence: String,
    /// Commands to run there or lines for its configuration.
    pub lines: Vec<String>,
    /// The command to run after the steps before.
    pub command: Option<&'static str>,
}

const COPY_PAIR: &[&str] = &[
    "sudo install -m 0644 {pem} /etc/ssl/{name}.fullchain.pem",
    "sudo install -m 0600 {key} /etc/ssl/private/{name}.key",
];

/// In the order of [`ExportTarget`].
const ROWS: [Row; 9] = [
    // nginx.org/en/docs/http/configuring_https_servers.html#chains: the certificate first, then the
    // intermediates.
    Row {
        target: ExportTarget::Nginx,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: COPY_PAIR,
        place: "add these lines to the server block",
        lines: &[
            "ssl_certificate     /etc/ssl/{name}.fullchain.pem;",
            "ssl_certificate_key /etc/ssl/private/{name}.key;",
        ],
        reload: Some("sudo nginx -t && sudo nginx -s reload"),
    },
    // httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslcertificatefile: intermediates in the same file
    // since 2.4.8.
    Row {
        target: ExportTarget::Apache,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: COPY_PAIR,
        place: "add these lines to the VirtualHost; they also replace SSLCertificateChainFile",
        lines: &[
            "SSLCertificateFile    /etc/ssl/{name}.fullchain.pem",
            "SSLCertificateKeyFile /etc/ssl/private/{name}.key",
        ],
        reload: Some("sudo apachectl configtest && sudo apachectl graceful"),
    },
    // docs.haproxy.org/2.6/configuration.html#5.1-crt: certificate, intermediates and key in one
    // file.
    Row {
        target: ExportTarget::Haproxy,
        formats: &[ExportFormat::Haproxy],
        strength: Pkcs12Strength::Modern,
        copy: &["sudo install -m 0600 {haproxy} /etc/ssl/private/{name}.pem"],
        place: "add this line to the frontend",
        lines: &["bind :443 ssl crt /etc/ssl/private/{name}.pem alpn h2,http/1.1"],
        reload: Some(
            "sudo haproxy -c -f /etc/haproxy/haproxy.cfg && sudo systemctl reload haproxy",
        ),
    },
    // postfix.org/postconf.5.html#smtpd_tls_chain_files (3.4): each key before its certificates.
    Row {
        target: ExportTarget::Postfix,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: COPY_PAIR,
        place: "add this line to /etc/postfix/main.cf; it replaces smtpd_tls_cert_file and \
            smtpd_tls_key_file",
        lines: &[
            "smtpd_tls_chain_files = /etc/ssl/private/{name}.key, /etc/ssl/{name}.fullchain.pem",
        ],
        reload: Some("sudo postfix check && sudo postfix reload"),
    },
    // doc.dovecot.org/2.3/configuration_manual/dovecot_ssl_configuration/: `<` reads the file; 2.4
    // has other names.
    Row {
        target: ExportTarget::Dovecot,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: COPY_PAIR,
        place: "add these lines to /etc/dovecot/conf.d/10-ssl.conf (the first two for Dovecot 2.3, \
            the last two for 2.4)",
        lines: &[
            "ssl_cert = </etc/ssl/{name}.fullchain.pem",
            "ssl_key = </etc/ssl/private/{name}.key",
            "ssl_server_cert_file = /etc/ssl/{name}.fullchain.pem",
            "ssl_server_key_file = /etc/ssl/private/{name}.key",
        ],
        reload: Some("sudo doveconf -n >/dev/null && sudo doveadm reload"),
    },
    // tomcat.apache.org/tomcat-9.0-doc/config/http.html#SSL_Support_-_Certificate: PKCS12
    // keystores.
    Row {
        target: ExportTarget::Tomcat,
        formats: &[ExportFormat::Pfx],
        strength: Pkcs12Strength::Modern,
        copy: &["sudo install -m 0640 -g tomcat {pfx} /etc/tomcat9/{name}.pfx"],
        place: "add these lines to the Connector of server.xml with the password of the file, and \
            restart Tomcat",
        lines: &[
            "<SSLHostConfig>",
            "  <Certificate certificateKeystoreFile=\"/etc/tomcat9/{name}.pfx\" \
                certificateKeystoreType=\"PKCS12\"",
            "               certificateKeystorePassword=\"PASSWORD\" />",
            "</SSLHostConfig>",
        ],
        reload: None,
    },
    // learn.microsoft.com/powershell/module/pki/import-pfxcertificate; AES-256 since Windows Server
    // 2019.
    Row {
        target: ExportTarget::Iis,
        formats: &[ExportFormat::Pfx],
        strength: Pkcs12Strength::Modern,
        copy: &[],
        place: "copy {pfx} to the server, run this there in PowerShell as administrator, and choose \
            the certificate in the site's bindings",
        lines: IMPORT,
        reload: None,
    },
    // The same; Windows Server 2016 rejects AES-256 with "The password you entered is incorrect".
    Row {
        target: ExportTarget::Windows2016,
        formats: &[ExportFormat::Pfx],
        strength: Pkcs12Strength::Legacy,
        copy: &[],
        place: "copy {pfx} to the server, run this there in PowerShell as administrator, and choose \
            the certificate in the site's bindings",
        lines: IMPORT,
        reload: None,
    },
    // docs.aws.amazon.com/acm/latest/userguide/import-certificate-api-cli.html: body, chain and key
    // in separate files.
    Row {
        target: ExportTarget::AwsAcm,
        formats: &[ExportFormat::Cert, ExportFormat::Chain],
        strength: Pkcs12Strength::Modern,
        copy: &[],
        place: "import the certificate; to replace an imported one, add `--certificate-arn` with \
            its ARN",
        lines: &[
            "aws acm import-certificate --certificate fileb://{cert} --certificate-chain \
                fileb://{chain} --private-key fileb://{key}",
        ],
        reload: None,
    },
];

const IMPORT: &[&str] = &[
    "Import-PfxCertificate -FilePath .\\{name}.pfx -CertStoreLocation Cert:\\LocalMachine\\My \
        -Password (Read-Host -AsSecureString)",
];

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
        }
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.target == self)
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
        let place = fill_line(row.place, name, &path);
        steps.push(TargetStep {
            sentence: format!("For {}, {place}", self.display_name()),
            lines: fill_lines(row.lines, name, &path),
            command: None,
        });
        if row.reload.is_some() {
            steps.push(TargetStep {
                sentence: format!("Then check and reload {}", self.display_name()),
                lines: Vec::new(),
                command: row.reload,
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
