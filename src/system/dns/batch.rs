//! Thousands of records, looked for side by side as they come in. Zones take turns: one whose
//! servers stay silent holds up its own names and no others. What waits is bounded; the list is
//! read no faster than that.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::caa;
use super::resolvers::ResolverList;
use crate::dcv::answer::{
    AnsweredQuery, DnsSurvey, RecordKind, ServerAnswers, SurroundingAnswers, ZoneServerCoverage,
};
use crate::dcv::caa::CaaLookup;
use crate::system::dns::bulk_client::{self, BulkClient};
use crate::system::dns::client::DnsClient;
use crate::system::dns::survey::{DnsError, RecordQuery, SURVEY, resolver, surveys, until_signal};
use crate::system::dns::zone_cache::ZoneCache;
use crate::system::line_reader::{LineReader, NumberedLine};
use crate::system::signals::InterruptSignal;

/// What is looked for at once, all zones together, before more of the list is read; and what may
/// wait for its zone's turn.
const AT_ONCE: usize = 512;
const WAITING: usize = 4000;
/// So many wait while answers come; when none came for so long, the zones that they wait for are
/// slow, and the list may have others.
const WAITING_SHORTLY: usize = 256;
const SLOW: Duration = Duration::from_millis(2);
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
pub(crate) struct BatchQuery<K> {
    /// What the caller knows it by.
    pub key: K,
    /// Type and name of each record; none where the line was no good, and nobody is asked.
    pub records: Vec<(RecordKind, String)>,
    /// The registrable domain, or the domain of the first record: names of one stand and fall with
    /// its servers.
    pub zone: String,
    /// Whether a glance at the records can be enough where one server alone is to be asked.
    pub records_alone: bool,
}

#[derive(Debug, Default)]
pub(crate) struct BatchSurvey {
    /// One for each record.
    pub surveys: Vec<DnsSurvey>,
    /// What is at each name of the CAA climb.
    pub caa: HashMap<String, CaaLookup>,
}

/// How far it was looked into.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SurveyDepth {
    /// Only for the records themselves: enough where all is well and one server alone was to be
    /// asked.
    Glance,
    /// For everything that explains what is wrong.
    Whole,
}

/// What the answers to one line came to.
#[derive(Debug)]
pub(crate) enum BatchAnswer<K> {
    Done,
    Nothing,
    /// Something, and that is enough: the rest is not looked for.
    Enough,
    /// All is not well: look into it.
    LookCloser(K),
}

/// Who makes questions of lines and verdicts of answers.
pub(crate) trait BatchHandler {
    /// What it knows a line by.
    type Key;
    /// What a line asks for.
    fn prepare(&mut self, line: NumberedLine) -> BatchQuery<Self::Key>;
    /// All that is asked for where a glance is not enough: the records and the names whose CAA
    /// records are.
    fn inquiries(&self, key: &Self::Key) -> (Vec<RecordQuery>, Vec<String>);
    /// What came; lines are heard in the order in which their answers come.
    fn hear(
        &mut self,
        key: Self::Key,
        came: BatchSurvey,
        depth: SurveyDepth,
    ) -> BatchAnswer<Self::Key>;
    /// Nothing else is there at this moment: the time to tell what was heard. False where nobody
    /// wants to know any more.
    fn rest(&mut self) -> bool;
}

