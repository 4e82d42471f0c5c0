//! Finds names that readers confuse with other names, because they mix several scripts or their
//! letters look like Latin ones.

use unicode_script::{Script, UnicodeScript};

use super::fault::LintFault;
use super::rules;
use crate::pki::alt_name::AltNames;
use crate::pki::name::DnsName;

/// Scripts that may be mixed (UTS 39 5.2, "highly restrictive").
const SCRIPT_GROUPS: [&[Script]; 3] = [
    &[
        Script::Latin,
        Script::Han,
        Script::Hiragana,
        Script::Katakana,
    ],
    &[Script::Latin, Script::Han, Script::Bopomofo],
    &[Script::Latin, Script::Han, Script::Hangul],
];

/// Cyrillic and Greek letters that look like Latin ones.
const LATIN_LOOKING: &str = "\u{430}\u{441}\u{501}\u{435}\u{4bb}\u{456}\u{458}\u{43a}\u{4cf}\u{43e}\u{440}\u{51b}\u{455}\u{51d}\u{445}\u{443}\u{44c}\u{475}\u{461}\u{3bf}\u{3b1}\u{3bd}\u{3c1}";

/// Returns a fault for each name that looks like another one.
pub(crate) fn check_names(names: &AltNames) -> Vec<LintFault> {
    names.dns().filter_map(check_name).collect()
}

fn check_name(name: &DnsName) -> Option<LintFault> {
    let unicode = name.unicode()?;
    for label in unicode.split('.') {
        if let Some(problem) = label_problem(label) {
            let name = name.as_str();
            let description = format!("{name}: the label {label} {problem}");
            return Some(LintFault::new(&rules::LOOK_ALIKE, description));
        }
    }
    None
}

fn label_problem(label: &str) -> Option<&'static str> {
    let scripts = scripts(label);
    let may_mix = SCRIPT_GROUPS
        .iter()
        .any(|group| scripts.iter().all(|script| group.contains(script)));
    if scripts.len() > 1 && !may_mix {
        return Some("mixes letters of several scripts");
    }
    if looks_latin(label) {
        return Some("looks like Latin letters but is written in another script");
    }
    None
}

/// Returns whether all letters of a label that is not ASCII look like Latin ones.
fn looks_latin(label: &str) -> bool {
    let mut letters = label.chars().filter(|c| c.is_alphabetic()).peekable();
    !label.is_ascii()
        && letters.peek().is_some()
        && letters.all(|letter| LATIN_LOOKING.contains(letter))
}

/// Returns the scripts of the label, without characters that belong to all scripts: digits,
/// hyphens, accents.
fn scripts(label: &str) -> Vec<Script> {
    let mut scripts: Vec<Script> = Vec::new();
    for script in label.chars().map(|c| c.script()) {
        if !matches!(script, Script::Common | Script::Inherited) && !scripts.contains(&script) {
            scripts.push(script);
        }
    }
    scripts
}

#[cfg(test)]
mod tests {
    use super::check_name;
    use crate::pki::name::DnsName;

    const NAMES: [(&str, bool); 10] = [
        ("paypal.com", false),
        ("p\u{430}ypal.com", true),
        ("\u{440}\u{430}\u{443}\u{440}\u{430}l.com", true),
        ("\u{430}\u{440}\u{440}\u{4cf}\u{435}.com", true),
        ("\u{3bf}\u{3bf}.com", true),
        ("b\u{fc}cher.de", false),
        (
            "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}.\u{440}\u{444}",
            false,
        ),
        ("\u{65e5}\u{672c}\u{8a9e}\u{306e}tokyo.jp", false),
        ("\u{65e5}\u{43f}.jp", true),
        ("abc\u{5d0}.com", true),
    ];

    #[test]
    fn look_alike_names_are_reported() {
        for (text, is_reported) in NAMES {
            let Ok(name) = DnsName::parse(text) else {
                assert!(is_reported, "{text}");
                continue;
            };
            assert_eq!(check_name(&name).is_some(), is_reported, "{text}");
        }
    }
}
