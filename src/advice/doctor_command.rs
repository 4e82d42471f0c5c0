//! Advice of `doctor`: each cause with the one step that removes it.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::{doctor_pages, site_command};
use crate::diagnosis::{AvailableCertificate, SiteCause};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::pki::name::DnsName;
use crate::pki::verify::ChainProblem;
use crate::site::application::ServiceManager;
use crate::webserver::model::ServerSoftware;
use crate::wording::day;

/// No name was given, and no server of this machine has one.
#[must_use]
pub(crate) fn report_no_name() -> Failure {
    let message = "no server of this machine has a site with a host name";
    Failure::new(FailureKind::NotFound, message).with_step(NextStep::run_certctl(
        "Name the site, for example",
        &["doctor", "example.com"],
    ))
}

/// Other sites than the first ones were not checked.
#[must_use]
pub(crate) fn report_more_sites(limit: usize, next: &DnsName) -> Finding {
    let message = format!("only the first {limit} sites were checked");
    Finding::note("more-findings", message).with_step(NextStep::run_certctl(
        "Name another one to check it",
        &["doctor", next.as_str()],
    ))
}

/// The command to check again.
fn check_again(repair: &str, name: &DnsName) -> NextStep {
    NextStep::run_certctl(
        format!("{repair}, then check again"),
        &["doctor", name.as_str()],
    )
    .later()
}

/// Reports a cause for the site `name`.
#[must_use]
pub(crate) fn report_cause(cause: &SiteCause, name: &DnsName) -> Finding {
    match cause {
        SiteCause::NoAddress => report_no_address(name),
        SiteCause::AddressElsewhere { addresses } => report_elsewhere(addresses, name),
        SiteCause::FirewallDrops { rule } => report_firewall(rule),
        SiteCause::Certificate { .. } => report_certificate(cause, name),
        SiteCause::OtherCertificateValid { problem, available } => {
            report_unused(problem, available, name)
        }
        SiteCause::ConfigBroken { .. }
        | SiteCause::PortTaken { .. }
        | SiteCause::ServerStopped { .. }
        | SiteCause::ConfigNotLoaded { .. }
        | SiteCause::CertificateNotLoaded { .. } => report_server(cause, name),
        SiteCause::NoTlsBlock { .. }
        | SiteCause::PlainTextAtTls { .. }
        | SiteCause::WrongBlock { .. } => report_block(cause, name),
        SiteCause::AddressNotServed { .. }
        | SiteCause::PortClosed { .. }
        | SiteCause::PortSilent { .. }
        | SiteCause::HandshakeFails { .. } => report_port(cause, name),
        SiteCause::HttpClosed { .. }
        | SiteCause::NoRedirect { .. }
        | SiteCause::WellKnownSwallowed { .. } => report_plain(cause, name),
        SiteCause::UpstreamClosed { .. }
        | SiteCause::SocketMissing { .. }
        | SiteCause::SocketDead { .. }
        | SiteCause::RedirectLoop
        | SiteCause::PageFails { .. } => doctor_pages::report_page(cause, name),
        SiteCause::SocketDenied { .. }
        | SiteCause::FilesDenied { .. }
        | SiteCause::FolderMissing { .. }
        | SiteCause::IndexMissing { .. } => doctor_pages::report_files(cause),
    }
}

/// Reports a valid certificate on this machine that only has to be installed.
fn report_unused(
    problem: &ChainProblem,
    available: &AvailableCertificate,
    name: &DnsName,
) -> Finding {
    let chain = available.chain_path.display().to_string();
    let key = available.key_path.display().to_string();
    let message = format!(
        "{problem}; {chain} has a valid certificate for {name} that expires {}",
        day(available.not_after)
    );
    let mut words = vec!["install".to_owned(), chain, "--key".to_owned(), key];
    words.extend(available.trust_flags.iter().cloned());
    Finding::error("valid-certificate-unused", message)
        .with_step(NextStep::run_certctl("Install it", &words).with_sudo())
}

fn report_no_address(name: &DnsName) -> Finding {
    let message = format!("DNS has no address (A, AAAA) for {name}, so visitors cannot open it");
    let repair = format!("Add an A record for {name} at the DNS provider");
    Finding::error("site-without-address", message).with_step(check_again(&repair, name))
}