/// Looks for what `asker` makes of each line and lets it hear what came.
///
/// # Errors
/// [`DnsError`]; what servers do is no error but an answer.
pub(crate) fn survey_each(
    lines: &mut LineReader,
    resolvers: &ResolverList,
    interrupt: &InterruptSignal,
    asker: &mut impl BatchHandler,
) -> Result<(), DnsError> {
    until_signal(interrupt, async {
        let client = DnsClient::until(Instant::now() + SURVEY);
        let mut desk = Desk {
            asker,
            resolvers,
            flight: BulkClient::new(&client),
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
        let (mut ended, mut rested, mut slow) = (false, true, false);
        while !desk.enough {
            let room = !ended && desk.open.len() < AT_ONCE && desk.waiting < WAITING;
            let soon = desk.waiting < WAITING_SHORTLY || std::mem::take(&mut slow);
            let work = !std::mem::take(&mut rested);
            tokio::select! {
                biased;
                some = desk.flight.some(), if !desk.open.is_empty() => some.into_iter().for_each(|(at, came)| desk.part(at, came)),
                Some(done) = desk.tasks.join_next() => {
                    // A task is never cancelled here and does not panic.
                    if let Ok((number, came)) = done {
                        desk.came(number, came);
                    }
                }
                some = lines.next(), if room && soon => match some {
                    Some(lines) => lines.into_iter().for_each(|line| desk.take(line)),
                    None => ended = true,
                },
                () = std::future::ready(()), if work => {
                    desk.enough |= !desk.asker.rest();
                    rested = true;
                }
                () = sleep(SLOW), if room && !soon => slow = true,
                else => break,
            }
        }
        desk.asker.rest();
    })
}

/// What is under way, and what waits for its zone's turn.
struct Desk<'a, A: BatchHandler> {
    asker: &'a mut A,
    resolvers: &'a ResolverList,
    client: DnsClient,
    known: Arc<ZoneCache>,
    /// Glances at given servers.
    flight: BulkClient<Part>,
    tasks: JoinSet<(u64, BatchSurvey)>,
    open: HashMap<u64, Open<A::Key>>,
    zones: HashMap<String, Zone<A::Key>>,
    /// How many wait in all zones, and how many zones are lost.
    waiting: usize,
    lost: usize,
    next: u64,
    enough: bool,
}

/// One answer of a glance: the job's number, and the places of the record and of the server.
type Part = (u64, usize, usize);

/// What is under way for one line.
struct Open<K> {
    job: BatchQuery<K>,
    depth: SurveyDepth,
    came: BatchSurvey,
    /// How many answers of a glance are still to come, and whether one of them is to be looked
    /// into.
    left: usize,
    look_closer: bool,
}

struct Zone<K> {
    waiting: VecDeque<BatchQuery<K>>,
    open: usize,
    allowed: usize,
    failed: u32,
    lost: Option<(Instant, DnsSurvey)>,
}

impl<K> Default for Zone<K> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            open: 0,
            allowed: FIRST_OF_A_ZONE,
            failed: 0,
            lost: None,
        }
    }
}

