//! Advice of `site`: what it needs, how to repair what prevents it, and what comes after a
//! placeholder.

use std::path::Path;

use super::command_lines::shell_path;
use super::rerun;
use crate::finding::{Finding, NextStep};
use crate::pki::name::DnsName;
use crate::site::plan::SiteObstacle;
use crate::webserver::model::{
    ConfigBlock, DefaultBlock, LinesToAdd, ServerSoftware, UpstreamAddress,
};

const NGINX_LOG: &str = "sudo tail -n 20 /var/log/nginx/error.log";

/// The same command once the cause is repaired; `repair` says what to do.
pub(super) fn repeat_after(repair: &str) -> NextStep {
    match rerun::same_line(&["site"]) {
        Some(again) => {
            NextStep::run_shell(format!("{repair}, then run the same command again"), again).later()
        }
        None => NextStep::say(format!("{repair}, then run the same command again")),
    }
}

/// Another `site` command for the same name.
fn run_site(sentence: &str, name: &DnsName, options: &[&str]) -> NextStep {
    let stem = name.file_stem();
    let mut words = vec!["site", stem.as_str()];
    words.extend(options);
    NextStep::run_certctl(sentence, &words).with_sudo()
}

/// `--root` was given.
#[must_use]
pub(crate) fn run_on_machine() -> NextStep {
    NextStep::say("Run it on the machine that serves the site, without `--root`")
}

/// Neither an application nor a folder was given.
#[must_use]
pub(crate) fn choose_content(name: &DnsName) -> [NextStep; 3] {
    let application = ["--app", "/srv/app"];
    let upstream = ["--upstream", "http://127.0.0.1:8000"];
    let files = ["--static", "/srv/www"];
    [
        run_site(
            "For an application that runs, give its URL",
            name,
            &upstream,
        )
        .later(),
        run_site("For one in Python, give its folder", name, &application).later(),
        run_site("For files, give their folder", name, &files).later(),
    ]
}

/// The path of a folder cannot be written into the configuration.
#[must_use]
pub(crate) fn rename_folder() -> NextStep {
    NextStep::say("Rename the folder, or give another one")
}

/// The folder of `--static` does not exist.
#[must_use]
pub(crate) fn create_folder(folder: &Path) -> NextStep {
    let sentence = "Create it and put the files there, or correct the path";
    NextStep::run_shell(sentence, format!("sudo mkdir -p {}", shell_path(folder)))
}

/// No web server is installed.
#[must_use]
pub(crate) fn install_nginx() -> NextStep {
    let package = ServerSoftware::Nginx.package();
    NextStep::run_shell(
        "Install it (on Debian or Ubuntu)",
        format!("sudo apt-get install {package}"),
    )
}

/// The main configuration file reads no other file.
#[must_use]
pub(crate) fn include_folder(config: &Path) -> NextStep {
    let sentence = format!(
        "Add this line to the http block of {}, and create the folder",
        config.display()
    );
    NextStep::say(sentence).with_lines(["include /etc/nginx/conf.d/*.conf;".to_owned()])
}

/// Reports what is in the way of the site's file or link.
#[must_use]
pub(crate) fn report_obstacle(obstacle: &SiteObstacle) -> Finding {
    match obstacle {
        SiteObstacle::Edited { file, difference } => {
            let message = format!(
                "somebody has edited {}, so certctl leaves it alone; what certctl would write \
                 differs in these lines",
                file.display()
            );
            let aside = format!("{}.edited", file.display());
            let line = format!(
                "sudo mv -n {} {}",
                shell_path(file),
                shell_path(Path::new(&aside))
            );
            let sentence = "If the changes are not needed, move the file out of the way, then run \
                the same command again";
            Finding::error("site-file-edited", message)
                .with_quote(difference.iter().cloned())
                .with_step(NextStep::run_shell(sentence, line).later())
        }
        SiteObstacle::AdoptedEdited(file) => {
            let message = format!(
                "somebody has edited the lines that certctl added to {}, so certctl leaves them alone",
                file.display()
            );
            let line = format!("grep -n -A 9 certctl-adopt {}", shell_path(file));
            Finding::error("site-file-edited", message).with_step(NextStep::run_shell(
                "Remove them by hand, from the first `# certctl-adopt` to the last; this shows them",
                line,
            ))
        }
        SiteObstacle::Taken(path) => {
            let message = format!("{} exists, and certctl did not write it", path.display());
            Finding::error("site-path-taken", message).with_step(NextStep::run_shell(
                "Find out what it is for",
                format!("ls -l {}", shell_path(path)),
            ))
        }
    }
}

/// Reports a block that answers for the name already, and the lines that it needs.
#[must_use]
pub(crate) fn report_other_block(
    block: &ConfigBlock,
    name: &DnsName,
    added: Option<LinesToAdd>,
) -> Finding {
    let message = format!("{block} answers for {name}, and certctl did not write that block");
    let finding = Finding::error("name-already-served", message);
    match added {
        Some(added) => {
            let sentence = format!("To serve it over https, add these lines to {block}");
            finding
                .with_step(NextStep::say(sentence).with_lines(added.lines))
                .with_step(adopt_block(name))
        }
        None => finding.with_step(NextStep::say(format!(
            "Change that block by hand, or remove {name} from it and run the same command again"
        ))),
    }
}

