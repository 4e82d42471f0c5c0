//! docs/reference/files.md: the files that certctl reads and writes, by command.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::table::table_row;
use crate::commands::rehearse::FOLDER;
use crate::configuration::ConfigurationFolders;
use crate::configuration::credentials::CREDENTIALS_FILE;
use crate::configuration::defaults::DEFAULTS_FILE;
use crate::export::ExportFormat;
use crate::inputs::request_files::{KEY_MODE, RequestPaths};
use crate::ordering::{ORDER_MODE, ORDER_SUFFIX};
use crate::permissions::Mode;
use crate::state::acme_accounts::ACCOUNTS_FOLDER;
use crate::state::failed_tries::FAILED_FOLDER;
use crate::state::folder::{FILE_MODE, ROOT_FOLDER};
use crate::state::orders::{ISSUED_FOLDER, ORDERS_FOLDER};
use crate::state::published_records::RECORDS_FOLDER;
use crate::state::unfinished_sites::SITES_FOLDER;
use crate::store::layout::{
    self, DistroFamily, LineageLayout, PUBLIC_MODE, ReleaseFile, ReleasePointer,
};
use crate::system::fs::lock::LOCK_MODE;
use crate::system::fs::scratch::MARKER;

/// The name of the examples.
const STEM: &str = "example.com";

const INTRODUCTION: &str = "\
# Files

This page is generated from the functions of the program that compute the paths.
";

const IN_THE_DIRECTORY: &str = "\
Files of a request have the stem of its first name; `--cert-name` chooses another, and
`*.example.com` is spelled `_.example.com`. `renew` numbers them: `example.com-2.key`. Files that
`bundle` writes have the stem of the request that fits, or else the certificate's first name. certctl matches files by key, never by name. A private key is never overwritten: `csr --force`
moves the old one to `example.com.key.~1~`.
";

const INSTALLED: &str = "\
With `--root DIR` these paths are below `DIR`. `install` adopts plain files that a server's
configuration already names for these names: they become a version of their own, and their paths
become links. Files of other tools (certbot, acme.sh, dehydrated) are left alone.
";

/// Where a file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum FilePlace {
    /// In the working directory.
    Directory,
    /// At a fixed path.
    System,
}

/// A file, or a group of files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileRow {
    /// The path; absolute for an installed file, else relative to the working directory.
    pub path: String,
    /// Octal mode with which it is created; empty for links and folders.
    pub mode: String,
    /// What it contains: one sentence without a capital and a full stop.
    pub meaning: &'static str,
    /// The commands that write it.
    pub commands: &'static [&'static str],
    place: FilePlace,
}

/// Returns all rows.
#[must_use]
pub fn file_rows() -> Vec<FileRow> {
    [
        request_files(),
        vec![order_beside_files()],
        exported_files(),
        written_once(),
        linked_files(),
        release_files(),
        state_files(),
        configuration_files(),
    ]
    .concat()
}

/// Returns the page.
pub(super) fn page() -> String {
    let mut text = INTRODUCTION.to_owned();
    for (title, introduction, place) in [
        (
            "In the working directory",
            IN_THE_DIRECTORY,
            FilePlace::Directory,
        ),
        ("Installed", INSTALLED, FilePlace::System),
    ] {
        text.push_str(&format!("\n## {title}\n\n{introduction}\n"));
        text.push_str(&table_row(&["file", "mode", "content", "written by"]));
        text.push_str("|---|---|---|---|\n");
        for row in file_rows().iter().filter(|row| row.place == place) {
            let commands: Vec<String> = row
                .commands
                .iter()
                .map(|command| format!("`{command}`"))
                .collect();
            text.push_str(&table_row(&[
                &format!("`{}`", row.path),
                &row.mode,
                row.meaning,
                &commands.join(", "),
            ]));
        }
    }
    text
}

