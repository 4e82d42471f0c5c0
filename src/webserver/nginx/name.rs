//! Parses `server_name`: <https://nginx.org/en/docs/http/server_names.html>.

use crate::webserver::model::ServerName;

/// Parses one word of `server_name`.
pub(crate) fn server_name(word: &str) -> ServerName {
    // The case of letters is part of an expression: `\D` is not `\d`.
    if word.starts_with('~') {
        return ServerName::Regex(word.to_owned());
    }
    let word = word.to_ascii_lowercase();
    if word.is_empty() || word == "_" || word.starts_with('$') {
        ServerName::Nothing(word)
    } else if let Some(base) = word.strip_prefix('*').filter(|base| is_wildcard_base(base)) {
        ServerName::Below(base.to_owned())
    } else if let Some(base) = word.strip_suffix('*').filter(|base| is_wildcard_base(base)) {
        ServerName::Trailing(base.to_owned())
    } else if word.starts_with('.') {
        ServerName::WithBelow(word)
    } else {
        ServerName::Exact(word)
    }
}

fn is_wildcard_base(text: &str) -> bool {
    text.len() > 1 && !text.contains('*')
}

#[cfg(test)]
mod tests {
    use super::server_name;

    #[test]
    fn names_match_as_in_nginx() {
        for (word, host, rank) in [
            ("Example.com", "example.com", Some((3, 0))),
            ("example.com", "www.example.com", None),
            ("*.example.com", "www.example.com", Some((2, 12))),
            ("*.example.com", "a.b.example.com", Some((2, 12))),
            ("*.example.com", "example.com", None),
            ("*.example.com", "notexample.com", None),
            (".example.com", "example.com", Some((3, 0))),
            (".example.com", "www.example.com", Some((2, 12))),
            ("www.example.*", "www.example.org", Some((1, 12))),
            ("www.example.*", "www.example.", None),
            ("~^www\\.(.+)$", "www.example.com", None),
            ("_", "_", None),
            ("", "example.com", None),
        ] {
            assert_eq!(server_name(word).rank(host), rank, "{word} {host}");
        }
    }

    #[test]
    fn names_keep_their_spelling() {
        for word in [
            "example.com",
            "*.example.com",
            ".example.com",
            "www.example.*",
            "~^x$",
            r"~^\D(?<Name>\W)$",
            "_",
            "",
            "$hostname",
            "*",
        ] {
            assert_eq!(server_name(word).text(), word);
        }
    }
}