impl<A: BatchHandler> Desk<'_, A> {
    fn take(&mut self, line: NumberedLine) {
        let job = self.asker.prepare(line);
        if job.records.is_empty() {
            let heard = self
                .asker
                .hear(job.key, BatchSurvey::default(), SurveyDepth::Whole);
            self.enough |= matches!(heard, BatchAnswer::Enough);
            return;
        }
        let name = job.zone.clone();
        match self.zones.get_mut(&name) {
            Some(zone) => zone.waiting.push_back(job),
            None => self
                .zones
                .entry(name.clone())
                .or_default()
                .waiting
                .push_back(job),
        }
        self.waiting += 1;
        self.serve(&name);
    }

    /// Starts what the zone's turn allows.
    fn serve(&mut self, name: &str) {
        while let Some(zone) = self.zones.get_mut(name) {
            let lost = zone
                .lost
                .as_ref()
                .filter(|(since, _)| since.elapsed() < LOST_FOR)
                .map(|(_, survey)| survey.clone());
            if lost.is_none() && zone.open >= zone.allowed {
                return;
            }
            let Some(job) = zone.waiting.pop_front() else {
                return;
            };
            self.waiting -= 1;
            match lost {
                Some(survey) => {
                    let surveys = job
                        .records
                        .iter()
                        .map(|(_, name)| not_asked_again(&survey, name))
                        .collect();
                    self.asker.hear(
                        job.key,
                        BatchSurvey {
                            surveys,
                            caa: HashMap::new(),
                        },
                        SurveyDepth::Whole,
                    );
                }
                None => {
                    zone.open += 1;
                    if self.resolvers.alone() && job.records_alone {
                        self.glance(job)
                    } else {
                        self.look(job)
                    }
                }
            }
        }
    }

    /// Asks for the records themselves at the servers that alone are to be asked.
    fn glance(&mut self, job: BatchQuery<A::Key>) {
        let number = self.next;
        self.next += 1;
        let mut surveys = Vec::with_capacity(job.records.len());
        for (at, (kind, name)) in job.records.iter().enumerate() {
            for (server, address) in self.resolvers.addresses.iter().enumerate() {
                self.flight.ask((number, at, server), *address, *kind, name);
            }
            let said = self
                .resolvers
                .addresses
                .iter()
                .map(|address| ServerAnswers {
                    server: resolver(*address),
                    answers: Vec::new(),
                });
            surveys.push(DnsSurvey {
                zone: None,
                own_servers: ZoneServerCoverage::NotWanted,
                said: said.collect(),
                around: SurroundingAnswers::default(),
            });
        }
        let left = job.records.len() * self.resolvers.addresses.len();
        let came = BatchSurvey {
            surveys,
            caa: HashMap::new(),
        };
        self.open.insert(
            number,
            Open {
                job,
                depth: SurveyDepth::Glance,
                came,
                left,
                look_closer: false,
            },
        );
    }

    /// Takes one answer of a glance.
    fn part(&mut self, (number, at, server): Part, part: bulk_client::BulkAnswer) {
        let Some(open) = self.open.get_mut(&number) else {
            return;
        };
        open.left -= 1;
        let said = open
            .came
            .surveys
            .get_mut(at)
            .and_then(|survey| survey.said.get_mut(server));
        match (part, said, open.job.records.get(at)) {
            (bulk_client::BulkAnswer::Said(answer, ttl), Some(said), Some((kind, name))) => {
                said.answers.push(AnsweredQuery {
                    name: name.clone(),
                    kind: *kind,
                    answer,
                    ttl,
                });
            }
            _ => open.look_closer = true,
        }
        if open.left == 0
            && let Some(Open {
                job,
                depth,
                came,
                look_closer,
                ..
            }) = self.open.remove(&number)
        {
            if look_closer {
                self.look(job)
            } else {
                self.heard(job, depth, came)
            }
        }
    }

    /// Asks everybody for everything.
    fn look(&mut self, job: BatchQuery<A::Key>) {
        let (number, (inquiries, names)) = (self.next, self.asker.inquiries(&job.key));
        let (resolvers, known) = (self.resolvers.clone(), Arc::clone(&self.known));
        let client = Arc::new(self.client.but_until(Instant::now() + SURVEY));
        self.next += 1;
        let (depth, came) = (SurveyDepth::Whole, BatchSurvey::default());
        self.open.insert(
            number,
            Open {
                job,
                depth,
                came,
                left: 0,
                look_closer: false,
            },
        );
        self.tasks.spawn(async move {
            let surveys = surveys(&client, &known, &inquiries, &resolvers);
            let (surveys, caa) = tokio::join!(surveys, caa::look_up(&client, &names, &resolvers));
            (number, BatchSurvey { surveys, caa })
        });
    }

    fn came(&mut self, number: u64, came: BatchSurvey) {
        if let Some(Open { job, depth, .. }) = self.open.remove(&number) {
            self.heard(job, depth, came);
        }
    }

    /// Lets the asker hear it, and goes by what it makes of it.
    fn heard(&mut self, job: BatchQuery<A::Key>, depth: SurveyDepth, came: BatchSurvey) {
        let last = came
            .surveys
            .first()
            .filter(|survey| nobody_answered(survey))
            .cloned();
        let BatchQuery {
            key,
            records,
            zone: name,
            records_alone,
        } = job;
        let heard = self.asker.hear(key, came, depth);
        let Some(zone) = self.zones.get_mut(&name) else {
            return;
        };
        match heard {
            BatchAnswer::LookCloser(key) => {
                return self.look(BatchQuery {
                    key,
                    records,
                    zone: name,
                    records_alone,
                });
            }
            BatchAnswer::Enough => self.enough = true,
            BatchAnswer::Done => {
                zone.failed = 0;
                self.lost -= usize::from(zone.lost.take().is_some());
                zone.allowed = (zone.allowed * 2).min(OF_ONE_ZONE);
            }
            BatchAnswer::Nothing => {
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
        if self
            .zones
            .get(&name)
            .is_some_and(|zone| zone.open == 0 && zone.waiting.is_empty() && zone.lost.is_none())
        {
            self.zones.remove(&name);
        }
    }
}

fn nobody_answered(survey: &DnsSurvey) -> bool {
    survey
        .said
        .iter()
        .flat_map(|said| &said.answers)
        .all(|asked| !asked.answer.is_answer())
}

/// What the servers of a zone said last stands for its other names.
fn not_asked_again(last: &DnsSurvey, name: &str) -> DnsSurvey {
    let said = last.said.iter().map(|said| {
        let answers = said.answers.first().map(|asked| AnsweredQuery {
            name: name.to_owned(),
            ..asked.clone()
        });
        ServerAnswers {
            server: said.server.clone(),
            answers: answers.into_iter().collect(),
        }
    });
    DnsSurvey {
        said: said.collect(),
        ..last.clone()
    }
}
