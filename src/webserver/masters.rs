//! The master processes of web servers: which processes they are, how each was started, and how it
//! is reloaded. Pure: decides from what /proc says, which `webserver::control` reads.

use super::model::ServerSoftware;

pub(crate) mod arguments;
pub(crate) mod listeners;
pub(crate) mod process_facts;
pub(crate) mod reload;

pub(crate) use arguments::StartArguments;
use process_facts::is_titled_master;
pub(crate) use process_facts::{ProcessFacts, ProcessNamespaces, process_names};

/// A process that reads a configuration and can reload it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServerMaster {
    pub process: ProcessFacts,
    pub arguments: StartArguments,
    /// Its worker processes.
    pub children: Vec<i32>,
    /// The process that replaces it, during an upgrade of nginx's program.
    pub successor: Option<i32>,
    /// Whether its command line and its environment may decide what certctl runs: not those of
    /// another user.
    pub is_trusted: bool,
}

impl ServerMaster {
    /// Distrusts the process: of its command line only the configuration counts, whose files other
    /// users cannot change.
    #[must_use]
    pub(crate) fn distrusted(self) -> Self {
        let StartArguments {
            config,
            has_workers,
            ..
        } = self.arguments;
        Self {
            arguments: StartArguments {
                config,
                has_workers,
                ..StartArguments::default()
            },
            is_trusted: false,
            ..self
        }
    }

    /// Whether both were started alike: the same program with the same configuration.
    #[must_use]
    pub(crate) fn is_started_like(&self, other: &Self) -> bool {
        self.process.executable == other.process.executable
            && self.arguments.is_same_configuration(&other.arguments)
    }
}

/// Returns the masters of a server among `processes`. Commands that only test or print something
/// are omitted.
#[must_use]
pub(crate) fn find_masters(
    software: ServerSoftware,
    processes: &[ProcessFacts],
) -> Vec<ServerMaster> {
    let names = process_names(software);
    let own: Vec<&ProcessFacts> = processes
        .iter()
        .filter(|process| names.contains(&process.name.as_str()))
        .collect();
    let mut masters = Vec::new();
    for &process in own.iter().filter(|one| is_master(software, one, &own)) {
        let children: Vec<&ProcessFacts> = own
            .iter()
            .copied()
            .filter(|other| other.parent == process.pid)
            .collect();
        // A command such as `nginx -t` ends by itself.
        let Some(mut arguments) = StartArguments::parse(software, process) else {
            continue;
        };
        if software == ServerSoftware::Haproxy && !children.is_empty() {
            arguments.has_workers = true;
        }
        let successor = children.iter().find(|child| is_titled_master(child));
        masters.push(ServerMaster {
            process: process.clone(),
            arguments,
            children: children.iter().map(|child| child.pid).collect(),
            successor: successor.map(|child| child.pid),
            is_trusted: true,
        });
    }
    masters
}

/// Whether a process is a master among `own`, the processes of the same server.
fn is_master(software: ServerSoftware, process: &ProcessFacts, own: &[&ProcessFacts]) -> bool {
    let has_server_parent = own.iter().any(|other| other.pid == process.parent);
    match software {
        // Without a master process (`master_process off`) there is one process without a title.
        ServerSoftware::Nginx => {
            is_titled_master(process)
                || (!has_server_parent && !process_facts::has_nginx_title(process))
        }
        ServerSoftware::Apache | ServerSoftware::Haproxy => !has_server_parent,
    }
}

#[cfg(test)]
mod tests {
    use super::{ProcessFacts, find_masters};
    use crate::webserver::model::ServerSoftware;

    fn process(pid: i32, parent: i32, name: &str, words: &[&str]) -> ProcessFacts {
        ProcessFacts {
            pid,
            parent,
            name: name.to_owned(),
            words: words.iter().map(|&word| word.to_owned()).collect(),
            folder: Some("/w".into()),
            ..ProcessFacts::default()
        }
    }

    fn pids(software: ServerSoftware, processes: &[ProcessFacts]) -> Vec<i32> {
        find_masters(software, processes)
            .iter()
            .map(|master| master.process.pid)
            .collect()
    }

    #[test]
    fn masters_of_nginx_are_found_by_their_titles() {
        let processes = [
            process(1, 0, "init", &["/sbin/init"]),
            process(
                10,
                1,
                "nginx",
                &["nginx: master process nginx -c /srv/a.conf"],
            ),
            process(11, 10, "nginx", &["nginx: worker process"]),
            process(
                12,
                10,
                "nginx",
                &["nginx: master process nginx -c /srv/a.conf"],
            ),
            process(20, 1, "nginx", &["nginx", "-t", "-c", "/srv/b.conf"]),
            process(
                21,
                1,
                "nginx",
                &["nginx", "-g", "master_process off;", "-c", "c.conf"],
            ),
            process(30, 1, "nginx", &["nginx: worker process"]),
            process(31, 1, "vi", &["nginx: master process nginx"]),
        ];
        assert_eq!(pids(ServerSoftware::Nginx, &processes), [10, 12, 21]);
        let masters = find_masters(ServerSoftware::Nginx, &processes);
        assert_eq!(masters[0].successor, Some(12), "an upgrade replaces it");
        assert_eq!(masters[1].successor, None);
        assert!(masters[0].is_started_like(&masters[1]));
        assert!(!masters[0].is_started_like(&masters[2]));
    }

    #[test]
    fn masters_of_apache_and_haproxy_have_no_parent_of_their_kind() {
        let processes = [
            process(40, 1, "apache2", &["/usr/sbin/apache2", "-k", "start"]),
            process(41, 40, "apache2", &["/usr/sbin/apache2", "-k", "start"]),
            process(42, 1, "apache2", &["apache2", "-t", "-f", "/x"]),
            process(43, 1, "apache2", &["apache2", "-k", "graceful"]),
            process(50, 1, "haproxy", &["haproxy", "-W", "-f", "a.cfg"]),
            process(51, 50, "haproxy", &["haproxy", "-W", "-f", "a.cfg"]),
            process(52, 1, "haproxy", &["haproxy", "-c", "-f", "a.cfg"]),
            process(53, 1, "haproxy", &["haproxy", "-D", "-f", "b.cfg"]),
        ];
        assert_eq!(pids(ServerSoftware::Apache, &processes), [40]);
        assert_eq!(pids(ServerSoftware::Haproxy, &processes), [50, 53]);
        let haproxy = find_masters(ServerSoftware::Haproxy, &processes);
        assert_eq!(haproxy[0].children, [51]);
        assert!(haproxy[0].arguments.has_workers && !haproxy[1].arguments.has_workers);
    }
}
