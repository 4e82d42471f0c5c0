//! The programs of one kind of server that run, and the installed one.

use std::path::Path;

use super::master_group::{MasterGroup, RunningMasters};
use super::observe::InstanceScope;
use crate::webserver::masters::ServerMaster;
use crate::webserver::model::ServerSoftware;

/// A server program with its configuration.
pub(crate) trait RunnableProgram: Sized {
    const SOFTWARE: ServerSoftware;

    /// The program and the configuration of these masters; `None` if the program cannot be run.
    fn of_masters(installed: Option<&Self>, masters: &[ServerMaster]) -> Option<Self>;

    /// Whether it reads this file as its main configuration.
    fn reads(&self, config: &Path) -> bool;

    /// Adds its masters; `installed` is the installed program if both read the same configuration,
    /// which may be spelled differently.
    fn attach(&mut self, group: MasterGroup, installed: Option<&Self>);
}

/// The running programs.
pub(crate) struct FoundPrograms<P> {
    /// Those with the configuration of the installed program.
    same: Vec<P>,
    others: Vec<P>,
}

impl<P: RunnableProgram> FoundPrograms<P> {
    /// Finds the programs in `scope`; `usual` is the main configuration of the installed program.
    pub(crate) fn find(installed: Option<&P>, usual: Option<&Path>, scope: InstanceScope) -> Self {
        let mut found = Self {
            same: Vec::new(),
            others: Vec::new(),
        };
        for masters in RunningMasters::read(P::SOFTWARE).groups {
            let Some(mut program) = P::of_masters(installed, &masters) else {
                continue;
            };
            let is_same = usual.is_some_and(|usual| program.reads(usual));
            if !is_same && scope == InstanceScope::Configured {
                continue;
            }
            let group = MasterGroup::observe(P::SOFTWARE, masters);
            program.attach(group, installed.filter(|_| is_same));
            if is_same {
                found.same.push(program);
            } else {
                found.others.push(program);
            }
        }
        found
    }

    /// Returns all of them, and the installed program if none runs with its configuration; those with
    /// its configuration come first.
    pub(crate) fn or_installed(mut self, installed: Option<P>) -> Vec<P> {
        if self.same.is_empty() {
            self.same.extend(installed);
        }
        self.same.append(&mut self.others);
        self.same
    }
}
