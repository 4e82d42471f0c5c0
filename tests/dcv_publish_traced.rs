//! Runs `certctl dcv-publish` under strace: it is killed at its network and file-system calls, and its
//! secrets must not appear in any other call than the one that reads them. `cargo test` tries a
//! sample of the calls; `scripts/crash-sweep` tries all. The tests of the other providers do the same.
//! Needs: ip kdig knotd prlimit strace unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use support::dns::with_port_53;
use support::traced_publication::{check_secret, kill_at_calls};
use support::updatable_zone::UpdatableZone;

#[test]
fn a_killed_run_loses_no_record() {
    with_port_53("a_killed_run_loses_no_record", || {
        let zone = UpdatableZone::start(0, "_acme-challenge TXT other", "");
        kill_at_calls(&zone, "rfc2136", 12);
    });
}

#[test]
fn a_secret_is_only_read() {
    with_port_53("a_secret_is_only_read", || {
        let zone = UpdatableZone::start(1, "", "");
        check_secret(&zone, "rfc2136", &zone.key.secret);
    });
}
