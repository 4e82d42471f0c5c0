//! Queries thousands of records concurrently as lines are read. Zones take turns: unresponsive
//! servers delay only their own zone. The number of waiting jobs is bounded; the list is read no
//! faster than that.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::caa;
use super::resolvers::ResolverList;
use crate::dcv::answer::{
    AnsweredQuery, DnsSurvey, RecordKind, ServerAnswers, SurroundingAnswers, ZoneServerCoverage,
};
use crate::dcv::caa::CaaAnswers;
use crate::system::dns::bulk_client::{BulkAnswer, BulkClient};
use crate::system::dns::client::DnsClient;
use crate::system::dns::survey::{DnsError, RecordQuery, SURVEY, resolver, surveys, until_signal};
use crate::system::dns::zone_cache::ZoneCache;
use crate::system::dns::zone_queue::ZoneQueue;
use crate::system::line_reader::{LineReader, NumberedLine};
use crate::system::signals::InterruptSignal;

/// How many jobs may be open at once, all zones together, before more of the list is read.
const AT_ONCE: usize = 512;
/// How many jobs may wait for their zone's turn.
const WAITING: usize = 4000;
/// How many may wait while answers arrive. If none has arrived for [`SLOW`], the zones of the
/// waiting jobs are slow, and more of the list is read because it may contain other zones.
const WAITING_SHORTLY: usize = 256;
const SLOW: Duration = Duration::from_millis(2);
/// The query of one line.
#[derive(Debug)]
pub(crate) struct BatchQuery<K> {
    /// Identifies the line for the handler.
    pub key: K,
    /// Type and name of each record; empty for an invalid line, for which no query is sent.
    pub records: Vec<(RecordKind, String)>,
    /// The registrable domain, or the domain of the first record: names of one zone depend on the
    /// same servers.
    pub zone: String,
    /// Whether the records alone can be sufficient if only the passed servers are to be queried.
    pub records_alone: bool,
}

#[derive(Debug, Default)]
pub(crate) struct BatchSurvey {
    /// One survey for each record.
    pub surveys: Vec<DnsSurvey>,
    /// The result at each name of the CAA tree climb.
    pub caa: HashMap<String, CaaAnswers>,
}

/// The extent of a survey.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SurveyDepth {
    /// Only the records themselves, at the passed servers: sufficient if they are right.
    RecordsOnly,
    /// Everything that helps to explain a fault.
    Full,
}

/// The decision of the handler after the answers to one line.
#[derive(Debug)]
pub(crate) enum BatchDecision<K> {
    Done,
    /// No server answered.
    NoAnswer,
    /// No further line is needed.
    Stop,
    /// A full survey is needed to explain what is wrong.
    NeedsFullSurvey(K),
}

/// Turns lines into queries, and answers into verdicts.
pub(crate) trait BatchHandler {
    /// Identifies a line.
    type Key;
    /// Returns the query of a line.
    fn prepare(&mut self, line: NumberedLine) -> BatchQuery<Self::Key>;
    /// Returns what a full survey queries: the records, and the names for the CAA lookup.
    fn full_queries(&self, key: &Self::Key) -> (Vec<RecordQuery>, Vec<String>);
    /// Handles the answers to a line; called in the order in which answers arrive.
    fn handle_answer(
        &mut self,
        key: Self::Key,
        survey: BatchSurvey,
        depth: SurveyDepth,
    ) -> BatchDecision<Self::Key>;
    /// Flushes buffered output when no I/O is pending; returns false once the consumer is gone.
    fn on_idle(&mut self) -> bool;
}

/// Sends the queries that `handler` returns for each line, and passes the answers to it.
///
/// Serves the target for `dcv-check --batch` (benches/README.md, 20,000 records): records at the
/// passed servers go through [`BulkClient`].
///
/// # Errors
/// See [`DnsError`]; failures of servers are not errors but answers.
pub(crate) fn survey_each(
    lines: &mut LineReader,
    resolvers: &ResolverList,
    interrupt: &InterruptSignal,
    handler: &mut impl BatchHandler,
) -> Result<(), DnsError> {
    until_signal(interrupt, async {
        BatchRun::new(handler, resolvers).run(lines).await;
    })
}

/// The jobs that are open, and those that wait for their zone's turn.
struct BatchRun<'a, A: BatchHandler> {
    handler: &'a mut A,
    resolvers: &'a ResolverList,
    client: DnsClient,
    zone_cache: Arc<ZoneCache>,
    /// Queries for the records alone, at the passed servers.
    bulk_client: BulkClient<RecordsOnlyPart>,
    /// Full surveys.
    tasks: JoinSet<(u64, BatchSurvey)>,
    open: HashMap<u64, OpenJob<A::Key>>,
    zones: HashMap<String, ZoneQueue<BatchQuery<A::Key>>>,
    /// How many jobs wait in all zones.
    waiting: usize,
    /// How many zones have no server that answers.
    unresponsive_zones: usize,
    next_number: u64,
    is_stopped: bool,
}

