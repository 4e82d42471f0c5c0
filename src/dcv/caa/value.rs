//! The value of `issue` and `issuewild`: an issuer's name and parameters (RFC 8659 4.2).

/// The parsed value of an `issue` or `issuewild` record.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct IssueValue {
    /// The CA that may issue, in lower case; `None` if the value is empty or malformed.
    pub issuer: Option<String>,
    /// Whether the value matches the grammar; otherwise it counts as allowing no CA.
    pub readable: bool,
    /// The parameter `accounturi` (RFC 8657 3).
    pub account: Option<String>,
    /// The parameter `validationmethods` (RFC 8657 4).
    pub methods: Option<String>,
}

const UNREADABLE: IssueValue = IssueValue {
    issuer: None,
    readable: false,
    account: None,
    methods: None,
};

impl IssueValue {
    pub(super) fn read(value: &str) -> Self {
        let (issuer, parameters) = value.split_once(';').unwrap_or((value, ""));
        let issuer = trim(issuer);
        let parameters = trim(parameters);
        if !issuer.is_empty() && !issuer.split('.').all(is_label) {
            return UNREADABLE;
        }
        let mut read = Self {
            issuer: (!issuer.is_empty()).then(|| issuer.to_ascii_lowercase()),
            readable: true,
            account: None,
            methods: None,
        };
        for parameter in parameters
            .split(';')
            .map(trim)
            .filter(|_| !parameters.is_empty())
        {
            let Some((tag, value)) = parameter.split_once('=') else {
                return UNREADABLE;
            };
            let tag = trim(tag);
            let value = trim(value);
            if !is_label(tag) || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
                return UNREADABLE;
            }
            match tag.to_ascii_lowercase().as_str() {
                "accounturi" => read.account = Some(value.to_owned()),
                "validationmethods" => read.methods = Some(value.to_owned()),
                _ => {}
            }
        }
        read
    }

    pub(super) fn has_parameters(&self) -> bool {
        self.account.is_some() || self.methods.is_some()
    }
}

/// Removes spaces and tabs, the white space of the grammar.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Returns whether the text matches `(ALPHA / DIGIT) *( *("-") (ALPHA / DIGIT))`.
fn is_label(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::IssueValue;

    #[test]
    fn values_are_parsed_by_the_grammar() {
        for (value, issuer, readable) in [
            ("ca.example.net", Some("ca.example.net"), true),
            ("  CA.example.net\t", Some("ca.example.net"), true),
            (
                "ca.example.net; account=230123",
                Some("ca.example.net"),
                true,
            ),
            ("ca.example.net;a=1;b=2", Some("ca.example.net"), true),
            ("ca.example.net; ", Some("ca.example.net"), true),
            (";", None, true),
            ("", None, true),
            ("; a=1", None, true),
            ("ca.example.net. ", None, false),
            ("ca..net", None, false),
            ("-ca.net", None, false),
            ("https://ca.net", None, false),
            ("ca.net; account", None, false),
            ("ca.net; a=1 2", None, false),
            ("ca.net; a=1;;b=2", None, false),
            ("ca.net other.net", None, false),
        ] {
            let read = IssueValue::read(value);
            assert_eq!(
                (read.issuer.as_deref(), read.readable),
                (issuer, readable),
                "{value:?}"
            );
        }
        let read = IssueValue::read("ca.net; AccountURI=x; validationmethods=dns-01");
        assert_eq!(
            (read.account.as_deref(), read.methods.as_deref()),
            (Some("x"), Some("dns-01"))
        );
    }
}
