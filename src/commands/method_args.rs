//! The options about how control of the names is proven to a CA, which `order` and `import` share.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::advice::order::{self as advice, PossibleMethod};
use crate::configuration::ConfigurationFolders;
use crate::context::Context;
use crate::failure::Failure;
use crate::ordering::{ValidationSetup, Webroots};
use crate::pki::alt_name::{AltName, AltNames};
use crate::pki::name::DnsName;
use crate::providers::{HOOK_TIMEOUT, open_provider};
use crate::publishing::profiles::PROFILES;
use crate::publishing::provider::ProviderChoice;
use crate::system::fs::folders;
use crate::webserver::control::ports;

/// Folders that Debian's and Red Hat's web servers serve by default.
const USUAL_WEBROOTS: [&str; 2] = ["/var/www/html", "/usr/share/nginx/html"];

/// How control of the names is proven.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct MethodArgs {
    /// Folder from which the web server of the names serves files: validation files are written to
    /// its .well-known/acme-challenge (may be repeated, with NAME= for one of several names)
    #[arg(long, value_name = "[NAME=]DIR")]
    pub webroot: Vec<String>,
    /// Serve validation files with certctl's own server, at port 80 of all addresses or at ADDR
    #[arg(
        long,
        value_name = "ADDR[:PORT]",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        value_parser = parse_listener,
        conflicts_with_all = ["webroot", "dns"]
    )]
    pub standalone: Option<ListenerAddress>,
    /// DNS provider through which validation records are published instead of files: alidns,
    /// cloudflare, rfc2136, lexicon:NAME, exec:PROGRAM [default: `dns` in config.toml]
    #[arg(long, value_name = "PROVIDER", conflicts_with = "webroot")]
    pub dns: Option<ProviderChoice>,
}

/// The value of `--standalone`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListenerAddress(Option<SocketAddr>);

/// Reads an address with or without a port; without both, it is port 80 of all addresses.
fn parse_listener(text: &str) -> Result<ListenerAddress, &'static str> {
    if text.is_empty() {
        return Ok(ListenerAddress(None));
    }
    if let Ok(address) = text.parse() {
        return Ok(ListenerAddress(Some(address)));
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let Ok(ip) = bare.parse() else {
        return Err("an IP address of this machine, with or without a port");
    };
    let address = SocketAddr::new(ip, 80);
    Ok(ListenerAddress(Some(address)))
}

impl MethodArgs {
    /// Returns the method of the command line, if it has one.
    ///
    /// # Errors
    /// When a webroot does not exist.
    pub(super) fn given(&self) -> Result<Option<ValidationSetup>, Failure> {
        if let Some(choice) = &self.dns {
            return Ok(Some(ValidationSetup::Records(choice.clone())));
        }
        if let Some(ListenerAddress(address)) = self.standalone {
            return Ok(Some(ValidationSetup::Listener(address)));
        }
        if self.webroot.is_empty() {
            return Ok(None);
        }
        let webroots = Webroots::parse(&self.webroot)?;
        Ok(Some(ValidationSetup::Files(webroots)))
    }
}

/// The error without a method: one line for each method that is possible here. A file validates no
/// wildcard, and a DNS provider needs its credentials.
pub(super) fn choose_method(
    context: &Context,
    configuration: &ConfigurationFolders,
    names: &AltNames,
) -> Failure {
    let mut possible = Vec::new();
    for profile in PROFILES {
        let Ok(choice) = profile.name.parse() else {
            continue;
        };
        let opened = open_provider(&choice, configuration, HOOK_TIMEOUT, &context.interrupt);
        if opened.is_ok() {
            let name = profile.name.to_owned();
            possible.push(PossibleMethod::Provider(name));
        }
    }
    let is_wildcard = |name: &AltName| name.dns().is_some_and(DnsName::is_wildcard);
    if !names.iter().any(is_wildcard) {
        possible.extend(possible_files());
    }
    advice::choose_method(&possible)
}

/// The methods that serve a file, as far as this machine shows them.
fn possible_files() -> Vec<PossibleMethod> {
    let mut possible = Vec::new();
    for folder in USUAL_WEBROOTS {
        if folders::is_folder(Path::new(folder)) {
            let folder = folder.to_owned();
            possible.push(PossibleMethod::Webroot(folder));
        }
    }
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 80));
    let sockets = ports::current_sockets();
    if !sockets.iter().any(|socket| socket.covers(any)) {
        possible.push(PossibleMethod::Standalone);
    }
    possible
}
