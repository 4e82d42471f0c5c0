//! Lines on a terminal that take the place of those before: what is waited for, and how it stands
//! now. Only makes the text; `Sink` writes it.

use super::escape::escape;

/// A few lines at the foot of the terminal.
#[derive(Debug, Default)]
pub(crate) struct LiveProgress {
    drawn: usize,
}

impl LiveProgress {
    /// The text that shows these lines, as many as `rows` have room for, in place of those before.
    pub(super) fn frame(&mut self, lines: &[String], rows: usize) -> String {
        let room = rows.saturating_sub(1).max(2);
        let mut out = self.back();
        let (kept, more) = if lines.len() > room {
            (room - 1, lines.len() - room + 1)
        } else {
            (lines.len(), 0)
        };
        // Without line breaks of the terminal's own a line is a row.
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

    /// To where the lines began, and nothing below.
    pub(super) fn back(&mut self) -> String {
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
    fn a_frame_takes_the_place_of_the_one_before() {
        let mut live = LiveProgress::default();
        let lines = |count: usize| {
            (0..count)
                .map(|number| format!("{number}\x1b"))
                .collect::<Vec<_>>()
        };
        assert_eq!(live.frame(&lines(1), 24), "\x1b[?7l0\\u{1b}\n\x1b[?7h");
        assert!(live.frame(&lines(3), 24).starts_with("\x1b[1A\r\x1b[J"));
        let tall = live.frame(&lines(30), 5);
        assert!(
            tall.starts_with("\x1b[3A") && tall.matches('\n').count() == 4,
            "{tall:?}"
        );
        assert!(tall.contains("… and 27 more lines"), "{tall:?}");
        assert_eq!(
            (live.back().as_str(), live.back().as_str()),
            ("\x1b[4A\r\x1b[J", "")
        );
    }
}
