//! What a site shows: the answers of an application, or files.

use std::path::PathBuf;

use crate::webserver::model::UpstreamAddress;

/// What a site shows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum SiteContent {
    /// What an existing block shows in plain text.
    Adopted,
    /// The answers of an application that certctl runs.
    Application(UpstreamUrl),
    /// The files of this folder, an absolute path.
    Static(PathBuf),
    /// The answers of an application.
    Upstream(UpstreamUrl),
}

impl SiteContent {
    /// The application behind the site.
    #[must_use]
    pub(crate) fn upstream(&self) -> Option<&UpstreamUrl> {
        match self {
            Self::Application(upstream) | Self::Upstream(upstream) => Some(upstream),
            Self::Adopted | Self::Static(_) => None,
        }
    }
}

/// The URL of an application, in the form that servers accept without quotes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct UpstreamUrl {
    /// `http://127.0.0.1:8000`, `http://unix:/run/app.sock`.
    pub url: String,
    pub address: UpstreamAddress,
}

impl UpstreamUrl {
    /// The URL of an application at a Unix socket.
    #[must_use]
    pub(crate) fn of_socket(path: PathBuf) -> Self {
        Self {
            url: format!("http://unix:{}", path.display()),
            address: UpstreamAddress::Unix(path),
        }
    }

    /// Parses a URL. A path that is only `/` is omitted: with it, nginx would decode the paths of
    /// requests before it passes them on.
    ///
    /// # Errors
    /// The reason, where it is no URL of an application.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        const EXPECTED: &str =
            "expected a URL such as http://127.0.0.1:8000 or http://unix:/run/app.sock";
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(EXPECTED.to_owned());
        };
        let is_known = matches!(scheme, "http" | "https");
        let is_plain = rest.chars().all(is_url_character);
        if !is_known || !is_plain || rest.is_empty() {
            return Err(EXPECTED.to_owned());
        }
        let is_socket = rest.starts_with("unix:");
        let url = match text.strip_suffix('/') {
            Some(without_path) if !is_socket && !rest[..rest.len() - 1].contains('/') => {
                without_path
            }
            _ => text,
        };
        let Some(address) = UpstreamAddress::parse(url) else {
            return Err(EXPECTED.to_owned());
        };
        Ok(Self {
            url: url.to_owned(),
            address,
        })
    }
}

/// Whether a character of a URL has no special meaning in a server's configuration.
fn is_url_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/[]%+,=".contains(c)
}

#[cfg(test)]
mod tests {
    use super::UpstreamUrl;

    #[test]
    fn urls_are_accepted_only_in_the_form_that_servers_read() {
        for (text, url) in [
            ("http://127.0.0.1:8000", Some("http://127.0.0.1:8000")),
            ("http://127.0.0.1:8000/", Some("http://127.0.0.1:8000")),
            (
                "http://127.0.0.1:8000/app/",
                Some("http://127.0.0.1:8000/app/"),
            ),
            ("https://[::1]:8443", Some("https://[::1]:8443")),
            (
                "http://unix:/run/app.sock",
                Some("http://unix:/run/app.sock"),
            ),
            ("127.0.0.1:8000", None),
            ("ftp://127.0.0.1", None),
            ("http://", None),
            ("http://$host", None),
            ("http://127.0.0.1:8000; root /", None),
            ("http://a\nb", None),
            ("http://a{b}", None),
        ] {
            let parsed = UpstreamUrl::parse(text).ok().map(|upstream| upstream.url);
            assert_eq!(parsed.as_deref(), url, "{text}");
        }
    }
}
