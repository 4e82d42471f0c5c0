//! Progress lines that are redrawn in place on a terminal. This module only builds the text; `Sink`
//! writes it.

use super::escape::escape;

/// The progress lines at the bottom of the terminal.
#[derive(Debug, Default)]
pub(crate) struct LiveProgress {
    /// The number of lines on the terminal now.
    drawn: usize,
}

impl LiveProgress {
    /// Returns the text that replaces the drawn lines with these; at most as many as fit in `rows`.
    pub(super) fn redraw(&mut self, lines: &[String], rows: usize) -> String {
        let room = rows.saturating_sub(1).max(2);
        let mut out = self.erase();
        let (kept, more) = if lines.len() > room {
            (room - 1, lines.len() - room + 1)
        } else {
            (lines.len(), 0)
        };
        // Disables automatic wrapping, so that each line takes exactly one row.
        out.push_str("\x1b[?7l");
        lines[..kept]
            .iter()
            .for_each(|line| out.push_str(&format!("{}\n", escape(line, &[]))));
        if more > 0 {
            out.push_str(&format!("… and {more} more lines\n"));
        }
        out.push_str("\x1b[?7h");
        self.drawn = kept + usize::from(more > 0);
        out
    }

    /// Returns the text that erases the drawn lines and moves the cursor to the first of them.
    pub(super) fn erase(&mut self) -> String {
        let drawn = std::mem::take(&mut self.drawn);
        if drawn == 0 {
            String::new()
        } else {
            format!("\x1b[{drawn}A\r\x1b[J")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LiveProgress;

    #[test]
    fn redrawing_replaces_the_drawn_lines() {
        let mut live = LiveProgress::default();
        let lines = |count: usize| {
            (0..count)
                .map(|number| format!("{number}\x1b"))
                .collect::<Vec<_>>()
        };
        assert_eq!(live.redraw(&lines(1), 24), "\x1b[?7l0\\u{1b}\n\x1b[?7h");
        assert!(live.redraw(&lines(3), 24).starts_with("\x1b[1A\r\x1b[J"));
        let tall = live.redraw(&lines(30), 5);
        assert!(
            tall.starts_with("\x1b[3A") && tall.matches('\n').count() == 4,
            "{tall:?}"
        );
        assert!(tall.contains("… and 27 more lines"), "{tall:?}");
        assert_eq!(
            (live.erase().as_str(), live.erase().as_str()),
            ("\x1b[4A\r\x1b[J", "")
        );
    }
}