/// Identifies one answer of a query for the records alone.
#[derive(Clone, Copy, Debug)]
struct RecordsOnlyPart {
    job: u64,
    record: usize,
    server: usize,
}

/// A job that waits for answers.
struct OpenJob<K> {
    query: BatchQuery<K>,
    depth: SurveyDepth,
    survey: BatchSurvey,
    /// How many answers are still missing, if only the records are queried.
    missing: usize,
    /// Whether one of these answers needs a full survey.
    needs_full_survey: bool,
}

impl<'a, A: BatchHandler> BatchRun<'a, A> {
    fn new(handler: &'a mut A, resolvers: &'a ResolverList) -> Self {
        let client = DnsClient::until(Instant::now() + SURVEY);
        Self {
            handler,
            resolvers,
            bulk_client: BulkClient::new(&client),
            client,
            zone_cache: Arc::default(),
            tasks: JoinSet::new(),
            open: HashMap::new(),
            zones: HashMap::new(),
            waiting: 0,
            unresponsive_zones: 0,
            next_number: 0,
            is_stopped: false,
        }
    }

    /// Reads lines and handles answers until there are no more, or the handler stops.
    async fn run(&mut self, lines: &mut LineReader) {
        let mut ended = false;
        let mut flushed = true;
        let mut slow = false;
        while !self.is_stopped {
            let has_room = !ended && self.open.len() < AT_ONCE && self.waiting < WAITING;
            let read_now = self.waiting < WAITING_SHORTLY || std::mem::take(&mut slow);
            let flush_now = !std::mem::take(&mut flushed);
            tokio::select! {
                biased;
                answers = self.bulk_client.next_answers(), if !self.open.is_empty() => {
                    for (part, answer) in answers {
                        self.add_record_answer(part, answer);
                    }
                }
                Some(done) = self.tasks.join_next() => {
                    // A task is never cancelled here and does not panic.
                    if let Ok((number, survey)) = done {
                        self.finish_full_survey(number, survey);
                    }
                }
                batch = lines.next(), if has_room && read_now => match batch {
                    Some(batch) => {
                        for line in batch {
                            self.add_line(line);
                        }
                    }
                    None => ended = true,
                },
                () = std::future::ready(()), if flush_now => {
                    self.is_stopped |= !self.handler.on_idle();
                    flushed = true;
                }
                () = sleep(SLOW), if has_room && !read_now => slow = true,
                else => break,
            }
        }
        self.handler.on_idle();
    }

    fn add_line(&mut self, line: NumberedLine) {
        let query = self.handler.prepare(line);
        if query.records.is_empty() {
            let outcome =
                self.handler
                    .handle_answer(query.key, BatchSurvey::default(), SurveyDepth::Full);
            self.is_stopped |= matches!(outcome, BatchDecision::Stop);
            return;
        }
        let zone = query.zone.clone();
        match self.zones.get_mut(&zone) {
            Some(queue) => queue.waiting.push_back(query),
            None => self
                .zones
                .entry(zone.clone())
                .or_default()
                .waiting
                .push_back(query),
        }
        self.waiting += 1;
        self.start_waiting(&zone);
    }

    /// Starts as many waiting jobs of a zone as may be open.
    fn start_waiting(&mut self, zone: &str) {
        while let Some(queue) = self.zones.get_mut(zone) {
            let last_survey = queue.survey_while_unresponsive().cloned();
            if last_survey.is_none() && queue.open >= queue.allowed {
                return;
            }
            let Some(query) = queue.waiting.pop_front() else {
                return;
            };
            self.waiting -= 1;
            if let Some(last) = last_survey {
                self.answer_with_last_survey(query, &last);
                continue;
            }
            queue.open += 1;
            if self.resolvers.excludes_other_servers() && query.records_alone {
                self.query_records_only(query);
            } else {
                self.survey_fully(query);
            }
        }
    }

    /// Answers a job of an unresponsive zone with the zone's last survey, without a query.
    fn answer_with_last_survey(&mut self, query: BatchQuery<A::Key>, last: &DnsSurvey) {
        let surveys = query
            .records
            .iter()
            .map(|(_, name)| repeat_survey(last, name))
            .collect();
        let survey = BatchSurvey {
            surveys,
            caa: HashMap::new(),
        };
        self.handler
            .handle_answer(query.key, survey, SurveyDepth::Full);
    }

    fn take_number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    /// Queries only the records themselves, at the passed servers.
    fn query_records_only(&mut self, query: BatchQuery<A::Key>) {
        let job = self.take_number();
        let addresses = &self.resolvers.addresses;
        let mut surveys = Vec::with_capacity(query.records.len());
        for (record, (kind, name)) in query.records.iter().enumerate() {
            for (server, address) in addresses.iter().enumerate() {
                let part = RecordsOnlyPart {
                    job,
                    record,
                    server,
                };
                self.bulk_client.add_query(part, *address, *kind, name);
            }
            surveys.push(survey_without_answers(self.resolvers));
        }
        let open_job = OpenJob {
            missing: query.records.len() * addresses.len(),
            query,
            depth: SurveyDepth::RecordsOnly,
            survey: BatchSurvey {
                surveys,
                caa: HashMap::new(),
            },
            needs_full_survey: false,
        };
        self.open.insert(job, open_job);
    }