fn report_firewall(rule: &str) -> Finding {
    let message = format!("the packet filter of this machine drops connections: {rule}");
    Finding::error("firewall-drops", message).with_step(NextStep::run_shell(
        "List the rules with their numbers, and remove that one if it is not needed",
        "sudo nft -a list ruleset",
    ))
}

fn report_elsewhere(addresses: &[(IpAddr, String)], name: &DnsName) -> Finding {
    let mut parts = Vec::new();
    for (address, seen) in addresses {
        parts.push(format!("{address} ({seen})"));
    }
    let message = format!(
        "DNS sends visitors of {name} to another machine: {}",
        parts.join(", ")
    );
    let repair = format!(
        "Change the A and AAAA records of {name} to the address of this machine, or run this on the \
         machine with that address"
    );
    Finding::error("site-elsewhere", message).with_step(check_again(&repair, name))
}

/// The folder in which certbot keeps the current certificates.
pub(crate) const CERTBOT_LIVE: &str = "/etc/letsencrypt/live";

/// How to get another certificate: from the program that manages it, else by a new request.
fn order_again(name: &DnsName, file: Option<&Path>, managed: Option<&str>) -> NextStep {
    if let Some(stem) = managed {
        let words = ["renew", stem];
        return NextStep::run_certctl("Renew the certificate", &words).with_sudo();
    }
    let below = file.and_then(|file| file.strip_prefix(CERTBOT_LIVE).ok());
    let lineage = below.and_then(|path| path.iter().next());
    if let Some(lineage) = lineage {
        let lineage = shell_word(&lineage.to_string_lossy());
        return NextStep::run_shell(
            "Let certbot, which manages it, renew it",
            format!("sudo certbot renew --cert-name {lineage}"),
        );
    }
    NextStep::run_certctl(
        "Make a key and a request for a new certificate",
        &["csr", name.file_stem().as_str()],
    )
}

/// Reports a certificate that clients refuse, where this machine has no better one.
fn report_certificate(cause: &SiteCause, name: &DnsName) -> Finding {
    let SiteCause::Certificate {
        problem,
        file,
        managed,
    } = cause
    else {
        return Finding::error("site-failed", "the site does not answer as it should");
    };
    let file = file.as_deref();
    let finding = Finding::error(problem.code(), problem.to_string());
    match problem {
        ChainProblem::MissingIntermediate { .. } | ChainProblem::UnknownIssuer { .. } => {
            let Some(file) = file else {
                return finding.with_step(NextStep::say(
                    "Install the certificate again with the CA's intermediate certificates",
                ));
            };
            let file = file.display().to_string();
            finding.with_step(NextStep::run_certctl(
                "Download the missing certificate, and write a complete chain file",
                &["bundle", &file, "--aia", "--out", "fullchain.pem"],
            ))
        }
        ChainProblem::NotYetValid { .. } => finding.with_step(NextStep::run_shell(
            "Check the clock of this machine",
            "date -u",
        )),
        _ => finding.with_step(order_again(name, file, managed.as_deref())),
    }
}

fn report_server(cause: &SiteCause, name: &DnsName) -> Finding {
    match cause {
        SiteCause::ConfigBroken {
            software,
            lines,
            command,
        } => Finding::error(
            "server-config-broken",
            format!(
                "the configuration of {} is broken: its own test fails, so it can neither start nor \
                 reload",
                software.title()
            ),
        )
        .with_quote(lines.iter().cloned())
        .with_step(
            NextStep::run_shell("Correct the line that the test names, then test again", command)
                .later(),
        ),
        SiteCause::PortTaken { owner } => {
            Finding::error("port-taken", format!("another program answers: {owner}")).with_step(
                NextStep::run_shell(
                    "Find out which service that is, and stop it or give it another port",
                    "sudo ss -ltnp",
                ),
            )
        }
        SiteCause::ServerStopped {
            software,
            start_command,
        } => Finding::error(
            "server-not-running",
            format!("{} is not running", software.title()),
        )
        .with_step(NextStep::run_shell("Start it", start_command)),
        SiteCause::ConfigNotLoaded {
            software,
            address,
            reload_command,
        } => Finding::error(
            "site-not-loaded",
            format!(
                "the configuration of {} on disk serves {name} at {address}, but the running server \
                 has not loaded it",
                software.title()
            ),
        )
        .with_step(NextStep::run_shell("Reload it", reload_command)),
        SiteCause::CertificateNotLoaded {
            address,
            file,
            not_after,
            reload_command,
        } => Finding::error(
            "certificate-not-loaded",
            format!(
                "{} has a valid certificate that expires {}, but the server at {address} still \
                 serves an older one",
                file.display(),
                day(*not_after)
            ),
        )
        .with_step(NextStep::run_shell("Reload the server", reload_command)),
        _ => Finding::error("site-failed", "the site does not answer as it should"),
    }
}

