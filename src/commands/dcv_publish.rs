//! `certctl dcv-publish`: publishes the validation record through the DNS provider's API, checks it at
//! the zone's own servers, and removes it later.

use std::net::SocketAddr;
use std::time::Duration;

use crate::advice::{dcv_check_command, dcv_publish as advice};
use crate::configuration::{ConfigurationFolders, ConfiguredDefaults, read_defaults};
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::pki::name::DnsName;
use crate::providers::{DnsProvider, HOOK_TIMEOUT, open_provider};
use crate::publication::{
    Publication, PublicationMode, PublicationOutcome, PublicationRequest, PublicationSettings,
    PublicationVerdict, UNCHECKED_RECORD, UncheckedRule, publish_record, remove_published,
};
use crate::publishing::provider::ProviderChoice;
use crate::state::{PublishedRecord, StateFolder};
use crate::system::clock;
use crate::system::dns::{self, ResolverList};
use crate::validation::expected::ExpectedRecord;
use crate::validation::publishable::{PublishableRecords, records_to_publish};
use crate::validation::select::{DcvSelection, RecordStorage};
use crate::wording::find_keyword;

/// How long the zone's servers are queried without `--wait`.
const USUAL_LIMIT: Duration = Duration::from_secs(60);

/// Publish the validation record through a DNS provider's API
///
/// Examples:
///   certctl dcv-publish example.com --dns alidns --wait --record -
///   certctl dcv-publish example.com --remove
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct DcvPublishArgs {
    /// Names or request files (CSR) [default: every request here that has no certificate]
    #[arg(value_name = "NAME|CSR")]
    pub names: Vec<String>,
    /// DNS provider: alidns (Alibaba Cloud DNS), cloudflare, rfc2136 (a name server that accepts
    /// updates), lexicon:NAME (a provider of dns-lexicon) or exec:PROGRAM; @PROFILE chooses other
    /// credentials [default: `dns` in config.toml]
    #[arg(long, value_name = "PROVIDER")]
    pub dns: Option<ProviderChoice>,
    /// Record that the CA shows: a zone-file line, host and value, or an API response (may be
    /// repeated); - reads it from stdin
    #[arg(long, value_name = "TEXT")]
    pub record: Vec<String>,
    /// Resolver to query instead of the system's (may be repeated); with a port other than 53,
    /// only this resolver is queried
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = dns::parse_address)]
    pub resolver: Vec<SocketAddr>,
    /// Reseller or CA that received the request
    #[arg(long)]
    pub ca: Option<Ca>,
    /// Query the zone's servers until all of them have the record, for at most this time [without
    /// a value: 2h; without this option: 60s]
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "2h", value_parser = clock::parse_duration)]
    pub wait: Option<Duration>,
    /// Remove the records that certctl has published for these names [default: for the requests
    /// of this folder]
    #[arg(long, conflicts_with_all = ["record", "replace"])]
    pub remove: bool,
    /// Full value of an existing CNAME record that may be replaced
    #[arg(long, value_name = "VALUE")]
    pub replace: Option<String>,
    /// Report this finding as a warning instead of failing: unchecked-record (the zone's servers
    /// cannot be queried from here)
    #[arg(long, value_name = "CODE", value_parser = parse_allowed, value_delimiter = ',')]
    pub allow: Vec<&'static str>,
    /// Time limit of the program of exec: [default: 300s]
    #[arg(long, value_name = "DURATION", value_parser = clock::parse_duration)]
    pub hook_timeout: Option<Duration>,
    /// Show what would be changed, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

fn parse_allowed(text: &str) -> Result<&'static str, &'static str> {
    find_keyword(text, &[UNCHECKED_RECORD])
        .ok_or("codes that can be allowed: unchecked-record (the record is not checked)")
}

/// Publishes or removes the records.
///
/// # Errors
/// A configuration that is not complete, a request that does not exist, or a signal.
pub(crate) fn run(context: &Context, args: &DcvPublishArgs) -> Result<PublicationOutcome, Failure> {
    context
        .interrupt
        .listen()
        .map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    let folders = ConfigurationFolders::find(context.root.as_deref());
    let defaults = read_defaults(&folders)?;
    let run = PublicationCommand {
        context,
        args,
        state: StateFolder::find(context.root.as_deref())?,
        settings: settings(context, args, &defaults),
        folders,
        defaults,
    };
    if args.remove {
        run.remove()
    } else {
        run.publish()
    }
}

