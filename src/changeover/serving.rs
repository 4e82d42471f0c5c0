//! Which server reads the pair, at which paths, in what state it is, and whom to ask for the proof.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::tree::{below, real};
use crate::context::Context;
use crate::directory;
use crate::failure::{Failure, Kind};
use crate::finding::{Finding, Next};
use crate::install::apply::Probe;
use crate::install::layout::{Layout, Link};
use crate::install::observe;
use crate::install::plan::{Asks, Reach, Served, ServerState};
use crate::install::server::{Program, Server, ServerError, Standing};
use crate::install::settings::Settings;
use crate::install::site::name::concrete;
use crate::install::site::{Blame, Software, Targets, Wanted, chain_and_key};
use crate::live::ProbeTarget;
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::system::process::{self, Finished};
use crate::system::tls;

pub mod adopt;
mod reach;

use adopt::Adoption;

/// A host name that is asked for may take that long to look up.
const RESOLVE: Duration = Duration::from_secs(10);

/// The server as it was found.
#[derive(Debug)]
pub struct Serving {
    /// It.
    pub server: Server,
    /// What decides the plan.
    pub state: ServerState,
    /// Whom to ask for which name.
    pub targets: Vec<ProbeTarget>,
    /// What was answered before anything was touched.
    pub probes: Vec<Probe>,
    /// What is worth telling.
    pub findings: Vec<Finding>,
    /// Why nothing may be touched.
    pub refusal: Option<Finding>,
    /// Its configuration, where it has a profile.
    pub standing: Option<Standing>,
    /// The paths of chain and key as its configuration spells them.
    pub named: (PathBuf, PathBuf),
    /// Blocks that serve these names with other files, which certctl leaves alone: `FILE:LINE`.
    pub elsewhere: Vec<String>,
    /// Whether its configuration sends all names to the pair.
    pub reach: Reach,
    /// Names that blocks serve with the present certificate and that the new one is not for.
    pub lost: Vec<Finding>,
}

/// A server and, where it has a profile, its configuration.
#[derive(Debug)]
pub struct Found {
    server: Server,
    standing: Option<Result<Standing, ServerError>>,
}

/// The server that was named, else the one that is remembered, else nginx where it is installed; none under `--root`.
///
/// # Errors
/// A command line that cannot be run; a server that is named and not installed.
pub fn find(context: &Context, settings: &Settings) -> Result<Found, Failure> {
    let command = |text: &Option<String>| text.as_deref().map(command).transpose();
    let (test, reload) = (command(&settings.test)?, command(&settings.reload)?);
    let config = settings.server_config.as_deref();
    let program = match settings.server.as_deref() {
        Some("none") => None,
        Some(name) => {
            let software = Software::named(name).ok_or_else(|| unknown(name))?;
            Some(Program::find(software, config)?.ok_or_else(|| absent(software))?)
        }
        None if context.root.is_some() && config.is_none() => None,
        None => Program::find(Software::Nginx, config)?,
    };
    let found = match program {
        Some(program) => {
            let standing = program.observe();
            Found { server: Server::Known { program, test, reload }, standing: Some(standing) }
        }
        None if test.is_some() || reload.is_some() => {
            Found { server: Server::Command { test, reload }, standing: None }
        }
        None => Found { server: Server::None, standing: None },
    };
    Ok(found)
}

/// A command in words, whose program is there: that is known before anything is touched.
fn command(text: &str) -> Result<Vec<String>, Failure> {
    let words = process::words(text)?;
    match words.first() {
        Some(program) if process::which(program).is_none() => {
            Err(process::ProcessError::NotFound { program: program.clone() }.into())
        }
        _ => Ok(words),
    }
}

fn unknown(name: &str) -> Failure {
    Failure::new(Kind::Usage, format!("certctl does not know the server {name}"))
}

fn absent(software: Software) -> Failure {
    Failure::new(Kind::NotFound, format!("{} is not installed here", software.title()))
        .with(Next::say(format!("sudo apt-get install {}", software.package())))
        .with(Next::say("or put the files into place alone:  --server none"))
}