/// The steps for a name that no block serves over TLS.
fn serve_over_tls(finding: Finding, plain_block: Option<&str>, name: &DnsName) -> Finding {
    match plain_block {
        Some(_) => finding.with_step(site_command::adopt_plain_block(name)),
        None => site_command::choose_content(name)
            .into_iter()
            .fold(finding, Finding::with_step),
    }
}

fn report_block(cause: &SiteCause, name: &DnsName) -> Finding {
    match cause {
        SiteCause::NoTlsBlock { plain_block } => {
            let message = match plain_block {
                Some(place) => {
                    format!("{place} serves {name} in plain text only: port 443 is closed")
                }
                None => format!(
                    "no block of the web server has the name {name}, and port 443 is closed"
                ),
            };
            let finding = Finding::error("site-without-tls", message);
            serve_over_tls(finding, plain_block.as_deref(), name)
        }
        SiteCause::WrongBlock {
            address,
            place,
            plain_block,
        } => {
            let message = format!(
                "no block with TLS has the name {name}, so {place} answers at {address} with the \
                 certificate of another site"
            );
            let finding = Finding::error("wrong-block-answers", message);
            serve_over_tls(finding, plain_block.as_deref(), name)
        }
        SiteCause::PlainTextAtTls { address, block } => {
            let place = block.as_deref().unwrap_or("its block");
            let message = format!("{address} speaks plain HTTP instead of TLS");
            let repair = format!("Add `ssl` to the `listen` line of {place}, and the certificate");
            Finding::error("plain-text-at-443", message).with_step(check_again(&repair, name))
        }
        _ => Finding::error("site-failed", "the site does not answer as it should"),
    }
}

/// Reports an address of the name at which nothing answers, although others do: often an AAAA
/// record, and a block without `listen [::]`.
fn report_unserved_address(address: SocketAddr, name: &DnsName) -> Finding {
    let message = format!(
        "DNS sends some visitors of {name} to {address}, where nothing listens; other addresses of \
         the site answer"
    );
    let port = address.port();
    let any = if address.is_ipv6() { "[::]:" } else { "" };
    let tls = if port == 443 { " ssl" } else { "" };
    let line = format!("listen {any}{port}{tls};");
    let sentence = format!(
        "Remove that address of {name} from DNS, or, for nginx, add this line to the block of the \
         site and reload it"
    );
    Finding::error("address-not-served", message)
        .with_step(NextStep::say(sentence).with_lines([line]))
}

fn report_port(cause: &SiteCause, name: &DnsName) -> Finding {
    match cause {
        SiteCause::HandshakeFails { address, reason } => Finding::error(
            "handshakes-fail",
            format!("the TLS handshake with {address} fails: {reason}"),
        )
        .with_step(NextStep::run_shell(
            "See what OpenSSL says about it",
            format!("openssl s_client -connect {address} -servername {name} </dev/null"),
        )),
        SiteCause::AddressNotServed { address } => report_unserved_address(*address, name),
        SiteCause::PortClosed { address } => Finding::error(
            "port-closed",
            format!("{address} is closed: nothing listens there"),
        )
        .with_step(NextStep::run_shell(
            "On the machine with that address, list what listens",
            "sudo ss -ltnp",
        )),
        SiteCause::PortSilent { address, reason } => Finding::error(
            "port-silent",
            format!("{address} does not answer ({reason}): a packet filter drops connections, or the server hangs"),
        )
        .with_step(NextStep::run_shell(
            "On the machine with that address, list the rules of the packet filter",
            "sudo nft list ruleset",
        )),
        _ => Finding::error("site-failed", "the site does not answer as it should"),
    }
}

