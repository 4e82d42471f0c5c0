//! Messages of other programs (servers, clients, browsers, CAs, DNS providers): what each means, its
//! likely causes, and the command that shows which one applies. `certctl explain TEXT` answers from
//! these tables; a message is added as a line of one of the `.toml` files.

mod matching;
mod names;
mod table;

pub(crate) use matching::{KnownMessage, MessageIndex, similar_texts};
pub(crate) use names::{MentionedKind, MentionedNames};
pub(crate) use table::ErrorTable;
