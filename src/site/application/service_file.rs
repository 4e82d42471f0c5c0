//! The service that runs an application: the command of gunicorn, and the file from which systemd or
//! supervisor starts it.

use std::path::{Path, PathBuf};

use super::account::ApplicationAccount;
use super::argument::ObjectPath;
use super::recognition::WebInterface;
use crate::site::managed_file;

/// How many processes answer requests, and how many requests each answers at once.
const WORKERS: &str = "2";
const THREADS: &str = "4";
/// How long requests may take to end when the application is stopped, in seconds.
const STOP_TIMEOUT: &str = "30";

/// A program that starts other programs, and starts them again when they end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ServiceManager {
    Supervisor,
    Systemd,
}

impl ServiceManager {
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Supervisor => "supervisor",
            Self::Systemd => "systemd",
        }
    }
}

/// How gunicorn runs an application.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct GunicornCommand {
    /// The virtual environment.
    pub environment: PathBuf,
    pub object: ObjectPath,
    pub interface: WebInterface,
    /// The worker class for ASGI, which newer versions of uvicorn have in a package of its own.
    pub asgi_worker: &'static str,
    pub socket: PathBuf,
}

impl GunicornCommand {
    /// Returns the words of the command.
    #[must_use]
    pub(crate) fn words(&self) -> Vec<String> {
        let python = self.environment.join("bin/python");
        let mut words = vec![python.display().to_string()];
        let mut add = |more: &[&str]| words.extend(more.iter().map(|&word| word.to_owned()));
        add(&["-m", "gunicorn", "--workers", WORKERS]);
        match self.interface {
            WebInterface::Wsgi => add(&["--threads", THREADS]),
            // Only the web server reaches the socket, so its headers are trusted. gunicorn trusts a
            // socket by itself, uvicorn does not.
            WebInterface::Asgi => add(&[
                "--worker-class",
                self.asgi_worker,
                "--forwarded-allow-ips=*",
            ]),
        }
        let socket = format!("unix:{}", self.socket.display());
        add(&["--bind", &socket, &self.object.in_words()]);
        words
    }
}

/// The file from which a service manager starts an application.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServiceFile<'a> {
    pub account: &'a ApplicationAccount,
    /// The folder with the source.
    pub folder: &'a Path,
    pub command: &'a GunicornCommand,
    /// The file that supervisor writes the output to.
    pub log: &'a Path,
}

impl ServiceFile<'_> {
    /// Returns the content of the file.
    #[must_use]
    pub(crate) fn text(&self, manager: ServiceManager) -> String {
        let head = "# Written by `certctl site`, which removes it with `--remove`. If you edit this\n\
            # file, certctl no longer changes it.\n";
        let body = match manager {
            ServiceManager::Supervisor => self.program(),
            ServiceManager::Systemd => self.unit(),
        };
        managed_file::seal(&format!("{head}{body}"))
    }

    /// The unit of systemd. The application can write in its own folder and nowhere else.
    fn unit(&self) -> String {
        let account = self.account;
        let words: Vec<String> = self
            .command
            .words()
            .iter()
            .map(|word| unit_word(word))
            .collect();
        let visible = |hidden: &[&str], closed: &'static str, open: &'static str| {
            let used = [self.folder, &self.command.environment];
            let is_hidden = |path: &&Path| hidden.iter().any(|folder| path.starts_with(folder));
            if used.iter().any(is_hidden) {
                open
            } else {
                closed
            }
        };
        let protect_home = visible(&["/home", "/root", "/run/user"], "yes", "read-only");
        let private_tmp = visible(&["/tmp", "/var/tmp"], "yes", "no");
        format!(
            "[Unit]
Description=Application of https://{site}
After=network.target

[Service]
Type=notify
User={user}
Group={user}
WorkingDirectory={folder}
Environment=HOME={home} PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=2
KillMode=mixed
TimeoutStopSec={STOP_TIMEOUT}
UMask=0027
ReadWritePaths={own}
ProtectSystem=strict
ProtectHome={protect_home}
PrivateTmp={private_tmp}
PrivateDevices=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
",
            site = account.site,
            user = account.name,
            folder = unit_path(self.folder),
            home = account.home().display(),
            command = words.join(" "),
            own = account.folder().display(),
        )
    }

    /// The program of supervisor.
    fn program(&self) -> String {
        let words: Vec<String> = self
            .command
            .words()
            .iter()
            .map(|word| program_word(word))
            .collect();
        format!(
            "[program:{user}]
command={command}
directory={folder}
user={user}
environment=HOME=\"{home}\",USER=\"{user}\",LOGNAME=\"{user}\",PYTHONDONTWRITEBYTECODE=\"1\",PYTHONUNBUFFERED=\"1\"
umask=027
autostart=true
autorestart=true
startsecs=2
stopsignal=TERM
stopwaitsecs={STOP_TIMEOUT}
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
",
            user = self.account.name,
            command = words.join(" "),
            folder = program_value(&self.folder.display().to_string()),
            home = self.account.home().display(),
            log = program_value(&self.log.display().to_string()),
        )
    }
}

