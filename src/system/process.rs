//! Runs other programs: without a shell, in a process group of their own, with an empty or a given
//! stdin, for a bounded time and with bounded output. Does not wait for daemons that inherited the output
//! pipe, such as nginx.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, PipeReader, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Access, MemfdFlags, access, memfd_create};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, pidfd_open,
    test_kill_process, waitid,
};

use crate::secret::{SecretText, mask_pins};
use crate::system::activity::{self, Activity};
use crate::system::fs::root_only::ExposedEntry;
use crate::system::signals::InterruptSignal;

/// A command to run, with its limits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CommandInvocation {
    /// The program (a path, or a name to look up) and its arguments, one word each.
    pub argv: Vec<String>,
    /// The time after which the whole process group is killed.
    pub deadline: Duration,
    /// How many bytes of its output are kept, at the beginning and the end; the rest is dropped.
    pub output_limit: usize,
}

/// The result of a command that ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FinishedCommand {
    /// The exit status; `None` if a signal or the deadline ended it, or if it is unknown.
    pub status: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Its output on stdout and stderr, in the order written, bounded. Untrusted text.
    pub output: String,
    /// True when it was killed at the deadline.
    pub timed_out: bool,
}

impl FinishedCommand {
    /// Returns true for exit status 0 before the deadline.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status == Some(0) && !self.timed_out
    }
}

/// Why a program could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The command is empty.
    #[error("the command is empty")]
    Empty,
    /// The program is neither at its path nor in the usual folders.
    #[error("the program {program} does not exist")]
    NotFound {
        /// The program as it was passed.
        program: String,
    },
    /// Root would run something that other users can change.
    #[error(
        "root does not run {}: users other than root can change {}",
        program.display(),
        list_exposed(exposed)
    )]
    Exposed {
        /// The program or script, as an absolute path.
        program: PathBuf,
        /// What they can change: the file itself, and folders and links on the way to it.
        exposed: Vec<ExposedEntry>,
    },
    /// The system did not start the program.
    #[error("cannot run {program}")]
    Start {
        /// The program as it was passed.
        program: String,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
}

/// `/home/alice (owner 1000:1000, mode 0755)`, for each.
fn list_exposed(exposed: &[ExposedEntry]) -> String {
    let words: Vec<String> = exposed
        .iter()
        .map(|entry| {
            let path = entry.path.display();
            format!("{path} (owner {}, mode {})", entry.owner, entry.mode)
        })
        .collect();
    words.join(", ")
}

/// What happens to the processes of a command's group that still run when the command has ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum LeftoverProcesses {
    /// They are killed.
    Killed,
    /// They go on: a reload may have started a server.
    #[default]
    Stay,
}

/// What surrounds a command: its working directory and environment, and what ends it.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommandSurroundings {
    /// The working directory; `None` for that of certctl.
    pub folder: Option<PathBuf>,
    /// The whole environment except for `PATH`, as names and values; `None` for that of certctl.
    pub variables: Option<Vec<(String, String)>>,
    /// What the command reads from its stdin; `None` for nothing.
    pub input: Option<SecretText>,
    pub leftovers: LeftoverProcesses,
    /// A signal to certctl that ends the command, as its deadline does; `None` if none does.
    pub interrupt: Option<InterruptSignal>,
}

impl CommandSurroundings {
    fn is_interrupted(&self) -> bool {
        let interrupt = self.interrupt.as_ref();
        interrupt.is_some_and(|interrupt| interrupt.signal().is_some())
    }
}

/// Runs a program to its end, or kills it and its whole group at the deadline.
///
/// # Errors
/// When it could not be started. Once started, the result is always a [`FinishedCommand`].
pub fn run(invocation: &CommandInvocation) -> Result<FinishedCommand, ProcessError> {
    run_in(invocation, &CommandSurroundings::default())
}

