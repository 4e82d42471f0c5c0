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
    /// Caddy 2
    Caddy,
    /// lighttpd 1.4.53 or newer
    Lighttpd,
    /// mosquitto 2.0 or newer
    Mosquitto,
    /// PostgreSQL
    Postgres,
    /// stunnel 5
    Stunnel,
    /// vsftpd 3
    Vsftpd,
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
    /// The same for another version of the server.
    other_version: Option<PlacedLines>,
    /// The command that makes the server load the files.
    reload: Option<&'static str>,
    /// The options of `certctl install` that do the same at each renewal.
    install: Option<&'static str>,
}

/// Lines of a configuration, and the sentence above them.
struct PlacedLines {
    place: &'static str,
    lines: &'static [&'static str],
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

const COPY_PAIR: &[&str] = &[
    "sudo install -m 0644 {pem} /etc/ssl/{name}.fullchain.pem",
    "sudo install -m 0600 {key} /etc/ssl/private/{name}.key",
];

/// In the order of [`ExportTarget`].
const ROWS: [Row; 15] = [
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
        other_version: None,
        reload: Some("sudo nginx -t && sudo nginx -s reload"),
        install: None,
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
        other_version: None,
        reload: Some("sudo apachectl configtest && sudo apachectl graceful"),
        install: None,
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
        other_version: None,
        reload: Some(
            "sudo haproxy -c -f /etc/haproxy/haproxy.cfg && sudo systemctl reload haproxy",
        ),
        install: None,
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
        other_version: None,
        reload: Some("sudo postfix check && sudo postfix reload"),
        install: Some("--server none --reload 'postfix reload' --probe 127.0.0.1:25"),
    },
    // doc.dovecot.org/2.3/configuration_manual/dovecot_ssl_configuration/: `<` reads the file; 2.4
    // has other names.
    Row {
        target: ExportTarget::Dovecot,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: COPY_PAIR,
        place: "add these lines to /etc/dovecot/conf.d/10-ssl.conf if `dovecot --version` prints \
            2.3 or less",
        lines: &[
            "ssl_cert = </etc/ssl/{name}.fullchain.pem",
            "ssl_key = </etc/ssl/private/{name}.key",
        ],
        other_version: Some(PlacedLines {
            place: "add these lines instead if it prints 2.4 or more",
            lines: &[
                "ssl_server_cert_file = /etc/ssl/{name}.fullchain.pem",
                "ssl_server_key_file = /etc/ssl/private/{name}.key",
            ],
        }),
        reload: Some("sudo doveconf -n >/dev/null && sudo doveadm reload"),
        install: Some(
            "--server none --reload 'doveadm reload' --probe 127.0.0.1:993 --probe 127.0.0.1:143",
        ),
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
        other_version: None,
        reload: None,
        install: None,
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
        other_version: None,
        reload: None,
        install: None,
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
        other_version: None,
        reload: None,
        install: None,
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
        other_version: None,
        reload: None,
        install: None,
    },
    // caddyserver.com/docs/caddyfile/directives/tls; caddyserver.com/docs/command-line#caddy-reload:
    // `--force`, because the configuration is the same.
    Row {
        target: ExportTarget::Caddy,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: &[
            "sudo install -m 0644 {pem} /etc/ssl/{name}.fullchain.pem",
            "sudo install -o caddy -g caddy -m 0600 {key} /etc/ssl/{name}.caddy.key",
        ],
        place: "add this line to the site in /etc/caddy/Caddyfile",
        lines: &["tls /etc/ssl/{name}.fullchain.pem /etc/ssl/{name}.caddy.key"],
        other_version: None,
        reload: Some("sudo caddy reload --config /etc/caddy/Caddyfile --force"),
        install: Some(
            "--server none --key-path /etc/ssl/{name}.caddy.key --owner caddy:caddy --key-mode 0600 \
                --reload 'caddy reload --config /etc/caddy/Caddyfile --force' --probe 127.0.0.1:443",
        ),
    },
    // redmine.lighttpd.net/projects/lighttpd/wiki/Docs_SSL: keys are read before the user changes,
    // so a reload, which runs as that user, cannot read them.
    Row {
        target: ExportTarget::Lighttpd,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: COPY_PAIR,
        place: "add these lines to the socket with ssl.engine; they replace ssl.ca-file",
        lines: &[
            "ssl.pemfile = \"/etc/ssl/{name}.fullchain.pem\"",
            "ssl.privkey = \"/etc/ssl/private/{name}.key\"",
        ],
        other_version: None,
        reload: Some(
            "sudo lighttpd -tt -f /etc/lighttpd/lighttpd.conf && sudo systemctl restart lighttpd",
        ),
        install: Some("--server none --reload 'systemctl restart lighttpd' --probe 127.0.0.1:443"),
    },
    // mosquitto.org/man/mosquitto-conf-5.html: the user mosquitto reads the files, also at SIGHUP.
    Row {
        target: ExportTarget::Mosquitto,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: &[
            "sudo install -m 0644 {pem} /etc/ssl/{name}.fullchain.pem",
            "sudo install -o mosquitto -g mosquitto -m 0600 {key} /etc/ssl/{name}.mosquitto.key",
        ],
        place: "add these lines below the listener, which is usually `listener 8883`",
        lines: &[
            "certfile /etc/ssl/{name}.fullchain.pem",
            "keyfile /etc/ssl/{name}.mosquitto.key",
        ],
        other_version: None,
        reload: Some("sudo systemctl reload mosquitto"),
        install: Some(
            "--server none --key-path /etc/ssl/{name}.mosquitto.key --owner mosquitto:mosquitto \
                --key-mode 0600 --reload 'systemctl reload mosquitto' --probe 127.0.0.1:8883",
        ),
    },
    // postgresql.org/docs/15/ssl-tcp.html#SSL-SERVER-FILES: the key belongs to the user postgres with
    // mode 0600, or to root with 0640 or less; a reload is enough.
    Row {
        target: ExportTarget::Postgres,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: &[
            "sudo install -m 0644 {pem} /etc/ssl/{name}.fullchain.pem",
            "sudo install -o postgres -g postgres -m 0600 {key} /etc/ssl/{name}.postgres.key",
        ],
        place: "add these lines to postgresql.conf",
        lines: &[
            "ssl = on",
            "ssl_cert_file = '/etc/ssl/{name}.fullchain.pem'",
            "ssl_key_file = '/etc/ssl/{name}.postgres.key'",
        ],
        other_version: None,
        reload: Some("sudo systemctl reload postgresql"),
        install: Some(
            "--server none --key-path /etc/ssl/{name}.postgres.key --owner postgres:postgres \
                --key-mode 0600 --reload 'systemctl reload postgresql' --probe 127.0.0.1:5432",
        ),
    },
    // stunnel.org/static/stunnel.html: the certificate first, then the intermediates.
    Row {
        target: ExportTarget::Stunnel,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: COPY_PAIR,
        place: "add these lines to the service; with `setuid`, that user must be able to read the key",
        lines: &[
            "cert = /etc/ssl/{name}.fullchain.pem",
            "key = /etc/ssl/private/{name}.key",
        ],
        other_version: None,
        reload: Some("sudo systemctl reload stunnel4"),
        install: None,
    },
    // security.appspot.com/vsftpd/vsftpd_conf.html; the usual ssl_ciphers lacks suites for ECDSA.
    Row {
        target: ExportTarget::Vsftpd,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: COPY_PAIR,
        place: "add these lines to /etc/vsftpd.conf",
        lines: &[
            "ssl_enable=YES",
            "rsa_cert_file=/etc/ssl/{name}.fullchain.pem",
            "rsa_private_key_file=/etc/ssl/private/{name}.key",
            "ssl_ciphers=HIGH",
        ],
        other_version: None,
        reload: Some("sudo systemctl restart vsftpd"),
        install: Some("--server none --reload 'systemctl restart vsftpd' --probe 127.0.0.1:21"),
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
            Self::Caddy => "Caddy",
            Self::Lighttpd => "lighttpd",
            Self::Mosquitto => "mosquitto",
            Self::Postgres => "PostgreSQL",
            Self::Stunnel => "stunnel",
            Self::Vsftpd => "vsftpd",
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
        if let Some(options) = row.install {
            let line = format!("sudo certctl install {{pem}} --key {{key}} {options}");
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
