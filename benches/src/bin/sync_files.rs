//! The file operations of an install: writes, flushes and renames a copy of FILE N times, and flushes
//! its folder each time. Usage: sync_files DIR FILE N
#![allow(clippy::unwrap_used, reason = "a yardstick")]

use std::fs::{File, OpenOptions, rename};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (folder, content) = (Path::new(&args[1]), std::fs::read(&args[2]).unwrap());
    let temporary = folder.join(".temporary");
    for number in 0..args[3].parse::<usize>().unwrap() {
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&temporary).unwrap();
        file.write_all(&content).unwrap();
        file.sync_all().unwrap();
        drop(file);
        rename(&temporary, folder.join(format!("{number}.pem"))).unwrap();
        File::open(folder).unwrap().sync_all().unwrap();
    }
}