/// Like [`run`], in other surroundings.
///
/// # Errors
/// The same as [`run`].
pub(crate) fn run_in(
    invocation: &CommandInvocation,
    surroundings: &CommandSurroundings,
) -> Result<FinishedCommand, ProcessError> {
    let (program, arguments) = invocation.argv.split_first().ok_or(ProcessError::Empty)?;
    let path = find_program(program).ok_or_else(|| ProcessError::NotFound {
        program: program.clone(),
    })?;
    let ends = Instant::now() + invocation.deadline;
    activity::report(Activity::Run(&invocation.argv));
    let (mut child, reader) =
        spawn(&path, arguments, surroundings).map_err(|source| ProcessError::Start {
            program: program.clone(),
            source,
        })?;
    let mut capture = OutputCapture::new(reader, invocation.output_limit);
    let mut end = read_until_end(&mut child, &mut capture, ends, surroundings);
    let timed_out = matches!(end, ChildEnd::Deadline);
    if matches!(end, ChildEnd::Deadline | ChildEnd::Interrupted) {
        end = kill_group(&mut child, &mut capture);
    }
    let (status, signal) = match end {
        ChildEnd::Exit(exit) => (exit.code().filter(|_| !timed_out), exit.signal()),
        ChildEnd::Lost | ChildEnd::Deadline | ChildEnd::Interrupted => (None, None),
    };
    Ok(FinishedCommand {
        status,
        signal,
        output: capture.text(),
        timed_out,
    })
}

enum ChildEnd {
    Exit(ExitStatus),
    /// It has ended, and its status is lost (the parent of certctl ignores `SIGCHLD`).
    Lost,
    Deadline,
    /// A signal to certctl arrived.
    Interrupted,
}

fn spawn(
    path: &Path,
    arguments: &[String],
    surroundings: &CommandSurroundings,
) -> io::Result<(Child, PipeReader)> {
    let (reader, writer) = io::pipe()?;
    rustix::io::ioctl_fionbio(&reader, true)?;
    let mut command = Command::new(path);
    if let Some(folder) = &surroundings.folder {
        command.current_dir(folder);
    }
    if let Some(variables) = &surroundings.variables {
        let variables = variables.iter().map(|(name, value)| (name, value));
        command.env_clear().envs(variables);
    }
    let child = command
        .args(arguments)
        // Scripts such as apachectl search for other programs.
        .env(
            "PATH",
            std::env::join_paths(program_folders()).unwrap_or_default(),
        )
        .stdin(stdin_of(surroundings)?)
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0)
        .spawn()?;
    Ok((child, reader))
}

/// Returns the stdin of a command. Its input is in memory without a name, and complete before the
/// command starts: neither waits for the other, and no other user can read it.
fn stdin_of(surroundings: &CommandSurroundings) -> io::Result<Stdio> {
    let Some(input) = &surroundings.input else {
        return Ok(Stdio::null());
    };
    let mut memory = File::from(memfd_create(c"certctl-input", MemfdFlags::CLOEXEC)?);
    memory.write_all(input.expose().as_bytes())?;
    memory.rewind()?;
    Ok(memory.into())
}

/// How often a command that a signal to certctl ends is checked for one.
const INTERRUPT_PAUSE: Duration = Duration::from_millis(100);

/// Reads the output of the child until it has ended, `ends` is reached or a signal ends it.
fn read_until_end(
    child: &mut Child,
    capture: &mut OutputCapture,
    ends: Instant,
    surroundings: &CommandSurroundings,
) -> ChildEnd {
    let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).ok();
    loop {
        if surroundings.leftovers == LeftoverProcesses::Killed && has_ended(child) {
            // Until the child is waited for, its id, which is that of its group, is not used again.
            let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
        }
        let ended = match child.try_wait() {
            Ok(None) => None,
            Ok(Some(exit)) => Some(ChildEnd::Exit(exit)),
            Err(_) => Some(ChildEnd::Lost),
        };
        if let Some(end) = ended {
            capture.drain();
            return end;
        }
        let mut left = ends.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return ChildEnd::Deadline;
        }
        if surroundings.is_interrupted() {
            return ChildEnd::Interrupted;
        }
        if surroundings.interrupt.is_some() {
            left = left.min(INTERRUPT_PAUSE);
        }
        wait_for_event(capture, pidfd.as_ref(), left);
        capture.read_chunk();
    }
}

/// Whether the child has ended and was not waited for yet.
fn has_ended(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    let status = waitid(WaitId::Pid(Pid::from_child(child)), options);
    matches!(status, Ok(Some(_)))
}

/// Kills the whole group and waits for the child, but only for a second (it may hang in the kernel,
/// or run as another user).
fn kill_group(child: &mut Child, capture: &mut OutputCapture) -> ChildEnd {
    // If the group is gone, or belongs to another user, the wait below shows that.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    let ends = Instant::now() + Duration::from_secs(1);
    read_until_end(child, capture, ends, &CommandSurroundings::default())
}

