//! Thousands of records, looked for side by side as they come in. Zones take turns: one whose servers stay silent holds up
//! its own names and no others. What waits is bounded; the list is read no faster than that.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::exchange::Client;
use super::known::Known;
use super::looking::{DnsError, Inquiry, SURVEY, resolver, surveys, until_signal};
use super::resolvers::Resolvers;
use super::{ask, caa};
use crate::dcv::answer::{Around, Asked, OwnServers, Said, Survey};
use crate::dcv::caa::Found;
use crate::system::lines::{Line, Lines};
use crate::system::signals::Interrupt;

/// What is looked for at once, all zones together, before more of the list is read; and what may wait for its zone's turn.
const AT_ONCE: usize = 512;
const WAITING: usize = 4000;
/// What is looked for of one zone at once: to begin with, and at the most.
const FIRST_OF_A_ZONE: usize = 4;
const OF_ONE_ZONE: usize = 256;
/// So many in a row without an answer, and the others of the zone are not asked for, for so long.
const LOST_AFTER: u32 = 3;
const LOST_FOR: Duration = Duration::from_secs(30);
/// The most zones that are known to be lost.
const LOST_ZONES: usize = 1000;

/// What one line asks for.
#[derive(Debug)]
pub struct Job<K> {
    /// What the caller knows it by.
    pub key: K,
    /// The records; none where the line was no good, and nobody is asked.
    pub inquiries: Vec<Inquiry>,
    /// The names whose CAA records are asked for.
    pub names: Vec<String>,
}

/// What servers said.
#[derive(Debug, Default)]
pub struct Came {
    /// One for each record.
    pub surveys: Vec<Survey>,
    /// What is at each name of the CAA climb.
    pub caa: HashMap<String, Found>,
}

/// How far it was looked into.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Depth {
    /// Only for the records themselves: enough where all is well and one server alone was to be asked.
    Glance,
    /// For everything that explains what is wrong.
    Whole,
}

/// What the answers to one line came to.
#[derive(Debug)]
pub enum Heard<K> {
    /// Something.
    Done,
    /// Nobody answered.
    Nothing,
    /// Something, and that is enough: the rest is not looked for.
    Enough,
    /// All is not well: look into it.
    LookCloser(K),
}

/// Looks for what `prepare` makes of each line and hands what came to `judge`, in the order in which it came.
///
/// # Errors
/// [`DnsError`]; what servers do is no error but an answer.
pub fn survey_each<K>(
    lines: &mut Lines,
    resolvers: &Resolvers,
    interrupt: &Interrupt,
    mut prepare: impl FnMut(Line) -> Job<K>,
    judge: impl FnMut(K, Came, Depth) -> Heard<K>,
) -> Result<(), DnsError> {
    until_signal(interrupt, async {
        let client = Client::until(Instant::now() + SURVEY);
        let mut desk = Desk {
            judge,
            resolvers,
            client,
            known: Arc::default(),
            tasks: JoinSet::new(),
            open: HashMap::new(),
            zones: HashMap::new(),
            waiting: 0,
            lost: 0,
            next: 0,
            enough: false,
        };
        let mut ended = false;
        while !desk.enough {
            let room = desk.open.len() < AT_ONCE && desk.waiting < WAITING;
            tokio::select! {
                Some(done) = desk.tasks.join_next() => {
                    // A task is never cancelled here and does not panic.
                    if let Ok((number, came)) = done {
                        desk.came(number, came);
                    }
                }
                line = lines.next(), if room && !ended => match line {
                    Some(line) => desk.take(prepare(line)),
                    None => ended = true,
                },
                else => return,
            }
        }
    })
}

/// What is under way, and what waits for its zone's turn.
struct Desk<'a, K, J> {
    judge: J,
    resolvers: &'a Resolvers,
    client: Client,
    known: Arc<Known>,
    tasks: JoinSet<(u64, Came)>,
    open: HashMap<u64, (Job<K>, Depth)>,
    zones: HashMap<String, Zone<K>>,
    /// How many wait in all zones, and how many zones are lost.
    waiting: usize,
    lost: usize,
    next: u64,
    enough: bool,
}

struct Zone<K> {
    waiting: VecDeque<Job<K>>,
    open: usize,
    allowed: usize,
    failed: u32,
    lost: Option<(Instant, Survey)>,
}

impl<K> Default for Zone<K> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), open: 0, allowed: FIRST_OF_A_ZONE, failed: 0, lost: None }
    }
}

/// Names of one registrable domain stand and fall with its servers.
fn zone_of<K>(job: &Job<K>) -> String {
    let first = job.inquiries.first();
    first.map(|one| one.top.clone().unwrap_or_else(|| one.domain.clone())).unwrap_or_default()
}

