//! Text in columns of a terminal: how wide it is, and what of it stays where there is no room for
//! all.

/// How many columns `text` takes: two for what East Asian scripts and pictures are written with,
/// none for marks that stand on the character before (Unicode Annex 11, as far as names have it).
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(of).sum()
}

fn of(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x200b..=0x200d | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// `text` with blanks behind it.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Both ends of what is too long: of a name the domain stays, of a path the file.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let keep = columns.saturating_sub(1);
    let head = fitting(text.chars(), keep / 3);
    let tail: String = fitting(text.chars().rev(), keep - width(&head))
        .chars()
        .rev()
        .collect();
    format!("{head}…{tail}")
}

fn fitting(text: impl Iterator<Item = char>, columns: usize) -> String {
    let mut left = columns;
    text.take_while(|c| {
        let fits = of(*c) <= left;
        left = left.saturating_sub(of(*c));
        fits
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{cut, padded, width};

    #[test]
    fn what_is_too_long_keeps_both_ends() {
        for (text, columns, expected) in [
            ("example.com", 11, "example.com"),
            ("www.subdomain.example.com", 16, "www.s…xample.com"),
            (
                "/etc/ssl/example.com.fullchain.pem",
                20,
                "/etc/s…fullchain.pem",
            ),
            ("日本語日本語.example", 14, "日本….example"),
            ("example", 1, "…"),
        ] {
            let cut = cut(text, columns);
            assert_eq!(cut, expected);
            assert!(width(&cut) <= columns);
        }
        assert_eq!(padded("日本", 6), "日本  ");
    }
}