fn report_plain(cause: &SiteCause, name: &DnsName) -> Finding {
    match cause {
        SiteCause::HttpClosed { address } => Finding::warning(
            "http-closed",
            format!(
                "{address} is closed: a visitor who types {name} without https:// gets an error, and CAs \
                 cannot read validation files"
            ),
        )
        .with_step(add_redirect(name)),
        SiteCause::NoRedirect {
            software,
            block,
            answer,
        } => {
            let place = block.as_deref().unwrap_or("the server");
            let message = format!(
                "http://{} {answer} instead of redirecting to https ({place})",
                name.as_str()
            );
            let step = match (software, block) {
                (Some(software), Some(block)) => redirect_block(*software, block, name),
                _ => add_redirect(name),
            };
            Finding::warning("no-redirect", message).with_step(step)
        }
        SiteCause::WellKnownSwallowed { answer, block } => {
            let place = block.as_deref().unwrap_or("the server");
            let message = format!(
                "{place} passes /.well-known/ on: a file that does not exist there {answer} instead \
                 of 404, so a CA would not see validation files"
            );
            let step = NextStep::say(format!("Add these lines to the block for port 80, {place}"))
                .with_lines(well_known_lines());
            Finding::warning("well-known-swallowed", message).with_step(step)
        }
        _ => Finding::error("site-failed", "the site does not answer as it should"),
    }
}

/// Serves validation files from the folder that certctl's own blocks use.
fn well_known_lines() -> [String; 1] {
    ["location ^~ /.well-known/ { root /var/www/html; }".to_owned()]
}

/// A block that redirects plain HTTP to https.
fn add_redirect(name: &DnsName) -> NextStep {
    NextStep::say("Serve port 80 with these lines, if the server is nginx")
        .with_lines(nginx_redirect(name))
}

fn nginx_redirect(name: &DnsName) -> Vec<String> {
    vec![
        "server {".to_owned(),
        "    listen 80;".to_owned(),
        "    listen [::]:80; # only where this machine has IPv6".to_owned(),
        format!("    server_name {};", name.as_str()),
        "    location ^~ /.well-known/ { root /var/www/html; }".to_owned(),
        "    location / { return 301 https://$host$request_uri; }".to_owned(),
        "}".to_owned(),
    ]
}

/// Makes the block at `block`, which answers plain HTTP, redirect to https.
fn redirect_block(software: ServerSoftware, block: &str, name: &DnsName) -> NextStep {
    match software {
        ServerSoftware::Nginx => NextStep::say(format!(
            "Remove {name} or the `listen` lines of port 80 from the block at {block}, and add this \
             block"
        ))
        .with_lines(nginx_redirect(name)),
        ServerSoftware::Apache => NextStep::say(format!("Add these lines to the block at {block}"))
            .with_lines([
                "RewriteEngine on".to_owned(),
                "RewriteCond %{REQUEST_URI} !^/\\.well-known/".to_owned(),
                "RewriteRule ^ https://%{SERVER_NAME}%{REQUEST_URI} [R=301,L]".to_owned(),
            ]),
        ServerSoftware::Haproxy => {
            NextStep::say(format!("Add this line to the section at {block}")).with_lines([
                "http-request redirect scheme https code 301 unless { ssl_fc } || { path_beg /.well-known/ }"
                    .to_owned(),
            ])
        }
    }
}

/// The log of a server's errors, where Debian's package writes it.
#[must_use]
pub(crate) fn error_log(software: ServerSoftware) -> &'static str {
    match software {
        ServerSoftware::Apache => "/var/log/apache2/error.log",
        ServerSoftware::Haproxy => "/var/log/haproxy.log",
        ServerSoftware::Nginx => "/var/log/nginx/error.log",
    }
}

/// Where the process of an application is controlled.
#[must_use]
pub(crate) fn start_service(manager: ServiceManager, name: &str) -> String {
    let name = shell_word(name);
    match manager {
        ServiceManager::Systemd => format!("sudo systemctl restart {name}"),
        ServiceManager::Supervisor => format!("sudo supervisorctl restart {name}"),
    }
}

/// Says which parts of a site cannot be checked from this machine.
#[must_use]
pub(crate) fn unchecked_outside() -> &'static str {
    "not checked from here: whether other networks reach this machine (a provider's firewall, a \
     router)"
}
