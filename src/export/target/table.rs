//! The table of servers, with the source of every row.

use super::name::ExportTarget;
use crate::export::format::ExportFormat;
use crate::export::pkcs12::Pkcs12Strength;
use crate::export::service_profile::ServiceProfile;

/// One row of the table. In `copy` and `lines`, `{pem}`, `{cert}`, `{chain}`, `{haproxy}`,
/// `{pfx}` and `{key}` stand for the paths of files on this machine, and `{name}` for their name.
pub(super) struct Row {
    /// The page with the facts of this row, read in November 2026.
    pub source: &'static str,
    /// What that page says that explains the row.
    pub why: &'static str,
    pub target: ExportTarget,
    pub formats: &'static [ExportFormat],
    pub strength: Pkcs12Strength,
    /// Commands that copy the files to their destination.
    pub copy: &'static [&'static str],
    /// The sentence above the lines: where they belong.
    pub place: &'static str,
    pub lines: &'static [&'static str],
    /// The same for another version of the server.
    pub other_version: Option<PlacedLines>,
    /// The command that makes the server load the files.
    pub reload: Option<&'static str>,
    /// What `certctl install --server NAME` does at each renewal.
    pub install: Option<ServiceProfile>,
}

/// Lines of a configuration, and the sentence above them.
pub(super) struct PlacedLines {
    pub place: &'static str,
    pub lines: &'static [&'static str],
}

const COPY_PAIR: &[&str] = &[
    "sudo install -m 0644 {pem} /etc/ssl/{name}.fullchain.pem",
    "sudo install -m 0600 {key} /etc/ssl/private/{name}.key",
];