/// The paths of the pair and the server's state.
///
/// # Errors
/// Paths that lead out of the tree, commands that cannot be run, addresses that cannot be resolved.
pub fn place(
    root: &Path,
    usual: &Layout,
    (flags, settings): (&Settings, &Settings),
    certificates: &[Certificate],
    found: Found,
) -> Result<(Layout, Serving), Failure> {
    let Found { server, standing } = found;
    let mut serving = Serving {
        server,
        state: ServerState::Nothing,
        targets: Vec::new(),
        probes: Vec::new(),
        findings: Vec::new(),
        refusal: None,
        standing: None,
        named: (PathBuf::new(), PathBuf::new()),
        elsewhere: Vec::new(),
        reach: Reach::All,
        lost: Vec::new(),
    };
    match standing {
        Some(Ok(standing)) => serving.standing = Some(standing),
        Some(Err(error)) => serving.refusal = Some(Finding::from(&error)),
        None => {}
    }
    let names = names(certificates);
    serving.named = serving.paths(root, usual, (flags, settings), &names)?;
    let (chain, key) = &serving.named;
    let further = settings.links.iter().map(|link| Ok(Link::new(real(root, &link.path)?, link.piece)));
    let layout = usual.at(real(root, chain)?, real(root, key)?).with(further.collect::<Result<Vec<_>, Failure>>()?);
    if layout.chain_path() == layout.key_path() || layout.links().iter().any(|link| layout.is_own(&link.path)) {
        let message = format!("{} and {} cannot be the paths of chain and key", chain.display(), key.display());
        return Err(Failure::new(Kind::Usage, message)
            .because(format!("they must be two, and outside of {}", layout.base().display()))
            .with(Next::say("choose two paths:  --chain-path PATH --key-path PATH")));
    }
    if serving.refusal.is_none() {
        serving.observe(&layout, settings, certificates, &names)?;
    }
    Ok((layout, serving))
}

/// The DNS names of the leaf.
#[must_use]
pub fn names(certificates: &[Certificate]) -> Vec<DnsName> {
    certificates.first().map(names_of).unwrap_or_default()
}

fn names_of(leaf: &Certificate) -> Vec<DnsName> {
    leaf.dns_names.iter().filter_map(|name| DnsName::presented(name)).collect()
}

impl Serving {
    /// What the command line says; what is remembered or usual, if the configuration names it; what it names instead and
    /// may be adopted; else again what is remembered or usual.
    fn paths(
        &mut self,
        root: &Path,
        usual: &Layout,
        (flags, settings): (&Settings, &Settings),
        names: &[DnsName],
    ) -> Result<(PathBuf, PathBuf), Failure> {
        let given = |path: &Option<PathBuf>, usual: &Path| {
            path.as_ref().map_or_else(|| usual.to_owned(), |path| below(root, path))
        };
        let (chain, key) =
            (given(&settings.chain_path, usual.chain_path()), given(&settings.key_path, usual.key_path()));
        let Some(standing) = &self.standing else { return Ok((chain, key)) };
        let config = &standing.config;
        let told = flags.chain_path.is_some() || flags.key_path.is_some();
        if told || config.naming(&chain_and_key(&chain, &key)).next().is_some() {
            return Ok((chain, key));
        }
        match adopt::adopt(config, names, root, usual)? {
            Adoption::Adopted(chain, key, findings) => {
                self.findings.extend(findings);
                Ok((chain, key))
            }
            Adoption::Refused(refusals) => {
                self.elsewhere = refusals.iter().map(|refusal| refusal.block.clone()).collect();
                self.findings.extend(refusals.iter().map(|refusal| refusal.finding(&chain, &key)));
                Ok((chain, key))
            }
            Adoption::Nothing => Ok((chain, key)),
        }
    }