impl<K, J: FnMut(K, Came, Depth) -> Heard<K>> Desk<'_, K, J> {
    fn take(&mut self, job: Job<K>) {
        if job.inquiries.is_empty() {
            let heard = (self.judge)(job.key, Came::default(), Depth::Whole);
            self.enough |= matches!(heard, Heard::Enough);
            return;
        }
        let name = zone_of(&job);
        self.zones.entry(name.clone()).or_default().waiting.push_back(job);
        self.waiting += 1;
        self.serve(&name);
    }

    /// Starts what the zone's turn allows.
    fn serve(&mut self, name: &str) {
        let first = if self.resolvers.alone() { Depth::Glance } else { Depth::Whole };
        while let Some(zone) = self.zones.get_mut(name) {
            let lost =
                zone.lost.as_ref().filter(|(since, _)| since.elapsed() < LOST_FOR).map(|(_, survey)| survey.clone());
            if lost.is_none() && zone.open >= zone.allowed {
                return;
            }
            let Some(job) = zone.waiting.pop_front() else { return };
            self.waiting -= 1;
            match lost {
                Some(survey) => {
                    let surveys = job.inquiries.iter().map(|inquiry| not_asked_again(&survey, inquiry)).collect();
                    (self.judge)(job.key, Came { surveys, caa: HashMap::new() }, Depth::Whole);
                }
                None => {
                    zone.open += 1;
                    self.start(job, first);
                }
            }
        }
    }

    fn start(&mut self, job: Job<K>, depth: Depth) {
        let (number, inquiries, names) = (self.next, job.inquiries.clone(), job.names.clone());
        let (resolvers, known) = (self.resolvers.clone(), Arc::clone(&self.known));
        let client = Arc::new(self.client.but_until(Instant::now() + SURVEY));
        self.next += 1;
        self.open.insert(number, (job, depth));
        self.tasks.spawn(async move {
            let surveys = async {
                match depth {
                    Depth::Glance => glance(&client, &inquiries, &resolvers).await,
                    Depth::Whole => surveys(&client, &known, &inquiries, &resolvers).await,
                }
            };
            let (surveys, caa) = tokio::join!(surveys, caa::look_up(&client, &names, &resolvers));
            (number, Came { surveys, caa })
        });
    }

    fn came(&mut self, number: u64, came: Came) {
        let Some((job, depth)) = self.open.remove(&number) else { return };
        let name = zone_of(&job);
        let last = came.surveys.first().cloned();
        let heard = (self.judge)(job.key, came, depth);
        let Some(zone) = self.zones.get_mut(&name) else { return };
        match heard {
            Heard::LookCloser(key) => {
                let Job { inquiries, names, .. } = job;
                return self.start(Job { key, inquiries, names }, Depth::Whole);
            }
            Heard::Enough => self.enough = true,
            Heard::Done => {
                zone.failed = 0;
                self.lost -= usize::from(zone.lost.take().is_some());
                zone.allowed = (zone.allowed * 2).min(OF_ONE_ZONE);
            }
            Heard::Nothing => {
                zone.failed += 1;
                let again = zone.lost.is_some();
                if zone.failed >= LOST_AFTER && (again || self.lost < LOST_ZONES) {
                    zone.lost = last.map(|survey| (Instant::now(), survey));
                    self.lost += usize::from(!again);
                }
            }
        }
        zone.open -= 1;
        self.serve(&name);
        if self.zones.get(&name).is_some_and(|zone| zone.open == 0 && zone.waiting.is_empty() && zone.lost.is_none()) {
            self.zones.remove(&name);
        }
    }
}

/// The records themselves at the one server that is to be asked.
async fn glance(client: &Arc<Client>, inquiries: &[Inquiry], resolvers: &Resolvers) -> Vec<Survey> {
    let mut surveys = Vec::new();
    for inquiry in inquiries {
        let servers = resolvers.addresses.iter().copied().map(resolver).collect();
        let names = inquiry.names.first().cloned().into_iter().collect();
        let said = ask::ask_servers(client, servers, inquiry.kind, names).await;
        surveys.push(Survey { zone: None, own_servers: OwnServers::NotWanted, said, around: Around::default() });
    }
    surveys
}

/// What the servers of a zone said last stands for its other names.
fn not_asked_again(last: &Survey, inquiry: &Inquiry) -> Survey {
    let name = inquiry.names.first().cloned().unwrap_or_default();
    let said = last.said.iter().map(|said| {
        let answers = said.answers.first().map(|asked| Asked { name: name.clone(), ..asked.clone() });
        Said { server: said.server.clone(), answers: answers.into_iter().collect() }
    });
    Survey { said: said.collect(), ..last.clone() }
}
