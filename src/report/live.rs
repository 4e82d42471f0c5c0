//! Lines on a terminal that take the place of those before: what is waited for, and how it stands now.

use std::io::{self, IsTerminal, Write};

use super::{Sink, escape};
use crate::system::terminal;

/// A few lines at the foot of the terminal.
#[derive(Debug)]
pub struct Live {
    drawn: usize,
}

impl Sink {
    /// A place for such lines on stderr; none where that is no terminal or nothing is to be said.
    #[must_use]
    pub fn live(&self) -> Option<Live> {
        let wanted = !(self.muted || self.style.json || self.style.quiet);
        (wanted && io::stderr().is_terminal() && terminal::moves_cursor()).then_some(Live { drawn: 0 })
    }
}

impl Live {
    /// Shows these lines, as many as the terminal has room for, in place of those before.
    pub fn draw(&mut self, lines: &[String]) {
        let room = terminal::rows(io::stderr()).unwrap_or(24).saturating_sub(1).max(2);
        let mut out = self.back();
        let (kept, more) = if lines.len() > room { (room - 1, lines.len() - room + 1) } else { (lines.len(), 0) };
        // Without line breaks of the terminal's own a line is a row.
        out.push_str("\x1b[?7l");
        lines[..kept].iter().for_each(|line| out.push_str(&format!("{}\n", escape(line, &[]))));
        if more > 0 {
            out.push_str(&format!("… and {more} more lines\n"));
        }
        out.push_str("\x1b[?7h");
        self.drawn = kept + usize::from(more > 0);
        write(&out);
    }

    /// Takes the lines away: what they led to is said now.
    pub fn clear(&mut self) {
        write(&self.back());
        self.drawn = 0;
    }

    /// To where the lines began, and nothing below.
    fn back(&self) -> String {
        if self.drawn == 0 { String::new() } else { format!("\x1b[{}A\r\x1b[J", self.drawn) }
    }
}

/// When the terminal cannot be written, there is nobody left to tell.
fn write(text: &str) {
    let mut to = io::stderr().lock();
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
