//! Prints directives as text that nginx reads back unchanged.

use super::parse::NginxDirective;

/// Quotes and escapes a word as needed.
#[must_use]
pub(crate) fn word(text: &str) -> String {
    let plain = !text.is_empty()
        && !text.starts_with(['#', '"', '\'', '}'])
        && !text.contains([' ', '\t', '\r', '\n', ';'])
        && !text.replace("${", "").contains('{');
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // A backslash before anything else needs no escape (see `NginxLexer::escape`).
            '\\' if chars.peek().is_none_or(|next| "\"'\\trn".contains(*next)) => {
                out.push_str("\\\\")
            }
            '"' if !plain => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    if plain { out } else { format!("\"{out}\"") }
}

/// Prints directives one per line, each level indented by four more spaces; `include` is not
/// expanded.
pub(crate) fn directives(out: &mut String, directives: &[NginxDirective], depth: usize) {
    let indent = "    ".repeat(depth);
    for directive in directives {
        let words = std::iter::once(&directive.name)
            .chain(&directive.arguments)
            .map(|text| word(text));
        let line = words.collect::<Vec<_>>().join(" ");
        match &directive.block {
            Some(block) if directive.name != "include" => {
                out.push_str(&format!("{indent}{line} {{\n"));
                self::directives(out, block, depth + 1);
                out.push_str(&format!("{indent}}}\n"));
            }
            _ => out.push_str(&format!("{indent}{line};\n")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{directives, word};
    use crate::webserver::model::ConfigFile;
    use crate::webserver::nginx::NginxParseError;
    use crate::webserver::nginx::parse::parse;

    #[test]
    fn words_are_read_back_unchanged() {
        for text in [
            "",
            "a",
            "a b",
            "a;b",
            "a{2}",
            "${x}y",
            "\\.php$",
            "\\n",
            "a\\",
            "\\\\",
            "#a",
            "a#",
            "\"a\"",
            "it's",
            "'",
            "a\nb",
            "}",
            "a}",
            "a\"b c\"",
            "\\\"",
            "~^/(?<x>\\d{2})/",
            "a\\ b",
            "\t",
        ] {
            let source = format!("x {};", word(text));
            let main = ConfigFile {
                path: "/n".into(),
                text: source.clone(),
            };
            let read = parse(&main, &mut |_: &Path| Ok::<_, NginxParseError>(Vec::new())).unwrap();
            assert_eq!(read[0].arguments, [text], "{source}");
        }
    }

    #[test]
    fn blocks_are_indented_and_includes_stay() {
        let text = "location / \
            { include proxy_params; proxy_pass http://x; if ($a ~ \"b c\") { return 403; } }";
        let main = ConfigFile {
            path: "/n".into(),
            text: text.into(),
        };
        let included = ConfigFile {
            path: "/proxy_params".into(),
            text: "a b;".into(),
        };
        let read = parse(&main, &mut |_: &Path| {
            Ok::<_, NginxParseError>(vec![included.clone()])
        })
        .unwrap();
        let mut out = String::new();
        directives(&mut out, &read, 1);
        insta::assert_snapshot!(out, @r#"
            location / {
                include proxy_params;
                proxy_pass http://x;
                if ($a ~ "b c" ) {
                    return 403;
                }
            }
        "#);
    }
}
