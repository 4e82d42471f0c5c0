//! Reads zip files in memory, never to disk: the name of an entry is only displayed. Limits the
//! number of entries and the bytes that are really inflated.

use std::io::{self, Cursor, Read};

use ::zip::read::ZipReadOptions;
use ::zip::result::ZipError;
use ::zip::{SUPPORTED_COMPRESSION_METHODS, ZipArchive};
use zeroize::Zeroizing;

use super::limits::{DeliveryError, ReadBudget};
use super::pbe::Password;
use super::source::ItemSource;
use crate::delivery::diagnostics::UnusedContent;

/// The content of an entry.
pub(super) enum ZipContent {
    File(Zeroizing<Vec<u8>>),
    Folder,
    Unused(UnusedContent),
}

/// Opens a zip file. Counts the headers of entries before the directory is parsed, because a
/// directory of 300,000 names takes too much memory.
pub(super) fn open<'a>(
    source: &ItemSource,
    bytes: &'a [u8],
    budget: &mut ReadBudget<'_>,
) -> Result<ZipArchive<Cursor<&'a [u8]>>, DeliveryError> {
    budget.spend_entries(
        source,
        bytes
            .windows(4)
            .filter(|window| window == b"PK\x01\x02")
            .count(),
    )?;
    let archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged_error(source, &error))?;
    if archive.has_duplicate_names() {
        return Err(DeliveryError::DuplicateNames(source.clone()));
    }
    Ok(archive)
}

/// Reads the entry at `index`: its source, for messages, and its content.
pub(super) fn read_entry(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    source: &ItemSource,
    budget: &mut ReadBudget<'_>,
    password: Option<&Password>,
) -> Result<(ItemSource, ZipContent), DeliveryError> {
    let raw = archive
        .by_index_raw(index)
        .map_err(|error| damaged_error(source, &error))?;
    let name = raw.name().map_or_else(
        |_| String::from_utf8_lossy(raw.name_raw()).into_owned(),
        |name| name.into_owned(),
    );
    let place = source.within(&name);
    let link = is_link(raw.unix_mode());
    let file = raw.is_file();
    let encrypted = raw.encrypted();
    let readable = encrypted || SUPPORTED_COMPRESSION_METHODS.contains(&raw.compression());
    drop(raw);
    let content = match (link, file, encrypted) {
        (true, ..) => ZipContent::Unused(UnusedContent::Link),
        (_, false, _) => ZipContent::Folder,
        _ if !readable => ZipContent::Unused(UnusedContent::OtherMethod),
        (.., true) if password.is_none() => ZipContent::Unused(UnusedContent::EncryptedEntry),
        _ => inflate(
            archive,
            index,
            &place,
            budget,
            password.filter(|_| encrypted),
        )?,
    };
    Ok((place, content))
}

/// Returns whether it is a symbolic link, whose content is a path. Other kinds do not matter, since
/// only bytes are read (`zip - -` stores the input from a pipe as a FIFO).
fn is_link(mode: Option<u32>) -> bool {
    const TYPE: u32 = 0o170_000;
    const LINK: u32 = 0o120_000;
    mode.is_some_and(|mode| mode & TYPE == LINK)
}

/// Inflates an entry. With a password, any failure to read counts as a wrong password.
fn inflate(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    place: &ItemSource,
    budget: &mut ReadBudget<'_>,
    password: Option<&Password>,
) -> Result<ZipContent, DeliveryError> {
    const WRONG: ZipContent = ZipContent::Unused(UnusedContent::WrongPassword("a file"));
    let options = ZipReadOptions::new().password(password.map(Password::bytes));
    let file = match archive.by_index_with_options(index, options) {
        Ok(file) => file,
        Err(_) if password.is_some() => return Ok(WRONG),
        Err(error) => return Err(damaged_error(place, &error)),
    };
    // The size in the header is only a hint; a false one wastes no more than this.
    let hint = usize::try_from(file.size().min(64 * 1024)).unwrap_or(0);
    let mut content = Zeroizing::new(Vec::with_capacity(hint));
    let most = budget.inflated_left().saturating_add(1);
    match read_at_most(file, most, &mut content) {
        Ok(read) => budget.spend_inflated(place, read)?,
        Err(_) if password.is_some() => {
            budget.spend_inflated(place, content.len())?;
            return Ok(WRONG);
        }
        Err(error) => return Err(damaged_error(place, &ZipError::Io(error))),
    }
    Ok(ZipContent::File(content))
}

/// Reads at most `most` bytes into `content` and returns their number. The buffer does not grow beyond
/// them: wiping it touches all of its memory.
fn read_at_most(mut from: impl Read, most: u64, content: &mut Vec<u8>) -> io::Result<usize> {
    const SMALLEST_STEP: usize = 4096;
    let begin = content.len();
    let mut left = usize::try_from(most).unwrap_or(usize::MAX);
    while left > 0 {
        let spare = content.capacity() - content.len();
        let step = match spare {
            0 => content.len().max(SMALLEST_STEP).min(left),
            _ => spare.min(left),
        };
        content.reserve_exact(step);
        let limit = u64::try_from(step).unwrap_or(u64::MAX);
        let read = from.by_ref().take(limit).read_to_end(content)?;
        left -= read;
        if read < step {
            break;
        }
    }
    Ok(content.len() - begin)
}

/// Returns whether it is an office document, which is a zip file too.
pub(super) fn is_document(archive: &ZipArchive<Cursor<&[u8]>>) -> bool {
    archive.index_for_name("[Content_Types].xml").is_some()
        || archive.index_for_name("META-INF/manifest.xml").is_some()
}

fn damaged_error(source: &ItemSource, error: &ZipError) -> DeliveryError {
    DeliveryError::Zip(source.clone(), error.to_string())
}
