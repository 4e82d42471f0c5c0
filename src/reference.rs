//! The pages docs/reference/clients.md, files.md, limits.md and servers.md, and the files of each manual page. They take
//! their values from the constants and functions that the program uses, so that they change with it.

mod clients;
mod files;
mod limits;
mod servers;
mod table;

pub use self::files::{FileRow, file_rows};

/// Returns the pages as file name and text.
#[must_use]
pub fn pages() -> [(&'static str, String); 4] {
    [
        ("clients.md", clients::page()),
        ("files.md", files::page()),
        ("limits.md", limits::page()),
        ("servers.md", servers::page()),
    ]
}
