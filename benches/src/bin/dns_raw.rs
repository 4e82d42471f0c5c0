//! Looks up CNAME records in a loop over one UDP socket, with up to 64 datagrams in each system call: the
//! least that the lookups cost. Usage: dns_raw LIST ADDRESS, where LIST has a name and its target on
//! each line, as for `dcv-check --batch`. Questions are matched with answers by their number alone;
//! prints each name with the target of its answer.

use std::fmt::Write;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::time::Duration;

/// Datagrams in one system call.
const BATCH: usize = 64;
/// Open questions; with more, the server's buffer overflows.
const WINDOW: usize = 200;
/// How long an answer is waited for.
const TIMER: Duration = Duration::from_millis(60);

/// Buffers for the datagrams of one system call.
struct Batch {
    buffers: Vec<[u8; 1500]>,
    lengths: [usize; BATCH],
}

impl Batch {
    fn new() -> Self {
        Self { buffers: vec![[0; 1500]; BATCH], lengths: [0; BATCH] }
    }

    /// Calls `transfer` with a header for each of the first `count` buffers; returns how many it used.
    fn with_headers(&mut self, count: usize, transfer: impl FnOnce(*mut libc::mmsghdr) -> i32) -> usize {
        // SAFETY: the types are plain integers and pointers, for which zeros are valid.
        let (mut vectors, mut headers): ([libc::iovec; BATCH], [libc::mmsghdr; BATCH]) = unsafe { std::mem::zeroed() };
        for at in 0..count {
            vectors[at].iov_base = self.buffers[at].as_mut_ptr().cast();
            vectors[at].iov_len = self.lengths[at];
            headers[at].msg_hdr.msg_iov = &mut vectors[at];
            headers[at].msg_hdr.msg_iovlen = 1;
        }
        let used = usize::try_from(transfer(headers.as_mut_ptr())).unwrap_or(0);
        for (length, header) in self.lengths.iter_mut().zip(&headers).take(used) {
            *length = header.msg_len as usize;
        }
        used
    }

    fn send(&mut self, socket: &UdpSocket, count: usize) -> usize {
        // SAFETY: each header points to a buffer that lives as long as this call.
        self.with_headers(count, |headers| unsafe { libc::sendmmsg(socket.as_raw_fd(), headers, count as u32, 0) })
    }

    fn receive(&mut self, socket: &UdpSocket) -> usize {
        self.lengths = [1500; BATCH];
        let wait = libc::MSG_WAITFORONE;
        // SAFETY: as above; the timeout may be null.
        self.with_headers(BATCH, |headers| unsafe {
            libc::recvmmsg(socket.as_raw_fd(), headers, BATCH as u32, wait, std::ptr::null_mut())
        })
    }
}

/// Writes a question for a CNAME record with this number.
fn write_question(number: usize, name: &str, buffer: &mut [u8; 1500]) -> usize {
    let mut at = 12;
    buffer[..2].copy_from_slice(&(number as u16).to_be_bytes());
    buffer[2..at].copy_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        buffer[at] = label.len() as u8;
        buffer[at + 1..at + 1 + label.len()].copy_from_slice(label.as_bytes());
        at += 1 + label.len();
    }
    buffer[at..at + 5].copy_from_slice(&[0, 0, 5, 0, 1]);
    at + 5
}

/// Returns the target of the alias in an answer, if it has one.
fn read_target(message: &[u8]) -> Option<String> {
    let mut at = 12;
    while message[at] != 0 {
        at += 1 + message[at] as usize;
    }
    at += 5 + 12;
    let mut target = String::new();
    (message[6..8] != [0, 0]).then_some(())?;
    loop {
        match message[at] as usize {
            0 => return Some(target),
            pointer @ 0xc0.. => at = (pointer & 0x3f) << 8 | message[at + 1] as usize,
            length => {
                target.push_str(std::str::from_utf8(&message[at + 1..at + 1 + length]).ok()?);
                target.push('.');
                at += 1 + length;
            }
        }
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let list = std::fs::read_to_string(args.next().unwrap()).unwrap();
    let names: Vec<&str> = list.lines().map(|line| line.split_once(' ').unwrap().0.trim_end_matches('.')).collect();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(args.next().unwrap()).unwrap();
    socket.set_read_timeout(Some(TIMER)).unwrap();
    let mut open: Vec<Option<usize>> = vec![None; 1 << 16];
    let (mut next, mut waiting, mut found) = (0, 0, 0);
    let (mut batch, mut out) = (Batch::new(), String::new());
    while next < names.len() || waiting > 0 {
        let count = (WINDOW - waiting).min(names.len() - next).min(BATCH);
        for at in 0..count {
            batch.lengths[at] = write_question(next + at, names[next + at], &mut batch.buffers[at]);
            open[(next + at) & 0xffff] = Some(next + at);
        }
        if count > 0 {
            let sent = batch.send(&socket, count);
            next += sent;
            waiting += sent;
        }
        let received = batch.receive(&socket);
        for at in 0..received {
            let message = &batch.buffers[at][..batch.lengths[at]];
            let Some(number) = open[u16::from_be_bytes([message[0], message[1]]) as usize].take() else { continue };
            waiting -= 1;
            if let Some(target) = read_target(message) {
                found += 1;
                writeln!(out, "{} {target}", names[number]).unwrap();
            }
        }
        if received == 0 {
            for number in open.iter().flatten().take(BATCH) {
                batch.lengths[0] = write_question(*number, names[*number], &mut batch.buffers[0]);
                batch.send(&socket, 1);
            }
        }
    }
    print!("{out}{found} found\n");
}