/// A word of `ExecStart=` (systemd.service(5)): `%`, `$`, quotes and backslashes are its own syntax.
fn unit_word(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('%', "%%");
    let escaped = escaped.replace('$', "$$").replace('"', "\\\"");
    if word.contains(|c: char| c.is_whitespace() || c == '\'' || c == ';') {
        format!("\"{escaped}\"")
    } else {
        escaped
    }
}

/// A path as the whole value of a directive: only `%` is its syntax.
fn unit_path(path: &Path) -> String {
    path.display().to_string().replace('%', "%%")
}

/// A word of `command=`, which supervisor splits like a shell.
fn program_word(word: &str) -> String {
    program_value(&crate::finding::shell_word(word))
}

/// A value of supervisor: `%` begins an expansion.
fn program_value(text: &str) -> String {
    text.replace('%', "%%")
}

/// Whether a path can be written into the file of a service. ` ;` would begin a comment in supervisor.
#[must_use]
pub(crate) fn is_writable_path(path: &Path) -> bool {
    let text = path.to_str();
    text.is_some_and(|text| !text.contains(|c: char| c.is_control() || ";#\"'\\".contains(c)))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{GunicornCommand, ServiceFile, ServiceManager, is_writable_path};
    use crate::site::application::argument::ObjectPath;
    use crate::site::application::{ApplicationAccount, WebInterface};

    fn text(manager: ServiceManager, folder: &str, interface: WebInterface) -> String {
        let account = ApplicationAccount::for_site("shop.example");
        let command = GunicornCommand {
            environment: Path::new(folder).join("venv"),
            object: ObjectPath {
                module: "shop.wsgi".to_owned(),
                object: "create_app()".to_owned(),
            },
            interface,
            asgi_worker: "uvicorn_worker.UvicornWorker",
            socket: account.socket(),
        };
        let file = ServiceFile {
            account: &account,
            folder: Path::new(folder),
            command: &command,
            log: &PathBuf::from("/var/log/supervisor/app-shop-example.log"),
        };
        file.text(manager)
    }

    #[test]
    fn a_program_of_supervisor_runs_gunicorn_as_the_user_of_the_application() {
        let text = text(
            ServiceManager::Supervisor,
            "/srv/100% shop",
            WebInterface::Wsgi,
        );
        let body = text.split_once('\n').unwrap().1;
        insta::assert_snapshot!(body, @r#"
# Written by `certctl site`, which removes it with `--remove`. If you edit this
# file, certctl no longer changes it.
[program:app-shop-example]
command='/srv/100%% shop/venv/bin/python' -m gunicorn --workers 2 --threads 4 --bind unix:/var/lib/certctl-apps/app-shop-example/run/app.sock 'shop.wsgi:create_app()'
directory=/srv/100%% shop
user=app-shop-example
environment=HOME="/var/lib/certctl-apps/app-shop-example/home",USER="app-shop-example",LOGNAME="app-shop-example",PYTHONDONTWRITEBYTECODE="1",PYTHONUNBUFFERED="1"
umask=027
autostart=true
autorestart=true
startsecs=2
stopsignal=TERM
stopwaitsecs=30
killasgroup=true
redirect_stderr=true
stdout_logfile=/var/log/supervisor/app-shop-example.log
"#);
    }

    #[test]
    fn a_unit_of_systemd_sees_the_folder_and_writes_only_its_own() {
        let unit = |folder: &str| text(ServiceManager::Systemd, folder, WebInterface::Asgi);
        let home = unit("/home/ann/100% shop");
        let expected = "ExecStart=\"/home/ann/100%% shop/venv/bin/python\" -m gunicorn --workers 2 \
            --worker-class uvicorn_worker.UvicornWorker --forwarded-allow-ips=* --bind \
            unix:/var/lib/certctl-apps/app-shop-example/run/app.sock shop.wsgi:create_app()\n";
        assert!(home.contains(expected), "{home}");
        assert!(
            home.contains("\nWorkingDirectory=/home/ann/100%% shop\n"),
            "{home}"
        );
        assert!(
            home.contains("\nProtectHome=read-only\nPrivateTmp=yes\n"),
            "{home}"
        );
        assert!(unit("/srv/a").contains("\nProtectHome=yes\nPrivateTmp=yes\n"));
        assert!(unit("/tmp/a").contains("\nProtectHome=yes\nPrivateTmp=no\n"));
    }

    #[test]
    fn paths_with_syntax_are_refused() {
        assert!(is_writable_path(Path::new("/srv/100% shop")));
        for odd in [
            "/srv/a;b",
            "/srv/a\nb",
            "/srv/a'b",
            "/srv/a\"b",
            "/srv/a\\b",
            "/srv/#",
        ] {
            assert!(!is_writable_path(Path::new(odd)), "{odd}");
        }
    }
}