/// certctl can add the lines itself.
pub(super) fn adopt_block(name: &DnsName) -> NextStep {
    run_site(
        "Or let certctl add them, test and verify",
        name,
        &["--adopt"],
    )
}

/// The block that serves the name in plain text gets TLS.
#[must_use]
pub(crate) fn adopt_plain_block(name: &DnsName) -> NextStep {
    run_site(
        "Let certctl add TLS to it, test and verify",
        name,
        &["--adopt"],
    )
}

/// Reports that no block answers for the name, so that there is none to add lines to.
#[must_use]
pub(crate) fn report_nothing_to_adopt(name: &DnsName) -> Finding {
    let message = format!("no block answers for {name}, so there is none to add TLS to");
    let finding = Finding::error("nothing-to-adopt", message);
    choose_content(name)
        .into_iter()
        .fold(finding, Finding::with_step)
}

/// Reports a block whose visitors would get a certificate that does not cover their names.
#[must_use]
pub(crate) fn report_uncovered(
    block: &ConfigBlock,
    covered: &[DnsName],
    uncovered: &[String],
) -> Finding {
    let message = format!(
        "{block} also answers for {}, which the certificate does not cover",
        uncovered.join(", ")
    );
    let mut words = vec!["csr".to_owned()];
    words.extend(covered.iter().map(DnsName::file_stem));
    words.extend(uncovered.iter().cloned());
    let sentence =
        "Move those names to a block of their own, or request a certificate for all names";
    Finding::error("names-not-covered", message)
        .with_step(NextStep::run_certctl(sentence, &words).later())
}

/// Reports that the web server does not run.
#[must_use]
pub(crate) fn report_stopped(start_command: String) -> Finding {
    Finding::error("server-not-running", "nginx is not running").with_step(NextStep::run_shell(
        "Start it, then run the same command again",
        start_command,
    ))
}

/// Reports that nothing listens at the address of the application.
#[must_use]
pub(crate) fn report_closed_upstream(address: &UpstreamAddress) -> Finding {
    let message = format!("nothing listens at {address}, where the application should answer");
    Finding::error("upstream-closed", message).with_step(repeat_after("Start the application"))
}

/// Reports a block that would no longer be the default at its address.
#[must_use]
pub(crate) fn report_default(default: &DefaultBlock) -> Finding {
    let place = format!("{}:{}", default.file.display(), default.line);
    let address = &default.address;
    let message = format!(
        "{place} answers at {address} for names that no block has; the new block would take its \
         place, because nginx reads it first"
    );
    let repair = format!("Add `default_server` to the `listen {address}` line of {place}");
    Finding::error("default-block-changed", message).with_step(repeat_after(&repair))
}

/// What to do after a step of the server failed.
#[must_use]
pub(crate) fn repair_server() -> NextStep {
    repeat_after("Repair what the server reports")
}

/// What to do if the site answers with an error.
#[must_use]
pub(crate) fn read_log() -> NextStep {
    NextStep::run_shell("Read the last lines of the server's log", NGINX_LOG)
}

/// The application does not answer.
#[must_use]
pub(crate) fn start_application() -> NextStep {
    repeat_after("Start the application")
}

/// The server may not read the files.
#[must_use]
pub(crate) fn check_folder(folder: &Path) -> NextStep {
    let mut paths: Vec<String> = folder.ancestors().map(shell_path).collect();
    paths.reverse();
    paths.push(shell_path(&folder.join("index.html")));
    NextStep::run_shell(
        "Check that the folder has an index.html, and that others (the last three letters of each \
            mode) may read that file and enter (x) every folder above it",
        format!("ls -ld {}", paths.join(" ")),
    )
}

/// Another block answers for a name of the site.
#[must_use]
pub(crate) fn remove_name(name: &str, place: &str) -> NextStep {
    repeat_after(&format!("Remove {name} from {place}"))
}

/// A rollback failed.
#[must_use]
pub(crate) fn test_by_hand() -> NextStep {
    NextStep::run_shell(
        "Repair the cause, then test and reload the server",
        "sudo nginx -t && sudo nginx -s reload",
    )
}

/// The site has a self-signed certificate.
#[must_use]
pub(crate) fn replace_placeholder(names: &[DnsName], well_known: &Path) -> [NextStep; 2] {
    let stems: Vec<String> = names.iter().map(DnsName::file_stem).collect();
    let words = |verb: &str| {
        let verb = std::iter::once(verb.to_owned());
        verb.chain(stems.iter().cloned()).collect::<Vec<String>>()
    };
    let mut order = words("order");
    let folder = well_known.display().to_string();
    order.extend(["--ca", "letsencrypt", "--agree-tos", "--webroot"].map(str::to_owned));
    order.push(folder);
    [
        NextStep::run_certctl(
            "Order a certificate from Let's Encrypt; --agree-tos accepts its terms of service",
            &order,
        )
        .with_sudo(),
        NextStep::run_certctl(
            "Or, to buy one, make the key and the request",
            &words("csr"),
        ),
    ]
}

/// The certificate was installed before any server used it.
#[must_use]
pub(crate) fn finish_install(stem: &str) -> NextStep {
    let sentence = "Install the certificate again, which verifies it and says how it is renewed";
    NextStep::run_certctl(sentence, &["install", stem]).with_sudo()
}

/// How to undo what was done.
#[must_use]
pub(crate) fn remove_site(name: &DnsName) -> NextStep {
    run_site("Remove the site from the server", name, &["--remove"])
}
