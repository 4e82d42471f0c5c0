//! How to reload and start a server: by its systemd unit, its service script, or its own command. A
//! server that systemd runs is reloaded by systemd, which would otherwise lose track of it.

use std::path::Path;

use crate::system::fs::files;
use crate::system::process;
use crate::webserver::control::observe::run;

/// Exists when systemd runs this machine (`sd_booted(3)`).
const SYSTEMD: &str = "/run/systemd/system";

/// The command that reloads the service of one of these names; `None` where there is no such
/// service, and where the user gave a configuration file (`config`), which a service does not use.
pub(crate) fn reload_command(config: Option<&Path>, names: &[&str]) -> Option<Vec<String>> {
    if config.is_some() {
        return None;
    }
    let has_systemd =
        process::find_program("systemctl").is_some() && files::exists(Path::new(SYSTEMD));
    let has_service = process::find_program("service").is_some();
    choose(
        names,
        |name| is_active_unit(name) && has_systemd,
        |name| has_service && process::find_program(&format!("/etc/init.d/{name}")).is_some(),
    )
}

fn is_active_unit(name: &str) -> bool {
    let command = ["systemctl", "is-active", "--quiet", name].map(str::to_owned);
    run(command.into()).is_ok_and(|finished| finished.succeeded())
}

/// The command that starts the service of that name; `None` without a service manager.
pub(crate) fn start_command(name: &str) -> Option<String> {
    files::exists(Path::new(SYSTEMD)).then(|| format!("sudo systemctl start {name}"))
}

/// Prefers a systemd unit that runs, then a service script.
fn choose(
    names: &[&str],
    is_active: impl Fn(&str) -> bool,
    has_script: impl Fn(&str) -> bool,
) -> Option<Vec<String>> {
    let command = if let Some(name) = names.iter().find(|name| is_active(name)) {
        ["systemctl", "reload", name]
    } else {
        let name = names.iter().find(|name| has_script(name))?;
        ["service", name, "reload"]
    };
    Some(command.map(str::to_owned).into())
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn running_units_are_preferred_to_service_scripts() {
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
            let command = choose(
                &names,
                |name| active.contains(&name),
                |name| script.contains(&name),
            );
            assert_eq!(command.unwrap_or_default().join(" "), expected);
        }
    }
}
