//! The URL of an API: https, or http to this machine, without a password in it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use reqwest::Url;

/// Why a text is not the URL of an API.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ApiUrlError {
    #[error("is not a URL such as https://api.example.com/v1")]
    Malformed,
    #[error("must not contain a user name or password")]
    Password,
    #[error(
        "must start with https:// (http:// is accepted only for this machine, such as http://127.0.0.1:8080)"
    )]
    Scheme,
}

/// The URL of an API. Shown without its query, which may contain a secret.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct ApiUrl(Arc<Url>);

impl ApiUrl {
    /// Parses a URL.
    ///
    /// # Errors
    /// See [`ApiUrlError`].
    pub(crate) fn parse(text: &str) -> Result<Self, ApiUrlError> {
        let parsed = Url::parse(text.trim()).map_err(|_| ApiUrlError::Malformed)?;
        Self::checked(parsed)
    }

    fn checked(parsed: Url) -> Result<Self, ApiUrlError> {
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(ApiUrlError::Password);
        }
        let checked = Self(Arc::new(parsed));
        match checked.0.scheme() {
            _ if checked.host().is_empty() => Err(ApiUrlError::Malformed),
            "https" => Ok(checked),
            "http" if checked.is_loopback() => Ok(checked),
            _ => Err(ApiUrlError::Scheme),
        }
    }

    /// Returns the URL of a path below this one; each part is escaped.
    #[must_use]
    pub(crate) fn with_path(&self, parts: &[&str]) -> Self {
        let mut url = Url::clone(&self.0);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(parts);
        }
        Self(Arc::new(url))
    }

    /// Returns the same URL with a query; names and values are escaped.
    #[must_use]
    pub(crate) fn with_query(&self, pairs: &[(&str, &str)]) -> Self {
        let mut url = Url::clone(&self.0);
        url.query_pairs_mut().clear().extend_pairs(pairs);
        Self(Arc::new(url))
    }

    /// Returns the same URL with a query that is encoded already.
    #[must_use]
    pub(crate) fn with_encoded_query(&self, query: &str) -> Self {
        let mut url = Url::clone(&self.0);
        url.set_query(Some(query));
        Self(Arc::new(url))
    }

    /// Returns the URL that a reference leads to, if it is one of an API.
    #[must_use]
    pub(super) fn join(&self, reference: &str) -> Option<Self> {
        Self::checked(self.0.join(reference).ok()?).ok()
    }

    /// Returns the host without brackets.
    #[must_use]
    pub(crate) fn host(&self) -> &str {
        let host = self.0.host_str().unwrap_or_default();
        host.trim_matches(['[', ']'])
    }

    /// Returns the port, also where the URL does not contain it.
    #[must_use]
    pub(crate) fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }

    /// Returns `host:port`, with brackets around an IPv6 address.
    #[must_use]
    pub(crate) fn address(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        format!("{host}:{}", self.port())
    }

    /// Returns the value of the `Host` header: without the usual port of the scheme.
    #[must_use]
    pub(crate) fn host_header(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        match self.0.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Returns whether the host is this machine (RFC 6761 6.3 for the name).
    #[must_use]
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host();
        let address: Option<IpAddr> = host.parse().ok();
        host == "localhost" || address.is_some_and(|address| address.is_loopback())
    }

    /// Returns the whole text, for a request or the journal.
    #[must_use]
    pub(crate) fn expose(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn as_url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = Url::clone(&self.0);
        shown.set_query(None);
        shown.set_fragment(None);
        f.write_str(shown.as_str())
    }
}

impl fmt::Debug for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiUrl, ApiUrlError};

    #[test]
    fn only_https_and_this_machine_are_accepted() {
        for (text, parsed) in [
            ("https://api.example/v1", Ok("https://api.example/v1")),
            (" HTTPS://API.example/v1 ", Ok("https://api.example/v1")),
            ("http://127.0.0.1:8080/", Ok("http://127.0.0.1:8080/")),
            ("http://localhost/x", Ok("http://localhost/x")),
            ("http://[::1]:1/", Ok("http://[::1]:1/")),
            ("http://api.example/", Err(ApiUrlError::Scheme)),
            ("http://127.0.0.1.example/", Err(ApiUrlError::Scheme)),
            ("http://localhost.example/", Err(ApiUrlError::Scheme)),
            ("http://10.0.0.1/", Err(ApiUrlError::Scheme)),
            ("ftp://127.0.0.1/", Err(ApiUrlError::Scheme)),
            ("file:///etc/passwd", Err(ApiUrlError::Malformed)),
            ("https://user:pw@api.example/", Err(ApiUrlError::Password)),
            ("https://token@api.example/", Err(ApiUrlError::Password)),
            ("api.example/v1", Err(ApiUrlError::Malformed)),
            ("", Err(ApiUrlError::Malformed)),
        ] {
            let url = ApiUrl::parse(text).map(|url| url.to_string());
            assert_eq!(url, parsed.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn the_query_is_not_shown() {
        let url = ApiUrl::parse("https://api.example/v1?access_key=hunter2#hunter2").unwrap();
        assert_eq!(url.to_string(), "https://api.example/v1");
        assert_eq!(format!("{url:?}"), "ApiUrl(https://api.example/v1)");
        assert!(url.expose().contains("hunter2"));
    }

    #[test]
    fn paths_and_queries_are_escaped() {
        let base = ApiUrl::parse("https://api.example/v1/").unwrap();
        let url = base
            .with_path(&["zones", "a/../b"])
            .with_query(&[("name", "x&y=z")]);
        assert_eq!(
            url.expose(),
            "https://api.example/v1/zones/a%2F..%2Fb?name=x%26y%3Dz"
        );
        let signed = base.with_encoded_query("A=%20b~");
        assert_eq!(signed.expose(), "https://api.example/v1/?A=%20b~");
    }
}
