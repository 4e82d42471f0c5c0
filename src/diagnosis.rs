//! Finds out why a site does not work: facts about DNS, server, certificate and pages go in, causes
//! come out, most likely first. Pure: nothing is observed here.

mod cause;
mod checks;
mod decide;
mod facts;
mod packet_filter;

pub(crate) use cause::SiteCause;
pub(crate) use checks::{CheckState, DiagnosisCheck, list_checks};
pub(crate) use decide::diagnose;
pub(crate) use facts::{
    AddressPlace, AnsweringBlock, AvailableCertificate, BlockRule, DiskCertificate, DnsFacts,
    FileBarrier, HttpFacts, KnownServer, NameAddress, PageFacts, PageFiles, PlainState,
    ServedChain, ServerFacts, ServerTest, SiteFacts, TlsFacts, TlsState, UpstreamFault,
    UpstreamState,
};
pub(crate) use packet_filter::find_drops;