fn request_files() -> Vec<FileRow> {
    let paths = RequestPaths::placed(STEM, PathBuf::from);
    let writers: &[&str] = &["csr", "renew"];
    vec![
        in_directory(&paths.key, Some(KEY_MODE), "the private key", writers),
        in_directory(
            &paths.request,
            Some(PUBLIC_MODE),
            "the request (CSR)",
            writers,
        ),
        in_directory(
            &paths.record,
            Some(PUBLIC_MODE),
            "the CA, and the validation record once it is known",
            &["csr", "dcv-check", "renew"],
        ),
    ]
}

fn exported_files() -> Vec<FileRow> {
    let row = |format: &ExportFormat| {
        let path = PathBuf::from(format!("{STEM}.{}", format.extension()));
        let meaning = match format {
            ExportFormat::Pem => "the certificate, then its intermediates",
            ExportFormat::Cert => "the certificate alone",
            ExportFormat::Chain => "the intermediates alone",
            ExportFormat::Der => "the certificate alone, as DER",
            ExportFormat::P7b => "the certificate and its intermediates, as PKCS#7",
            ExportFormat::Pfx => "key, certificate and intermediates as PKCS#12, with a password",
            ExportFormat::Haproxy => "the certificate, its intermediates and the key, as PEM",
        };
        in_directory(&path, Some(format.mode()), meaning, &["bundle"])
    };
    ExportFormat::value_variants().iter().map(row).collect()
}

fn written_once() -> Vec<FileRow> {
    vec![in_directory(
        &Path::new(FOLDER).join(MARKER),
        Some(PUBLIC_MODE),
        "marks the folder of the rehearsal, which every run clears; a folder without this file is \
         left alone",
        &["rehearse"],
    )]
}

/// The commands that change links and settings.
const CHANGING: &[&str] = &["install", "rollback", "forget"];

/// Returns the layout of a certificate at the usual paths of Debian.
fn usual_layout() -> LineageLayout {
    let (chain, key) = DistroFamily::Debian.stable_paths(STEM);
    let root = Path::new("/");
    LineageLayout::new(None, STEM, root.join(chain), root.join(key))
}

fn linked_files() -> Vec<FileRow> {
    let (chain, key) = DistroFamily::Debian.stable_paths(STEM);
    let (other_chain, other_key) = DistroFamily::RedHat.stable_paths(STEM);
    [
        (chain, "the chain that servers read: a link into `live`"),
        (key, "the key that servers read: a link into `live`"),
        (other_chain, "the same on Red Hat and its relatives"),
        (other_key, "the same on Red Hat and its relatives"),
        (
            DistroFamily::Debian.combined_path(STEM),
            "chain and key in one file, for HAProxy: a link into `live`",
        ),
    ]
    .into_iter()
    .map(|(path, meaning)| at_path(&Path::new("/").join(path), None, meaning, CHANGING))
    .collect()
}

fn release_files() -> Vec<FileRow> {
    let release = usual_layout().releases().join("ID");
    [
        (
            ReleaseFile::FullChain,
            "the certificate, then its intermediates",
        ),
        (ReleaseFile::Cert, "the certificate alone"),
        (ReleaseFile::Ca, "the intermediates alone"),
        (
            ReleaseFile::Key,
            "the private key; with the owner, group and mode of the file that it replaces, but \
             without access for others",
        ),
        (
            ReleaseFile::Combined,
            "chain and key in one file, if a server needs it",
        ),
    ]
    .into_iter()
    .map(|(piece, meaning)| {
        let mode = if piece.is_secret() {
            layout::KEY_MODE
        } else {
            PUBLIC_MODE
        };
        at_path(
            &release.join(piece.file_name()),
            Some(mode),
            meaning,
            &["install"],
        )
    })
    .collect()
}