    fn observe(
        &mut self,
        layout: &Layout,
        settings: &Settings,
        certificates: &[Certificate],
        names: &[DnsName],
    ) -> Result<(), Failure> {
        let named = self.ask_at(layout, settings, certificates, names)?;
        let asks = Asks {
            test: self.server.test_command().map(|words| words.join(" ")),
            reload: self.server.reload_command().map(|words| words.join(" ")),
            probe: self.addresses(),
            reach: self.reach,
        };
        if asks == (Asks { reach: self.reach, ..Asks::default() }) {
            return Ok(());
        }
        let sound = match self.server.test()? {
            Some(finished) if !finished.succeeded() => {
                if !self.mends(layout, &finished)? {
                    self.refusal = Some(self.broken(&finished));
                    return Ok(());
                }
                false
            }
            _ => true,
        };
        let runs = self.standing.as_ref().is_none_or(|standing| standing.running.is_some());
        self.state = match (named, runs, sound) {
            (false, ..) => ServerState::NotNamed,
            (true, false, _) => ServerState::Stopped(asks),
            (true, true, true) => ServerState::Serves(asks, Served::Otherwise),
            (true, true, false) => ServerState::Mends(asks),
        };
        Ok(())
    }

    /// Finds whom to ask; says whether the server's configuration names the pair (one that cannot be read does).
    fn ask_at(
        &mut self,
        layout: &Layout,
        settings: &Settings,
        certificates: &[Certificate],
        names: &[DnsName],
    ) -> Result<bool, Failure> {
        let silent = settings.probe.iter().any(|probe| probe == "none");
        let mut named = true;
        if let (Some(standing), Some(leaf)) = (&self.standing, certificates.first()) {
            let links = self.links();
            named = standing.config.naming(&links).next().is_some();
            let wanted = Wanted { links: &links, names, algorithm: leaf.algorithm };
            let targets = Targets::of(&standing.config, &wanted);
            let present = directory::read_file(layout.chain_path()).ok();
            let present = present.and_then(|file| file.bag().first().map(names_of));
            if named {
                let (reach, findings) = reach::judge(&standing.config, &wanted, &targets, &settings.probe);
                self.reach = reach;
                self.findings.extend(findings);
            }
            let (lacked, lost) = reach::uncovered(&standing.config, &wanted, present.as_deref());
            self.findings.extend(lacked);
            self.lost = lost;
            self.targets = targets.ask;
        }
        if silent {
            self.targets.clear();
        } else {
            self.targets.extend(extra_targets(&settings.probe, names)?);
        }
        Ok(named)
    }

    /// The pair as the configuration names it.
    #[must_use]
    pub fn links(&self) -> [Link; 2] {
        chain_and_key(&self.named.0, &self.named.1)
    }

    fn addresses(&self) -> Vec<String> {
        let mut addresses: Vec<String> = self.targets.iter().map(|target| target.address.to_string()).collect();
        addresses.dedup();
        addresses
    }

    /// Whether the test fails only for want of the pair that this run supplies.
    fn mends(&self, layout: &Layout, finished: &Finished) -> Result<bool, Failure> {
        if self.standing.is_none() {
            return Ok(!observe::pair_loads(layout)?);
        }
        let complaint = self.server.complaint(&finished.output, &[&self.named.0, &self.named.1]);
        Ok(match complaint.blame {
            Blame::PairMissing => true,
            Blame::PairBroken => !observe::pair_loads(layout)?,
            Blame::Other | Blame::PairUnreadable => false,
        })
    }

    fn broken(&self, finished: &Finished) -> Finding {
        let command = self.server.test_command().unwrap_or_default().join(" ");
        let said = self.server.complaint(&finished.output, &[]).lines;
        let how = if finished.timed_out { "does not end" } else { "fails" };
        Finding::error("server-config-broken", format!("the server's own test {how} before anything is touched"))
            .quoting(said)
            .with(Next::say(format!("mend it, then try again:  {command}")))
    }
}

/// Every address of `--probe`, for every name of the certificate.
fn extra_targets(probes: &[String], names: &[DnsName]) -> Result<Vec<ProbeTarget>, Failure> {
    let mut targets = Vec::new();
    for probe in probes {
        let place = probe.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let Some((host, port)) = place else {
            return Err(Failure::new(Kind::Usage, format!("{probe:?} is no address to ask"))
                .with(Next::say("give host and port:  --probe 127.0.0.1:443")));
        };
        let addresses = tls::resolve(host, port, RESOLVE).map_err(|error| {
            Failure::of(Kind::Network, &error).with(Next::say("give an address:  --probe 127.0.0.1:443"))
        })?;
        for address in addresses {
            targets.extend(names.iter().map(|name| ProbeTarget::new(address, concrete(name))));
        }
    }
    Ok(targets)
}
