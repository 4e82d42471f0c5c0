//! Running other programs that succeed, fail, never end, or print too much.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::{Duration, Instant};

use certctl::facade::system::process::{
    CommandInvocation, FinishedCommand, ProcessError, find_program, is_alive, run,
};

fn invoke(argv: &[&str], millis: u64) -> Result<FinishedCommand, ProcessError> {
    let argv = argv.iter().map(|&word| word.to_owned()).collect();
    run(&CommandInvocation {
        argv,
        deadline: Duration::from_millis(millis),
        output_limit: 1000,
    })
}

fn shell(script: &str, millis: u64) -> FinishedCommand {
    invoke(&["sh", "-c", script], millis).unwrap()
}

#[test]
fn both_streams_are_captured_in_order_with_the_status() {
    let finished = shell("echo one; echo two >&2; echo three; exit 3", 10_000);
    assert_eq!(finished.output, "one\ntwo\nthree\n");
    assert_eq!(
        (finished.status, finished.signal, finished.timed_out),
        (Some(3), None, false)
    );
    assert!(!finished.succeeded());
    assert!(shell("true", 10_000).succeeded());
}

#[test]
fn a_signal_is_reported_as_a_signal() {
    let finished = shell("kill -9 $$", 10_000);
    assert_eq!(
        (finished.status, finished.signal, finished.timed_out),
        (None, Some(9), false)
    );
}

#[test]
fn stdin_is_empty() {
    assert_eq!(shell("cat; echo end", 10_000).output, "end\n");
}

#[test]
fn the_middle_of_a_long_output_is_omitted() {
    let finished = shell(
        "echo first; head -c 100000000 /dev/zero | tr '\\0' x; echo; echo last",
        60_000,
    );
    assert!(finished.succeeded());
    assert!(
        finished.output.starts_with("first\nxxx"),
        "{}",
        finished.output
    );
    assert!(finished.output.ends_with("xxx\nlast\n"));
    assert!(
        finished.output.contains("\n[99999012 bytes omitted]\n"),
        "{}",
        &finished.output[490..560]
    );
}

#[test]
fn endless_output_ends_at_the_deadline() {
    let finished = invoke(&["yes"], 300).unwrap();
    assert!(finished.timed_out);
    assert!(finished.output.len() < 1100);
}

#[test]
fn the_whole_process_group_is_killed_at_the_deadline() {
    // The shell is killed by a signal, long before the program that it waits for would end.
    let finished = shell("sleep 86000 & echo $!; wait", 300);
    assert_eq!(
        (finished.status, finished.signal, finished.timed_out),
        (None, Some(9), true)
    );
    let grandchild: i32 = finished.output.trim().parse().unwrap();
    let ends = Instant::now() + Duration::from_secs(10);
    // It is killed at once, but its new parent reaps it a little later.
    while is_alive(grandchild) && running(grandchild) {
        assert!(Instant::now() < ends, "{grandchild} still runs");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn running(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn daemons_that_inherit_the_output_are_not_waited_for_and_survive() {
    let finished = shell("sleep 86000 & echo $!", 20_000);
    assert!(finished.succeeded() && !finished.timed_out, "{finished:?}");
    let daemon: i32 = finished.output.trim().parse().unwrap();
    assert!(running(daemon), "a daemon must survive its start");
    let output = std::fs::read_link(format!("/proc/{daemon}/fd/1")).unwrap();
    assert!(
        output.to_string_lossy().starts_with("pipe:"),
        "it still holds the output open: {}",
        output.display()
    );
    let daemon = rustix::process::Pid::from_raw(daemon).unwrap();
    rustix::process::kill_process(daemon, rustix::process::Signal::TERM).unwrap();
}

#[test]
fn a_child_that_closes_its_output_is_still_waited_for() {
    let finished = shell("exec >&- 2>&-; sleep 0.2; exit 7", 10_000);
    assert_eq!(finished.status, Some(7));
}

#[test]
fn programs_that_cannot_be_started_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    std::fs::write(&script, "no program").unwrap();
    let script = script.display().to_string();
    assert!(matches!(invoke(&[], 1000), Err(ProcessError::Empty)));
    assert!(matches!(
        invoke(&["certctl-no-such"], 1000),
        Err(ProcessError::NotFound { .. })
    ));
    assert!(
        matches!(invoke(&[&script], 1000), Err(ProcessError::NotFound { .. })),
        "not executable"
    );
    std::process::Command::new("chmod")
        .args(["+x", &script])
        .status()
        .unwrap();
    std::fs::write(&script, "\x7fELF not really").unwrap();
    assert!(matches!(
        invoke(&[&script], 1000),
        Err(ProcessError::Start { .. })
    ));
    assert_eq!(find_program("sh").unwrap().file_name().unwrap(), "sh");
}
