//! Who is to reload a server: the systemd unit that runs it, the service script, or the server's
//! own command. A server that systemd runs should hear of it from systemd, which otherwise loses
//! sight of it.

use std::path::Path;

use crate::system::fs::files;
use crate::system::process;
use crate::webserver::control::observe::run;

/// There when systemd runs this machine (`sd_booted(3)`).
const SYSTEMD: &str = "/run/systemd/system";

/// The command that makes the service of one of these names read its files again; `None` where
/// there is no such service.
pub(crate) fn reload_command(names: &[&str]) -> Option<Vec<String>> {
    let systemd = process::which("systemctl").is_some() && files::occupied(Path::new(SYSTEMD));
    let active = |name: &str| {
        let asked = run(["systemctl", "is-active", "--quiet", name]
            .map(str::to_owned)
            .into());
        systemd && asked.is_ok_and(|finished| finished.succeeded())
    };
    let service = process::which("service").is_some();
    let script = |name: &str| service && process::which(&format!("/etc/init.d/{name}")).is_some();
    choose(names, active, script)
}

/// The command that starts the service of that name; `None` where no service manager is there.
pub(crate) fn start_command(name: &str) -> Option<String> {
    files::occupied(Path::new(SYSTEMD)).then(|| format!("sudo systemctl start {name}"))
}

fn choose(
    names: &[&str],
    active: impl Fn(&str) -> bool,
    script: impl Fn(&str) -> bool,
) -> Option<Vec<String>> {
    let words = |words: [&str; 3]| Some(words.map(str::to_owned).into());
    if let Some(name) = names.iter().find(|name| active(name)) {
        return words(["systemctl", "reload", name]);
    }
    names
        .iter()
        .find(|name| script(name))
        .and_then(|name| words(["service", name, "reload"]))
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn a_unit_that_runs_then_a_script_then_nothing() {
        let names = ["apache2", "httpd"];
        for (active, script, expected) in [
            (
                &["apache2"][..],
                &["apache2"][..],
                "systemctl reload apache2",
            ),
            (&["httpd"], &["apache2"], "systemctl reload httpd"),
            (&[], &["httpd"], "service httpd reload"),
            (&[], &[], ""),
        ] {
            let told = choose(
                &names,
                |name| active.contains(&name),
                |name| script.contains(&name),
            );
            assert_eq!(told.unwrap_or_default().join(" "), expected);
        }
    }
}