/// Waits until there is output, the child has ended, or `left` has passed.
fn wait_for_event(capture: &OutputCapture, pidfd: Option<&OwnedFd>, left: Duration) {
    // Without pidfds (Linux before 5.3) the child is polled every few milliseconds.
    let left = if pidfd.is_some() {
        left
    } else {
        left.min(Duration::from_millis(5))
    };
    let mut waited: Vec<PollFd<'_>> = pidfd
        .iter()
        .map(|fd| PollFd::new(*fd, PollFlags::IN))
        .collect();
    if capture.open {
        waited.push(PollFd::new(&capture.reader, PollFlags::IN));
    }
    let timeout = Timespec::try_from(left).ok();
    // A signal only ends this wait early.
    let _ = poll(&mut waited, timeout.as_ref());
}

/// The head and the tail of the output in a pipe.
struct OutputCapture {
    reader: PipeReader,
    /// False once the other end is closed.
    open: bool,
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    omitted_bytes: u64,
}

/// How many bytes are read at once; a pipe holds at most 16 times as many
/// (`/proc/sys/fs/pipe-max-size`, 1 MiB).
const CHUNK: usize = 64 * 1024;

impl OutputCapture {
    fn new(reader: PipeReader, limit: usize) -> Self {
        Self {
            reader,
            open: true,
            half: limit / 2,
            head: Vec::new(),
            tail: VecDeque::new(),
            omitted_bytes: 0,
        }
    }

    /// Reads what is in the pipe now. Bounded, because a daemon may continue to write.
    fn drain(&mut self) {
        for _ in 0..16 {
            if !self.read_chunk() {
                return;
            }
        }
    }

    /// Reads one chunk; false if there is none now.
    fn read_chunk(&mut self) -> bool {
        let mut chunk = vec![0; CHUNK];
        match self.reader.read(&mut chunk) {
            Ok(0) => self.open = false,
            Ok(count) => {
                self.keep(&chunk[..count]);
                return true;
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(_) => self.open = false,
        }
        false
    }

    fn keep(&mut self, bytes: &[u8]) {
        let (head, rest) =
            bytes.split_at(bytes.len().min(self.half.saturating_sub(self.head.len())));
        self.head.extend(head);
        self.tail.extend(rest);
        let excess = self.tail.len().saturating_sub(self.half);
        self.tail.drain(..excess);
        self.omitted_bytes += u64::try_from(excess).unwrap_or(u64::MAX);
    }

    /// The output as text, without the PINs of tokens.
    fn text(self) -> String {
        let tail: Vec<u8> = self.tail.into();
        if self.omitted_bytes == 0 {
            return mask_pins(&String::from_utf8_lossy(&[self.head, tail].concat()));
        }
        let head = mask_pins(&String::from_utf8_lossy(&self.head));
        let tail = mask_pins(&String::from_utf8_lossy(&tail));
        format!("{head}\n[{} bytes omitted]\n{tail}", self.omitted_bytes)
    }
}

/// The usual folders of programs, some of which may not be in the `PATH` of users, cron or
/// services.
const USUAL: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// Returns the absolute folders of `PATH`, then the usual ones. Relative folders are omitted,
/// because they depend on the working directory.
fn program_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .collect();
    for usual in USUAL.map(PathBuf::from) {
        if !folders.contains(&usual) {
            folders.push(usual);
        }
    }
    folders
}

/// Returns the path of a program: a path unchanged, a name from `PATH` or else the usual folders.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return is_executable(Path::new(name)).then(|| PathBuf::from(name));
    }
    program_folders()
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// Returns whether a process with that id exists, whichever user owns it.
#[must_use]
pub fn is_alive(pid: i32) -> bool {
    let found = Pid::from_raw(pid).map(test_kill_process);
    matches!(found, Some(Ok(()) | Err(rustix::io::Errno::PERM)))
}

/// Returns whether certctl may send signals to a process.
#[must_use]
pub(crate) fn may_signal(pid: i32) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid).is_ok())
}

/// A signal that makes servers read their files again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ProcessSignal {
    Hup,
    Usr1,
    Usr2,
}

/// Sends a signal to a process; returns false if it could not be sent.
#[must_use]
pub(crate) fn send_signal(pid: i32, signal: ProcessSignal) -> bool {
    let signal = match signal {
        ProcessSignal::Hup => Signal::HUP,
        ProcessSignal::Usr1 => Signal::USR1,
        ProcessSignal::Usr2 => Signal::USR2,
    };
    Pid::from_raw(pid).is_some_and(|pid| kill_process(pid, signal).is_ok())
}
