//! The variables of an Apache configuration: `Define`, `UnDefine`, `${NAME}`. Apache expands them when
//! it reads a line (`ap_resolve_env`).

use std::collections::HashMap;

/// The variables at one line of the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApacheVariables {
    /// The environment of Apache.
    environment: HashMap<String, String>,
    /// The values that `Define` sets, by their names in lower case.
    values: HashMap<String, String>,
    /// The names for `<IfDefine>`.
    names: Vec<String>,
}

impl ApacheVariables {
    /// The variables at the start: the environment, and the names that `-D` defines.
    pub(crate) fn new(environment: HashMap<String, String>, names: Vec<String>) -> Self {
        Self {
            environment,
            values: HashMap::new(),
            names,
        }
    }

    /// Defines a name, and its value if it has one.
    pub(crate) fn define(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.values
                .insert(name.to_ascii_lowercase(), value.to_owned());
        }
        self.names.push(name.to_owned());
    }

    pub(crate) fn undefine(&mut self, name: &str) {
        self.values.remove(&name.to_ascii_lowercase());
        self.names.retain(|defined| defined != name);
    }

    /// Returns whether `<IfDefine NAME>` holds.
    pub(crate) fn is_defined(&self, name: &str) -> bool {
        self.names.iter().any(|defined| defined == name)
    }

    /// Replaces `${NAME}` where the variable is known.
    pub(crate) fn expand(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let known = after
                .split_once('}')
                .and_then(|(name, rest)| Some((self.value(name)?, rest)));
            match known {
                Some((value, after)) => {
                    out.push_str(value);
                    rest = after;
                }
                None => {
                    out.push_str("${");
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }

    fn value(&self, name: &str) -> Option<&str> {
        let defined = self.values.get(&name.to_ascii_lowercase());
        defined
            .or_else(|| self.environment.get(name))
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::ApacheVariables;

    #[test]
    fn names_of_defined_values_are_compared_without_regard_to_case() {
        let environment = [("LOGS".to_owned(), "/var/log".to_owned())].into();
        let mut variables = ApacheVariables::new(environment, vec!["GIVEN".to_owned()]);
        variables.define("Port", Some("443"));
        variables.define("ALONE", None);
        for (text, expected) in [
            ("${LOGS}/${logs}", "/var/log/${logs}"),
            ("${PORT} ${port}", "443 443"),
            ("${ALONE}${", "${ALONE}${"),
        ] {
            assert_eq!(variables.expand(text), expected);
        }
        let names = ["GIVEN", "ALONE", "Port", "PORT"];
        assert_eq!(
            names.map(|name| variables.is_defined(name)),
            [true, true, true, false]
        );
        variables.undefine("Port");
        assert_eq!(variables.expand("${Port}"), "${Port}");
    }
}