/// In the order of [`ExportTarget`].
pub(super) static ROWS: [Row; 19] = [
    Row {
        source: "nginx.org/en/docs/http/configuring_https_servers.html#chains",
        why: "The certificate first, then the intermediates.",
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
    Row {
        source: "httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslcertificatefile",
        why: "Intermediates in the same file since 2.4.8.",
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
    Row {
        source: "docs.haproxy.org/2.6/configuration.html#5.1-crt",
        why: "Certificate, intermediates and key in one file.",
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
    Row {
        source: "postfix.org/postconf.5.html#smtpd_tls_chain_files",
        why: "Each key before its certificates; since 3.4.",
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
        install: Some(ServiceProfile {
            key_suffix: None,
            owner: None,
            test: Some("postfix check"),
            reload: "postfix reload",
            probes: &["127.0.0.1:25"],
        }),
    },
    Row {
        source: "doc.dovecot.org/2.3/configuration_manual/dovecot_ssl_configuration/",
        why: "`<` reads the file; 2.4 has other names.",
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
        install: Some(ServiceProfile {
            key_suffix: None,
            owner: None,
            test: Some("doveconf -n"),
            reload: "doveadm reload",
            probes: &["127.0.0.1:993", "127.0.0.1:143"],
        }),
    },
    Row {
        source: "tomcat.apache.org/tomcat-9.0-doc/config/http.html#SSL_Support_-_Certificate",
        why: "PKCS12 keystores.",
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
    Row {
        source: "learn.microsoft.com/powershell/module/pki/import-pfxcertificate",
        why: "AES-256 since Windows Server 2019.",
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
    Row {
        source: "learn.microsoft.com/powershell/module/pki/import-pfxcertificate",
        why: "Windows Server 2016 rejects AES-256 with \"The password you entered is incorrect\".",
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
    Row {
        source: "docs.aws.amazon.com/acm/latest/userguide/import-certificate-api-cli.html",
        why: "Body, chain and key in separate files.",
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
    Row {
        source: "caddyserver.com/docs/command-line#caddy-reload",
        why: "`--force`, because the configuration is the same.",
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
        install: Some(ServiceProfile {
            key_suffix: Some(".caddy.key"),
            owner: Some("caddy:caddy"),
            test: None,
            reload: "caddy reload --config /etc/caddy/Caddyfile --force",
            probes: &["127.0.0.1:443"],
        }),
    },
    Row {
        source: "redmine.lighttpd.net/projects/lighttpd/wiki/Docs_SSL",
        why: "Keys are read before the user changes, so a reload, which runs as that user, cannot \
            read them.",
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
        install: Some(ServiceProfile {
            key_suffix: None,
            owner: None,
            test: Some("lighttpd -tt -f /etc/lighttpd/lighttpd.conf"),
            reload: "systemctl restart lighttpd",
            probes: &["127.0.0.1:443"],
        }),
    },
    Row {
        source: "mosquitto.org/man/mosquitto-conf-5.html",
        why: "The user mosquitto reads the files, also at SIGHUP.",
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
        install: Some(ServiceProfile {
            key_suffix: Some(".mosquitto.key"),
            owner: Some("mosquitto:mosquitto"),
            test: None,
            reload: "systemctl reload mosquitto",
            probes: &["127.0.0.1:8883"],
        }),
    },
    Row {
        source: "postgresql.org/docs/15/ssl-tcp.html#SSL-SERVER-FILES",
        why: "The key belongs to the user postgres with mode 0600, or to root with 0640 or less; a \
            reload is enough.",
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
        install: Some(ServiceProfile {
            key_suffix: Some(".postgres.key"),
            owner: Some("postgres:postgres"),
            test: None,
            reload: "systemctl reload postgresql",
            probes: &["127.0.0.1:5432"],
        }),
    },
    Row {
        source: "stunnel.org/static/stunnel.html",
        why: "The certificate first, then the intermediates. A reload reads the key as the user of \
            `setuid`: then pass `--owner`. The port is the service's: pass `--probe`.",
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
        install: Some(ServiceProfile {
            key_suffix: None,
            owner: None,
            test: None,
            reload: "systemctl reload stunnel4",
            probes: &[],
        }),
    },
    Row {
        source: "security.appspot.com/vsftpd/vsftpd_conf.html",
        why: "The usual ssl_ciphers lacks suites for ECDSA.",
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
        install: Some(ServiceProfile {
            key_suffix: None,
            owner: None,
            test: None,
            reload: "systemctl restart vsftpd",
            probes: &["127.0.0.1:21"],
        }),
    },
    Row {
        source: "mariadb.com/docs/server/reference/sql-statements/administrative-sql-statements/\
            flush-commands/flush",
        why: "The user mysql reads the files; FLUSH SSL loads them again (10.4), and root may run it \
            through the socket.",
        target: ExportTarget::Mariadb,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: &[
            "sudo install -m 0644 {pem} /etc/ssl/{name}.fullchain.pem",
            "sudo install -o mysql -g mysql -m 0600 {key} /etc/ssl/{name}.mariadb.key",
        ],
        place: "add these lines below [mysqld]",
        lines: &[
            "ssl_cert = /etc/ssl/{name}.fullchain.pem",
            "ssl_key = /etc/ssl/{name}.mariadb.key",
        ],
        other_version: None,
        reload: Some("sudo mariadb-admin flush-ssl"),
        install: Some(ServiceProfile {
            key_suffix: Some(".mariadb.key"),
            owner: Some("mysql:mysql"),
            test: None,
            reload: "mariadb-admin flush-ssl",
            probes: &["127.0.0.1:3306"],
        }),
    },
    Row {
        source: "www.squid-cache.org/Doc/config/https_port/",
        why: "Root reads the key, also when the configuration is loaded again. The port is free: pass \
            `--probe`.",
        target: ExportTarget::Squid,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: COPY_PAIR,
        place: "add this line to /etc/squid/squid.conf; squid has to be built with OpenSSL \
            (squid-openssl in Debian)",
        lines: &["https_port 3129 tls-cert=/etc/ssl/{name}.fullchain.pem \
                tls-key=/etc/ssl/private/{name}.key"],
        other_version: None,
        reload: Some("sudo squid -k parse && sudo squid -k reconfigure"),
        install: Some(ServiceProfile {
            key_suffix: None,
            owner: None,
            test: Some("squid -k parse"),
            reload: "squid -k reconfigure",
            probes: &[],
        }),
    },
    Row {
        source: "openldap.org/doc/admin26/tls.html",
        why: "The user openldap reads the files, once: slapd has no reload, and SIGHUP ends it.",
        target: ExportTarget::Openldap,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: &[
            "sudo install -m 0644 {pem} /etc/ssl/{name}.fullchain.pem",
            "sudo install -o openldap -g openldap -m 0600 {key} /etc/ssl/{name}.openldap.key",
        ],
        place: "add these lines to slapd.conf, or their olcTLS... attributes to cn=config; \
            `ldaps:///` belongs into SLAPD_SERVICES",
        lines: &[
            "TLSCertificateFile /etc/ssl/{name}.fullchain.pem",
            "TLSCertificateKeyFile /etc/ssl/{name}.openldap.key",
        ],
        other_version: None,
        reload: Some("sudo systemctl restart slapd"),
        install: Some(ServiceProfile {
            key_suffix: Some(".openldap.key"),
            owner: Some("openldap:openldap"),
            test: None,
            reload: "systemctl restart slapd",
            probes: &["127.0.0.1:636"],
        }),
    },
    Row {
        source: "exim.org/exim-html-current/doc/html/spec_html/\
            ch-encrypted_smtp_connections_using_tlsssl.html",
        why: "The user Debian-exim reads the files; since 4.95 the daemon keeps them until SIGHUP.",
        target: ExportTarget::Exim,
        formats: &[ExportFormat::Pem],
        strength: Pkcs12Strength::Modern,
        copy: &[
            "sudo install -m 0644 {pem} /etc/ssl/{name}.fullchain.pem",
            "sudo install -o Debian-exim -g Debian-exim -m 0600 {key} /etc/ssl/{name}.exim.key",
        ],
        place: "add these lines to the main section of the configuration, in Debian to \
            /etc/exim4/exim4.conf.localmacros with MAIN_TLS_CERTIFICATE and MAIN_TLS_PRIVATEKEY",
        lines: &[
            "tls_advertise_hosts = *",
            "tls_certificate = /etc/ssl/{name}.fullchain.pem",
            "tls_privatekey = /etc/ssl/{name}.exim.key",
        ],
        other_version: None,
        reload: Some("sudo exim4 -bV && sudo systemctl reload exim4"),
        install: Some(ServiceProfile {
            key_suffix: Some(".exim.key"),
            owner: Some("Debian-exim:Debian-exim"),
            test: Some("exim4 -bV"),
            reload: "systemctl reload exim4",
            probes: &["127.0.0.1:25"],
        }),
    },
];

const IMPORT: &[&str] = &[
    "Import-PfxCertificate -FilePath .\\{name}.pfx -CertStoreLocation Cert:\\LocalMachine\\My \
        -Password (Read-Host -AsSecureString)",
];
