//! The characters of internationalized names: what RFC 5892 (IDNA2008) allows in a label that was
//! normalized already. The mapping that browsers apply (UTS 46) is laxer and keeps dashes, quotes and
//! symbols that text programs put into names.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};

/// Letters and digits that are allowed although their category is not (RFC 5892 2.6, PVALID).
const ALLOWED: [char; 6] = [
    '\u{df}', '\u{3c2}', '\u{6fd}', '\u{6fe}', '\u{f0b}', '\u{3007}',
];

/// Characters that are not allowed although their category is (RFC 5892 2.6, DISALLOWED).
const DISALLOWED: [char; 10] = [
    '\u{640}', '\u{7fa}', '\u{302e}', '\u{302f}', '\u{3031}', '\u{3032}', '\u{3033}', '\u{3034}',
    '\u{3035}', '\u{303b}',
];

/// Returns the first character that must not be in a name; `name` has U-labels as UTS 46 maps them.
#[must_use]
pub(super) fn find_disallowed(name: &str) -> Option<char> {
    let mut labels = name.split('.').filter(|label| !label.is_ascii());
    labels.find_map(|label| {
        let letters: Vec<char> = label.chars().collect();
        let mut places = letters.iter().enumerate();
        places
            .find(|(index, _)| !is_allowed(&letters, *index))
            .map(|(_, character)| *character)
    })
}

/// Returns the name with ASCII hyphens instead of other dashes, and without quotes; `None` if there
/// is nothing of that kind.
#[must_use]
pub(crate) fn with_plain_punctuation(name: &str) -> Option<String> {
    let is_quote = |c: &char| {
        let category = c.general_category();
        let quotes = [
            GeneralCategory::InitialPunctuation,
            GeneralCategory::FinalPunctuation,
        ];
        quotes.contains(&category) || matches!(c, '\u{2b9}'..='\u{2bf}' | '\'' | '"')
    };
    let is_dash = |c: char| {
        c.general_category() == GeneralCategory::DashPunctuation
            || matches!(c, '\u{2212}' | '\u{2022}' | '\u{b7}' | '\u{2043}')
    };
    let plain: String = name
        .chars()
        .filter(|c| !is_quote(c))
        .map(|c| if is_dash(c) { '-' } else { c })
        .collect();
    (plain != name).then_some(plain)
}

fn is_allowed(label: &[char], index: usize) -> bool {
    let character = label[index];
    if let Some(is_allowed) = check_context(label, index) {
        return is_allowed;
    }
    let is_ldh = character.is_ascii_alphanumeric() || character == '-';
    // An old Hangul letter is not part of a composed syllable (RFC 5892 2.9).
    let is_old_hangul = matches!(character, '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{d7b0}'..='\u{d7ff}');
    is_ldh
        || ALLOWED.contains(&character)
        || (!DISALLOWED.contains(&character) && !is_old_hangul && is_letter_or_digit(character))
}

/// The class LetterDigits (RFC 5892 2.1). The mapping leaves no capital letter.
fn is_letter_or_digit(character: char) -> bool {
    matches!(
        character.general_category(),
        GeneralCategory::LowercaseLetter
            | GeneralCategory::OtherLetter
            | GeneralCategory::ModifierLetter
            | GeneralCategory::NonspacingMark
            | GeneralCategory::SpacingMark
            | GeneralCategory::DecimalNumber
    )
}

/// The characters that are allowed beside certain others (RFC 5892, appendix A); `None` for any other
/// character. Joiners were checked by the mapping (RFC 5892 A.1 and A.2).
fn check_context(label: &[char], index: usize) -> Option<bool> {
    let before = index.checked_sub(1).and_then(|index| label.get(index));
    let after = label.get(index + 1);
    let has = |script: Script| label.iter().any(|c| c.script() == script);
    Some(match label[index] {
        '\u{b7}' => before == Some(&'l') && after == Some(&'l'),
        '\u{375}' => after.is_some_and(|c| c.script() == Script::Greek),
        '\u{5f3}' | '\u{5f4}' => before.is_some_and(|c| c.script() == Script::Hebrew),
        '\u{30fb}' => {
            let scripts = [Script::Hiragana, Script::Katakana, Script::Han];
            scripts.into_iter().any(has)
        }
        '\u{660}'..='\u{669}' => !label.iter().any(|c| matches!(c, '\u{6f0}'..='\u{6f9}')),
        '\u{6f0}'..='\u{6f9}' => !label.iter().any(|c| matches!(c, '\u{660}'..='\u{669}')),
        '\u{200c}' | '\u{200d}' => true,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{find_disallowed, with_plain_punctuation};

    /// Names of RFC 5892's categories: dashes, quotes, bullets, symbols, emoji, and each contextual
    /// rule broken.
    #[test]
    fn what_idna2008_disallows_is_found() {
        for (name, found) in [
            ("acme\u{2013}books.com", '\u{2013}'),
            ("acme\u{2014}books.com", '\u{2014}'),
            ("acme\u{2010}books.com", '\u{2010}'),
            ("acme\u{2212}books.com", '\u{2212}'),
            ("acme\u{2019}s-books.com", '\u{2019}'),
            ("acme\u{2022}books.com", '\u{2022}'),
            ("a.\u{2603}.com", '\u{2603}'),
            ("\u{1f600}.com", '\u{1f600}'),
            ("\u{640}\u{628}.com", '\u{640}'),
            ("\u{1100}\u{1161}.com", '\u{1100}'),
            ("a\u{b7}b.com", '\u{b7}'),
            ("\u{3b1}\u{375}a.com", '\u{375}'),
            ("a\u{5f3}.com", '\u{5f3}'),
            ("a\u{30fb}b.com", '\u{30fb}'),
            ("\u{660}\u{6f0}.com", '\u{660}'),
        ] {
            assert_eq!(find_disallowed(name), Some(found), "{name}");
        }
    }

    #[test]
    fn real_names_are_allowed() {
        for name in [
            "b\u{fc}cher.example",
            "stra\u{df}e.de",
            "l\u{b7}l.cat",
            "col\u{b7}lecci\u{f3}.cat",
            "\u{3b2}\u{3cc}\u{3bb}\u{3bf}\u{3c2}.com",
            "\u{4f8b}\u{3048}.jp",
            "\u{30a2}\u{30fb}\u{30a2}.jp",
            "\u{5d0}\u{5f3}.com",
            "\u{645}\u{62b}\u{627}\u{644}.\u{625}\u{62e}\u{62a}\u{628}\u{627}\u{631}",
            "\u{909}\u{926}\u{93e}\u{939}\u{930}\u{923}.com",
            "xn--plain.com",
        ] {
            assert_eq!(find_disallowed(name), None, "{name}");
        }
    }

    #[test]
    fn dashes_become_hyphens_and_quotes_are_removed() {
        for (name, plain) in [
            ("acme\u{2013}books.com", Some("acme-books.com")),
            ("acme\u{2212}books.com", Some("acme-books.com")),
            ("acme\u{2019}s.com", Some("acmes.com")),
            ("\u{201c}acme.com\u{201d}", Some("acme.com")),
            ("acme\u{2603}.com", None),
        ] {
            assert_eq!(with_plain_punctuation(name).as_deref(), plain, "{name}");
        }
    }
}
