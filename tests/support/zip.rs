//! Creates valid and damaged zip files.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Creates a zip of these files, deflated.
pub fn zip<B: AsRef<[u8]>>(files: &[(&str, B)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content.as_ref()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Creates a zip with a symbolic link and one file.
pub fn with_link(link: &str, target: &str, file: (&str, &[u8])) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .add_symlink(link, target, SimpleFileOptions::default())
        .unwrap();
    writer
        .start_file(file.0, SimpleFileOptions::default())
        .unwrap();
    writer.write_all(file.1).unwrap();
    writer.finish().unwrap().into_inner()
}

/// Creates a zip of one file of `size` zeros.
pub fn bomb(size: usize) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    writer.start_file("example_com.crt", options).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..size >> 20 {
        writer.write_all(&zeros).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Returns the zip with every entry marked as encrypted.
pub fn marked_as_encrypted(mut zip: Vec<u8>) -> Vec<u8> {
    for (magic, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let places: Vec<usize> = (0..zip.len() - 4)
            .filter(|&at| zip[at..].starts_with(magic))
            .collect();
        for at in places {
            zip[at + flags] |= 1;
        }
    }
    zip
}

/// Returns the zip with the name `from` replaced by `to` (of the same length) everywhere.
pub fn renamed(mut zip: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = (0..zip.len() - from.len())
        .filter(|&at| zip[at..].starts_with(from.as_bytes()))
        .collect();
    for at in places {
        zip[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    zip
}

/// Creates a zip of these files, encrypted with AES-256 as WinZip and 7-Zip do.
pub fn aes(files: &[(&str, &str)], password: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().with_aes_encryption(zip::AesMode::Aes256, password);
    for (name, content) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
