//! Zip files, read in memory and never unpacked: an entry's name is shown and nothing else. Bounded by entries and by
//! bytes really inflated.

use std::io::{Cursor, Read};

use ::zip::ZipArchive;
use ::zip::result::ZipError;
use zeroize::Zeroizing;

use super::faults::Unused;
use super::limits::{Budget, DeliveryError};
use super::source::Source;

/// What an entry is.
pub(super) enum Content {
    File(Zeroizing<Vec<u8>>),
    Folder,
    Unused(Unused),
}

/// Opens a zip. Entries are counted by their headers before anything is built from them: a directory of 300,000 names
/// is itself a bomb.
pub(super) fn open<'a>(
    source: &Source,
    bytes: &'a [u8],
    budget: &mut Budget<'_>,
) -> Result<ZipArchive<Cursor<&'a [u8]>>, DeliveryError> {
    budget.spend_entries(source, bytes.windows(4).filter(|window| window == b"PK\x01\x02").count())?;
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(source, &error))?;
    if archive.has_duplicate_names() {
        return Err(DeliveryError::DuplicateNames(source.clone()));
    }
    Ok(archive)
}

/// The entry at `index`: where it is, for people, and its content.
pub(super) fn entry(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    source: &Source,
    budget: &mut Budget<'_>,
) -> Result<(Source, Content), DeliveryError> {
    let raw = archive.by_index_raw(index).map_err(|error| damaged(source, &error))?;
    let name =
        raw.name().map_or_else(|_| String::from_utf8_lossy(raw.name_raw()).into_owned(), |name| name.into_owned());
    let entry = match &source.entry {
        Some(outer) => format!("{outer} > {name}"),
        None => name,
    };
    let place = Source { input: source.input.clone(), entry: Some(entry) };
    let (link, file, encrypted) = (is_link(raw.unix_mode()), raw.is_file(), raw.encrypted());
    drop(raw);
    let content = match (link, file, encrypted) {
        (true, ..) => Content::Unused(Unused::Link),
        (_, false, _) => Content::Folder,
        (.., true) => Content::Unused(Unused::EncryptedEntry),
        _ => Content::File(inflate(archive, index, &place, budget)?),
    };
    Ok((place, content))
}

/// A link: its content is a path. What else an entry says of its kind does not matter, since only its bytes are read
/// (`zip - -` calls what came from a pipe a FIFO).
fn is_link(mode: Option<u32>) -> bool {
    const TYPE: u32 = 0o170_000;
    const LINK: u32 = 0o120_000;
    mode.is_some_and(|mode| mode & TYPE == LINK)
}

fn inflate(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    place: &Source,
    budget: &mut Budget<'_>,
) -> Result<Zeroizing<Vec<u8>>, DeliveryError> {
    let file = archive.by_index(index).map_err(|error| damaged(place, &error))?;
    // Only a hint, and a lie costs no more than this.
    let hint = usize::try_from(file.size().min(64 * 1024)).unwrap_or(0);
    let mut content = Zeroizing::new(Vec::with_capacity(hint));
    let read = file.take(budget.inflated_left().saturating_add(1)).read_to_end(&mut content);
    let read = read.map_err(|error| damaged(place, &ZipError::Io(error)))?;
    budget.spend_inflated(place, read)?;
    Ok(content)
}

fn damaged(source: &Source, error: &ZipError) -> DeliveryError {
    DeliveryError::Zip(source.clone(), error.to_string())
}
