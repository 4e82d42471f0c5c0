//! Macros of mod_macro: `<Macro Name $a $b>` defines lines, `Use Name 1 2` inserts them with the
//! parameters replaced. <https://httpd.apache.org/docs/2.4/mod/mod_macro.html>

use std::collections::HashMap;

use super::lines::ApacheLine;

/// The defined macros, by their names in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApacheMacros(HashMap<String, MacroDefinition>);

#[derive(Clone, Debug)]
struct MacroDefinition {
    parameters: Vec<String>,
    lines: Vec<String>,
}

impl ApacheMacros {
    /// Defines a macro; `arguments` are the words of `<Macro ...>`: the name and the parameters.
    pub(crate) fn define(&mut self, arguments: &[String], lines: Vec<String>) {
        if let Some((name, parameters)) = arguments.split_first() {
            let definition = MacroDefinition {
                parameters: parameters.to_vec(),
                lines,
            };
            self.0.insert(name.to_ascii_lowercase(), definition);
        }
    }

    pub(crate) fn undefine(&mut self, name: &str) {
        self.0.remove(&name.to_ascii_lowercase());
    }

    /// The lines of `Use NAME VALUE...`, each at the line `number` of the `Use`; `None` if there is no
    /// such macro with as many parameters.
    pub(crate) fn expand(&self, arguments: &[String], number: u32) -> Option<Vec<ApacheLine>> {
        let (name, values) = arguments.split_first()?;
        let definition = self.0.get(&name.to_ascii_lowercase())?;
        if definition.parameters.len() != values.len() {
            return None;
        }
        let lines = definition.lines.iter().map(|line| ApacheLine {
            number,
            text: substitute(line, &definition.parameters, values),
        });
        Some(lines.collect())
    }
}

/// Takes the lines up to `</Macro>` that belong to the macro; `None` if it is not closed.
pub(crate) fn take_lines<'a>(
    lines: &mut impl Iterator<Item = &'a ApacheLine>,
) -> Option<Vec<String>> {
    let mut taken = Vec::new();
    let mut depth = 0_usize;
    for line in lines {
        let text = line.text.to_ascii_lowercase();
        if text.starts_with("</macro") {
            if depth == 0 {
                return Some(taken);
            }
            depth -= 1;
        } else if text.starts_with("<macro") {
            depth += 1;
        }
        taken.push(line.text.clone());
    }
    None
}

/// Replaces the parameters from left to right; of two that begin at one position, the longer one.
fn substitute(line: &str, parameters: &[String], values: &[String]) -> String {
    let mut text = String::new();
    let mut rest = line;
    loop {
        let found = parameters
            .iter()
            .zip(values)
            .filter(|(parameter, _)| !parameter.is_empty())
            .filter_map(|(parameter, value)| {
                Some((rest.find(parameter.as_str())?, parameter, value))
            })
            .min_by_key(|(at, parameter, _)| (*at, std::cmp::Reverse(parameter.len())));
        let Some((at, parameter, value)) = found else {
            text.push_str(rest);
            return text;
        };
        text.push_str(&rest[..at]);
        text.push_str(value);
        rest = &rest[at + parameter.len()..];
    }
}

#[cfg(test)]
mod tests {
    use super::{ApacheMacros, substitute, take_lines};
    use crate::webserver::apache::lines::lines;

    fn words(text: &str) -> Vec<String> {
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn parameters_are_replaced_as_mod_macro_does() {
        for (line, parameters, values, expected) in [
            ("ServerName $n.example", "$n", "a", "ServerName a.example"),
            ("$n $nn", "$n $nn", "1 2", "1 2"),
            ("$nn $n", "$nn $n", "$n 2", "$n 2"),
            ("@a%b", "@a %b", "x y", "xy"),
            ("none", "$n", "a", "none"),
        ] {
            assert_eq!(
                substitute(line, &words(parameters), &words(values)),
                expected,
                "{line}"
            );
        }
    }

    #[test]
    fn macros_are_found_without_regard_to_case() {
        let text = lines("A $x\n<Macro Inner>\nB\n</Macro>\nC\n</MACRO>\nAfter");
        let mut unread = text.iter();
        let taken = take_lines(&mut unread).unwrap();
        assert_eq!(unread.next().unwrap().text, "After");
        let mut macros = ApacheMacros::default();
        macros.define(&words("Site $x"), taken);
        let expanded = macros.expand(&words("sITE 1"), 7).unwrap();
        let shown: Vec<(u32, &str)> = expanded
            .iter()
            .map(|line| (line.number, line.text.as_str()))
            .collect();
        let texts = ["A 1", "<Macro Inner>", "B", "</Macro>", "C"];
        assert_eq!(shown, texts.map(|text| (7, text)));
        assert_eq!(macros.expand(&words("Site"), 1), None);
        macros.undefine("SITE");
        assert_eq!(macros.expand(&words("Site 1"), 1), None);
        assert_eq!(take_lines(&mut lines("A").iter()), None);
    }
}