fn settings<'a>(
    context: &'a Context,
    args: &DcvPublishArgs,
    defaults: &ConfiguredDefaults,
) -> PublicationSettings<'a> {
    let resolvers = if args.resolver.is_empty() {
        &defaults.resolvers
    } else {
        &args.resolver
    };
    PublicationSettings {
        context,
        resolvers: ResolverList::new(resolvers),
        mode: if args.dry_run {
            PublicationMode::DryRun
        } else {
            PublicationMode::Change
        },
        unchecked: if args.allow.contains(&UNCHECKED_RECORD) {
            UncheckedRule::Allow
        } else {
            UncheckedRule::Refuse
        },
        limit: args.wait.unwrap_or(USUAL_LIMIT),
    }
}

struct PublicationCommand<'a> {
    context: &'a Context,
    args: &'a DcvPublishArgs,
    folders: ConfigurationFolders,
    defaults: ConfiguredDefaults,
    state: StateFolder,
    settings: PublicationSettings<'a>,
}

impl PublicationCommand<'_> {
    fn publish(&self) -> Result<PublicationOutcome, Failure> {
        let args = self.args;
        let words = self.words();
        let choice = args.dns.as_ref().or(self.defaults.dns.as_ref());
        let choice = choice.ok_or_else(|| advice::choose_provider(&words))?;
        let provider = self.open(choice)?;
        let selection = DcvSelection {
            names: &args.names,
            records: &args.record,
            ca: args.ca.or(self.defaults.ca),
            wait_command: &words,
            storage: if args.dry_run {
                RecordStorage::Nowhere
            } else {
                RecordStorage::BesideRequest
            },
        };
        let PublishableRecords { records, written } = records_to_publish(self.context, &selection)?;
        require_values(&records, &words)?;
        let mut published = Vec::with_capacity(records.len());
        for record in &records {
            let request = PublicationRequest {
                record,
                choice,
                provider: &*provider,
                state: &self.state,
                replaceable: args.replace.as_deref(),
            };
            published.push(publish_record(&self.settings, &request)?);
        }
        let mut outcome = self.conclude(&records, published);
        outcome.wrote_record_file = !written.is_empty();
        Ok(outcome)
    }

    fn conclude(
        &self,
        records: &[ExpectedRecord],
        publications: Vec<Publication>,
    ) -> PublicationOutcome {
        PublicationOutcome {
            next: self.next_steps(records, &publications),
            records: publications,
            mode: self.settings.mode,
            wrote_record_file: false,
        }
    }

    /// Opens a provider: its credentials are complete before anything is read or contacted.
    fn open(&self, choice: &ProviderChoice) -> Result<Box<dyn DnsProvider>, Failure> {
        let timeout = self.args.hook_timeout.unwrap_or(HOOK_TIMEOUT);
        let interrupt = &self.context.interrupt;
        Ok(open_provider(choice, &self.folders, timeout, interrupt)?)
    }

    fn remove(&self) -> Result<PublicationOutcome, Failure> {
        let entries = self.entries_to_remove()?;
        let mut providers = Vec::with_capacity(entries.len());
        for entry in &entries {
            providers.push(self.open(&self.choice_of(entry)?)?);
        }
        let mut removed = Vec::with_capacity(entries.len());
        for (entry, provider) in entries.iter().zip(&providers) {
            let outcome = remove_published(&self.settings, &self.state, entry, &**provider);
            removed.push(outcome);
        }
        Ok(self.conclude(&[], removed))
    }

    /// Returns the entries of the journal that the arguments select.
    fn entries_to_remove(&self) -> Result<Vec<PublishedRecord>, Failure> {
        let all = self.state.published_records()?;
        let mut names = Vec::new();
        for word in &self.args.names {
            let stem = word.strip_suffix(".csr").unwrap_or(word);
            names.push(match DnsName::parse(stem) {
                Ok(name) => name.to_string(),
                Err(_) => stem.to_owned(),
            });
        }
        let folder = std::path::absolute(&self.context.directory).unwrap_or_default();
        let is_here = |entry: &PublishedRecord| {
            let request = entry.request.as_deref();
            request.is_some_and(|request| request.parent() == Some(&folder))
        };
        let is_chosen = |entry: &PublishedRecord| {
            if names.is_empty() {
                is_here(entry)
            } else {
                names.iter().any(|name| entry.is_for(name))
            }
        };
        let entries: Vec<PublishedRecord> = all.into_iter().filter(is_chosen).collect();
        if entries.is_empty() {
            let what = match names.as_slice() {
                [] => "the requests of this folder".to_owned(),
                names => names.join(", "),
            };
            return Err(advice::nothing_to_remove(&what));
        }
        Ok(entries)
    }

    /// The provider that published a record, unless another one is given.
    fn choice_of(&self, entry: &PublishedRecord) -> Result<ProviderChoice, Failure> {
        if let Some(choice) = &self.args.dns {
            return Ok(choice.clone());
        }
        let choice: Result<ProviderChoice, _> = entry.provider.parse();
        choice.map_err(|error| Failure::from_error(FailureKind::Malformed, &error))
    }

    /// The words of this command line, without a record and `--dry-run`.
    fn words(&self) -> Vec<String> {
        let args = self.args;
        let mut words = self.context.command_words("dcv-publish");
        for name in &args.names {
            if name != "-" {
                words.push(name.clone());
            }
        }
        let options = [
            ("--dns", args.dns.as_ref().map(ToString::to_string)),
            ("--ca", args.ca.map(|ca| ca.name().to_owned())),
            ("--replace", args.replace.clone()),
        ];
        for (option, value) in options {
            if let Some(value) = value {
                words.extend([option.to_owned(), value]);
            }
        }
        for address in &args.resolver {
            words.extend(["--resolver".to_owned(), dns::format_address(*address)]);
        }
        if args.remove {
            words.push("--remove".to_owned());
        }
        words
    }

    /// The same with the records that are stored nowhere: those that belong to no request, and in a
    /// dry run all that were given.
    fn words_with_records(&self, records: &[ExpectedRecord]) -> Vec<String> {
        let mut words = self.words();
        let is_rehearsed = self.args.dry_run && !self.args.record.is_empty();
        let unstored = |record: &&ExpectedRecord| is_rehearsed || record.request.is_empty();
        for record in records.iter().filter(unstored) {
            let record = &record.expected.record;
            let value = record.value.as_deref().unwrap_or_default();
            let line = format!("{} {} {value}", record.name, record.kind.word());
            words.extend(["--record".to_owned(), line]);
        }
        words
    }

    fn next_steps(
        &self,
        records: &[ExpectedRecord],
        publications: &[Publication],
    ) -> Vec<NextStep> {
        let verdict = publications.iter().map(|one| one.verdict).max();
        let has_failed = publications.iter().any(|one| one.exit_code != 0);
        let mut words = self.words_with_records(records);
        match verdict {
            Some(PublicationVerdict::Planned) => vec![advice::carry_out(&words)],
            Some(PublicationVerdict::NotVisible | PublicationVerdict::Unchecked) if has_failed => {
                if !self.args.remove {
                    words.push("--wait".to_owned());
                }
                vec![advice::publish_again(&words)]
            }
            Some(PublicationVerdict::Refused | PublicationVerdict::Removed) | None => Vec::new(),
            Some(_) if records.iter().all(|record| record.request.is_empty()) => {
                vec![advice::let_ca_validate()]
            }
            Some(_) => vec![self.install_step(records)],
        }
    }

    fn install_step(&self, records: &[ExpectedRecord]) -> NextStep {
        let ca = records.iter().find_map(|record| record.ca);
        let ca = ca.map_or("the CA", Ca::title);
        let install = self.context.command_words("install");
        dcv_check_command::install_after_record_check(ca, &install)
    }
}

/// Refuses records whose value is not known completely, before anything is contacted.
fn require_values(records: &[ExpectedRecord], words: &[String]) -> Result<(), Failure> {
    for record in records {
        let record = &record.expected.record;
        if record.value.is_none() || !record.complete {
            let step = advice::publish_with_record(words);
            return Err(advice::value_unknown(&record.name).with_step(step));
        }
    }
    Ok(())
}
