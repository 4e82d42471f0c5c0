//! Names in letters of several scripts, or of one whose letters look like Latin ones: who reads
//! them takes them for others.

use unicode_script::{Script, UnicodeScript};

use super::fault::LintFault;
use super::rules;
use crate::pki::alt_name::AltNames;
use crate::pki::name::DnsName;

/// Scripts that are written together (UTS 39 5.2, "highly restrictive").
const TOGETHER: [&[Script]; 3] = [
    &[
        Script::Latin,
        Script::Han,
        Script::Hiragana,
        Script::Katakana,
    ],
    &[Script::Latin, Script::Han, Script::Bopomofo],
    &[Script::Latin, Script::Han, Script::Hangul],
];

/// Cyrillic and Greek letters that nobody tells from Latin ones.
const LATIN_LOOKING: &str = "\u{430}\u{441}\u{501}\u{435}\u{4bb}\u{456}\u{458}\u{43a}\u{4cf}\u{43e}\u{440}\u{51b}\u{455}\u{51d}\u{445}\u{443}\u{44c}\u{475}\u{461}\u{3bf}\u{3b1}\u{3bd}\u{3c1}";

/// One for each name.
pub(crate) fn faults(names: &AltNames) -> Vec<LintFault> {
    names.dns().filter_map(fault).collect()
}

fn fault(name: &DnsName) -> Option<LintFault> {
    let shown = name.unicode()?;
    let what = shown
        .split('.')
        .find_map(|label| why(label).map(|why| format!("{label} {why}")))?;
    Some(LintFault::new(
        &rules::LOOK_ALIKE,
        format!("{}: {what}; is it the name that you mean?", name.as_str()),
    ))
}

fn why(label: &str) -> Option<String> {
    let scripts = scripts(label);
    let together = |group: &&[Script]| scripts.iter().all(|script| group.contains(script));
    if scripts.len() > 1 && !TOGETHER.iter().any(together) {
        return Some("mixes letters of several scripts".to_owned());
    }
    let letters = || label.chars().filter(|c| c.is_alphabetic());
    let alike =
        !label.is_ascii() && letters().count() > 0 && letters().all(|c| LATIN_LOOKING.contains(c));
    alike.then(|| "looks as if it were in Latin letters, and is not".to_owned())
}

/// Without what all scripts share: digits, hyphens, accents.
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
    use super::fault;
    use crate::pki::name::DnsName;

    #[test]
    fn look_alikes_are_told_from_names() {
        for (name, suspicious) in [
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
        ] {
            let Ok(name) = DnsName::parse(name) else {
                assert!(suspicious, "{name}");
                continue;
            };
            assert_eq!(fault(&name).is_some(), suspicious, "{name}");
        }
    }
}