    fn add_record_answer(&mut self, part: RecordsOnlyPart, answer: BulkAnswer) {
        let Some(job) = self.open.get_mut(&part.job) else {
            return;
        };
        job.missing -= 1;
        let server_answers = job
            .survey
            .surveys
            .get_mut(part.record)
            .and_then(|survey| survey.server_answers.get_mut(part.server));
        let record = job.query.records.get(part.record);
        match (answer, server_answers, record) {
            (BulkAnswer::Answer(answer, ttl), Some(server_answers), Some((kind, name))) => {
                server_answers.answers.push(AnsweredQuery {
                    name: name.clone(),
                    kind: *kind,
                    answer,
                    ttl,
                });
            }
            _ => job.needs_full_survey = true,
        }
        if job.missing > 0 {
            return;
        }
        let Some(job) = self.open.remove(&part.job) else {
            return;
        };
        if job.needs_full_survey {
            self.survey_fully(job.query);
        } else {
            self.pass_to_handler(job.query, job.depth, job.survey);
        }
    }

    /// Starts a full survey, with all servers.
    fn survey_fully(&mut self, query: BatchQuery<A::Key>) {
        let (record_queries, names) = self.handler.full_queries(&query.key);
        let number = self.take_number();
        let resolvers = self.resolvers.clone();
        let zone_cache = Arc::clone(&self.zone_cache);
        let client = Arc::new(self.client.with_deadline(Instant::now() + SURVEY));
        let job = OpenJob {
            query,
            depth: SurveyDepth::Full,
            survey: BatchSurvey::default(),
            missing: 0,
            needs_full_survey: false,
        };
        self.open.insert(number, job);
        self.tasks.spawn(async move {
            let surveys = surveys(&client, &zone_cache, &record_queries, &resolvers);
            let caa = caa::look_up(&client, &zone_cache, &names, &resolvers);
            let (surveys, caa) = tokio::join!(surveys, caa);
            (number, BatchSurvey { surveys, caa })
        });
    }

    fn finish_full_survey(&mut self, number: u64, survey: BatchSurvey) {
        if let Some(job) = self.open.remove(&number) {
            self.pass_to_handler(job.query, job.depth, survey);
        }
    }

    /// Passes the answers to the handler and carries out its decision.
    fn pass_to_handler(
        &mut self,
        query: BatchQuery<A::Key>,
        depth: SurveyDepth,
        survey: BatchSurvey,
    ) {
        let unanswered = survey
            .surveys
            .first()
            .filter(|survey| is_unanswered(survey))
            .cloned();
        let BatchQuery {
            key,
            records,
            zone,
            records_alone,
        } = query;
        let outcome = self.handler.handle_answer(key, survey, depth);
        let Some(queue) = self.zones.get_mut(&zone) else {
            return;
        };
        match outcome {
            BatchDecision::NeedsFullSurvey(key) => {
                self.survey_fully(BatchQuery {
                    key,
                    records,
                    zone,
                    records_alone,
                });
                return;
            }
            BatchDecision::Stop => self.is_stopped = true,
            BatchDecision::Done => {
                if queue.note_success() {
                    self.unresponsive_zones -= 1;
                }
            }
            BatchDecision::NoAnswer => {
                if queue.note_failure(unanswered, self.unresponsive_zones) {
                    self.unresponsive_zones += 1;
                }
            }
        }
        queue.open -= 1;
        self.start_waiting(&zone);
        if self.zones.get(&zone).is_some_and(ZoneQueue::is_idle) {
            self.zones.remove(&zone);
        }
    }
}

/// Returns a survey of the passed servers before any of them has answered.
fn survey_without_answers(resolvers: &ResolverList) -> DnsSurvey {
    let by_server = resolvers.addresses.iter().map(|address| ServerAnswers {
        server: resolver(*address),
        answers: Vec::new(),
    });
    DnsSurvey {
        zone: None,
        zone_server_coverage: ZoneServerCoverage::NotRequested,
        server_answers: by_server.collect(),
        surroundings: SurroundingAnswers::default(),
    }
}

fn is_unanswered(survey: &DnsSurvey) -> bool {
    survey
        .server_answers
        .iter()
        .flat_map(|server_answers| &server_answers.answers)
        .all(|query| !query.answer.is_answer())
}

/// Returns the last survey of a zone, for another of its names.
fn repeat_survey(last: &DnsSurvey, name: &str) -> DnsSurvey {
    let by_server = last.server_answers.iter().map(|server_answers| {
        let first = server_answers.answers.first().map(|query| AnsweredQuery {
            name: name.to_owned(),
            ..query.clone()
        });
        ServerAnswers {
            server: server_answers.server.clone(),
            answers: first.into_iter().collect(),
        }
    });
    DnsSurvey {
        server_answers: by_server.collect(),
        ..last.clone()
    }
}
