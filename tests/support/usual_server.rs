//! A real server that runs with its usual configuration file, in a mount namespace.

use std::path::Path;

use super::any_server::ServerKind;
use super::external::path_of;
use super::namespace::in_mount;
use super::{Run, Sandbox};

/// Runs `script` while this kind of server runs with the configuration in `folder`, which is
/// mounted over its usual one.
pub fn with_usual_server(kind: ServerKind, sandbox: &Sandbox, folder: &Path, script: &str) -> Run {
    let (usual, start) = match kind {
        ServerKind::Apache => (
            "/etc/apache2/apache2.conf",
            "apache2 -k start -d $FOLDER -f /etc/apache2/apache2.conf",
        ),
        ServerKind::Haproxy => (
            "/etc/haproxy/haproxy.cfg",
            "haproxy -D -W -f /etc/haproxy/haproxy.cfg -p $FOLDER/haproxy.pid",
        ),
        ServerKind::Nginx => ("/etc/nginx/nginx.conf", "nginx"),
    };
    let program = start.split(' ').next().unwrap();
    let start = start.replacen(program, &path_of(program).display().to_string(), 1);
    let folder_text = folder.display().to_string();
    let stop = match kind {
        ServerKind::Apache => "kill $(cat $FOLDER/apache2.pid)",
        ServerKind::Haproxy => "kill $(cat $FOLDER/haproxy.pid)",
        ServerKind::Nginx => "kill $(cat $FOLDER/nginx.pid)",
    };
    let config = kind.config(folder);
    // The master process goes to the background.
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("daemon off;", "daemon on;")).unwrap();
    let fill = |line: &str| line.replace("$FOLDER", &folder_text);
    with_server(
        sandbox,
        &config,
        usual,
        [&fill(&start), &fill(stop)],
        script,
    )
}

/// Mounts our configuration over the server's usual one, and runs the server until the script ends.
fn with_server(
    sandbox: &Sandbox,
    config: &Path,
    usual: &str,
    [start, stop]: [&str; 2],
    script: &str,
) -> Run {
    let mount = path_of("mount").display().to_string();
    // Debian has the file in another package than the program (apache2, apache2-bin).
    let missing = format!("{mount} -t tmpfs tmpfs $(dirname {usual}); touch {usual}");
    let config = format!(
        "[ -e {usual} ] || {{ {missing}; }}; {mount} --bind {} {usual}",
        config.display()
    );
    in_mount(
        sandbox,
        "size=1m",
        &format!("{config}; {start}; trap '{stop}' EXIT\n{script}"),
    )
}