fn state_files() -> Vec<FileRow> {
    let layout = usual_layout();
    vec![
        at_path(
            &layout.pointer(ReleasePointer::Live),
            None,
            "a link to the version that servers read: one rename replaces chain and key together",
            CHANGING,
        ),
        at_path(
            &layout.pointer(ReleasePointer::Proven),
            None,
            "a link to the last version whose installation was verified",
            CHANGING,
        ),
        at_path(
            &layout.settings(),
            Some(PUBLIC_MODE),
            "the options of the last installation, which the next one reuses, and the history; no \
             secrets",
            CHANGING,
        ),
        at_path(
            &layout.lock(),
            Some(LOCK_MODE),
            "locked while certctl changes files",
            CHANGING,
        ),
    ]
}

fn configuration_files() -> Vec<FileRow> {
    let machine = ConfigurationFolders::find(Some(Path::new("/")));
    let state = Path::new("/").join(ROOT_FOLDER);
    let read_by: &[&str] = &[];
    let mut rows = Vec::new();
    for (file, mode, meaning) in [
        (
            DEFAULTS_FILE,
            PUBLIC_MODE,
            "defaults for options; `~/.config/certctl/config.toml` overrides it; written by you",
        ),
        (
            CREDENTIALS_FILE,
            Mode::new(0o600),
            "credentials of DNS providers and of Namecheap; refused with another mode; \
             `~/.config/certctl/credentials.toml` overrides it; written by you",
        ),
    ] {
        let path = machine.own_path_of(file);
        rows.push(at_path(&path, Some(mode), meaning, read_by));
    }
    rows.push(at_path(
        &state.join(RECORDS_FOLDER).join("HASH.json"),
        Some(FILE_MODE),
        "a published record, which `--remove` removes; \
         `$XDG_STATE_HOME/certctl/records` for other users than root",
        &["dcv-publish"],
    ));
    rows.extend(order_files(&state));
    rows
}

/// The state of accounts, orders and renewals.
fn order_files(state: &Path) -> Vec<FileRow> {
    let mut rows = Vec::new();
    for (path, meaning) in [
        (
            state.join(ACCOUNTS_FOLDER).join("HASH.key"),
            "the key of the account at a CA",
        ),
        (
            state.join(ACCOUNTS_FOLDER).join("HASH.json"),
            "the account at a CA",
        ),
        (
            state.join(ACCOUNTS_FOLDER).join("HASH.next-key"),
            "the key that `account rollover` is about to give to an account",
        ),
        (
            state.join(ORDERS_FOLDER).join("HASH.json"),
            "an order that is not finished, which the same command continues",
        ),
        (
            state.join(FAILED_FOLDER).join("HASH.json"),
            "a renewal that failed, and when it is tried again",
        ),
        (
            state.join(ISSUED_FOLDER).join("HASH.json"),
            "when certificates for one set of names were issued",
        ),
    ] {
        rows.push(at_path(&path, Some(FILE_MODE), meaning, &["order"]));
    }
    rows.push(at_path(
        &state.join(SITES_FOLDER).join("HASH.json"),
        Some(FILE_MODE),
        "what was there before a change of a site that is not finished",
        &["site"],
    ));
    rows
}

/// How a certificate in a folder was ordered.
fn order_beside_files() -> FileRow {
    in_directory(
        Path::new(&format!("{STEM}.{ORDER_SUFFIX}")),
        Some(ORDER_MODE),
        "how the certificate was ordered, for `renew -C FOLDER`",
        &["order"],
    )
}

fn in_directory(
    path: &Path,
    mode: Option<Mode>,
    meaning: &'static str,
    commands: &'static [&'static str],
) -> FileRow {
    FileRow {
        path: path.display().to_string(),
        mode: mode.map(|mode| mode.to_string()).unwrap_or_default(),
        meaning,
        commands,
        place: FilePlace::Directory,
    }
}

fn at_path(
    path: &Path,
    mode: Option<Mode>,
    meaning: &'static str,
    commands: &'static [&'static str],
) -> FileRow {
    FileRow {
        place: FilePlace::System,
        ..in_directory(path, mode, meaning, commands)
    }
}
