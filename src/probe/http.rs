//! How a site answers over HTTP: which redirect may be followed, and which answer is a new error.
//! Pure: requests and answers are values.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::pki::name::DnsName;

/// The maximum number of redirects that are followed.
pub(crate) const REDIRECT_LIMIT: usize = 5;

/// The longest path and query that are requested, in bytes.
const PATH_LIMIT: usize = 4096;

/// Whether HTTP is spoken in plain text or over TLS.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum HttpScheme {
    Http,
    Https,
}

impl HttpScheme {
    /// The word at the beginning of a URL.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port of a URL without a port.
    #[must_use]
    pub(crate) fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// An address of this machine at which a web server speaks HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct HttpPlace {
    pub scheme: HttpScheme,
    pub address: SocketAddr,
    /// The server expects a PROXY header before anything else.
    pub proxy_header: bool,
}

/// One GET request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HttpRequest {
    pub place: HttpPlace,
    /// The name of the site.
    pub host: String,
    /// The path and the query.
    pub path: String,
}

impl HttpRequest {
    /// Returns the request for the home page of a site.
    #[must_use]
    pub(crate) fn home(place: HttpPlace, host: impl Into<String>) -> Self {
        Self {
            place,
            host: host.into(),
            path: "/".to_owned(),
        }
    }

    /// The value of its `Host` field.
    #[must_use]
    pub(crate) fn host_field(&self) -> String {
        let HttpPlace {
            scheme, address, ..
        } = self.place;
        if address.port() == scheme.default_port() {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, address.port())
        }
    }
}

impl fmt::Display for HttpRequest {
    /// Formats the request as its URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.place.scheme.name();
        write!(f, "{scheme}://{}{}", self.host_field(), self.path)
    }
}

/// The first line and the redirect of a response. Untrusted text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HttpReply {
    pub status: u16,
    pub location: Option<String>,
}

/// How a site answered in the end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum SiteAnswer {
    /// With this status, after the redirects that may be followed.
    Status(u16),
    /// With more redirects than are followed.
    RedirectLoop,
    /// Not known: certctl's TLS handshake fails, so it may not support what the server requires.
    NoHandshake,
    /// Not at all, for this reason.
    Nothing(String),
}

/// How bad an answer is, from best to worst.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum AnswerRank {
    Works,
    /// The site refuses the request (4xx), or redirects without end.
    Refuses,
    /// The site cannot answer (5xx).
    Fails,
    Silent,
}

impl SiteAnswer {
    /// The status, if there is one.
    #[must_use]
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(*status),
            Self::RedirectLoop | Self::NoHandshake | Self::Nothing(_) => None,
        }
    }

    /// Whether the site works: it answers with a page, or redirects to a place that is not checked.
    #[must_use]
    pub(crate) fn works(&self) -> bool {
        self.rank() == AnswerRank::Works
    }

    /// Whether a second try may get another answer: the site cannot answer, or answers worse than
    /// `before`. What a server supports does not change within seconds.
    #[must_use]
    pub(crate) fn is_worth_another_try(&self, before: Option<&Self>) -> bool {
        match before {
            None => self.rank() >= AnswerRank::Fails && *self != Self::NoHandshake,
            Some(before) => self.is_new_error(before),
        }
    }

    /// Whether this is an error that `before` was not, or a worse one.
    #[must_use]
    pub(crate) fn is_new_error(&self, before: &Self) -> bool {
        self.rank() > before.rank()
    }

    fn rank(&self) -> AnswerRank {
        match self {
            Self::Status(..400) => AnswerRank::Works,
            Self::Status(400..500) | Self::RedirectLoop => AnswerRank::Refuses,
            Self::Status(500..) => AnswerRank::Fails,
            Self::NoHandshake | Self::Nothing(_) => AnswerRank::Silent,
        }
    }
}

impl fmt::Display for SiteAnswer {
    /// Formats the answer to follow the URL: `works (200)`, `answers 502`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) if self.works() => write!(f, "works ({status})"),
            Self::Status(status) => write!(f, "answers {status}"),
            Self::RedirectLoop => write!(f, "redirects more than {REDIRECT_LIMIT} times"),
            Self::NoHandshake => f.write_str(
                "cannot be checked over HTTP, because certctl's TLS handshake with it fails",
            ),
            Self::Nothing(reason) => write!(f, "does not answer over HTTP ({reason})"),
        }
    }
}

/// Where redirects may lead: to covered names, at addresses of this machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct RedirectRules {
    /// The names of the certificate.
    pub names: Vec<DnsName>,
    /// The addresses at which web servers of this machine answer.
    pub places: Vec<HttpPlace>,
}

/// What to do after a reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum NextRequest {
    /// This request follows the redirect.
    Follow(HttpRequest),
    /// This is the answer.
    Done(SiteAnswer),
}

impl RedirectRules {
    /// Decides what follows a reply to `request`, after `followed` redirects.
    #[must_use]
    pub(crate) fn decide(
        &self,
        request: &HttpRequest,
        reply: &HttpReply,
        followed: usize,
    ) -> NextRequest {
        let is_redirect = matches!(reply.status, 301 | 302 | 303 | 307 | 308);
        let location = reply.location.as_deref().filter(|_| is_redirect);
        match location.and_then(|location| self.target(request, location)) {
            Some(_) if followed >= REDIRECT_LIMIT => NextRequest::Done(SiteAnswer::RedirectLoop),
            Some(next) => NextRequest::Follow(next),
            None => NextRequest::Done(SiteAnswer::Status(reply.status)),
        }
    }

    /// Returns the request for a `Location`; `None` where it may not be followed.
    fn target(&self, request: &HttpRequest, location: &str) -> Option<HttpRequest> {
        let location = location.split('#').next().unwrap_or_default();
        let is_plain = location.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain || location.is_empty() || location.len() > PATH_LIMIT {
            return None;
        }
        let (scheme, rest) = split_scheme(location, request.place.scheme)?;
        let Some(rest) = rest.strip_prefix("//") else {
            // A path of the same site.
            return Some(HttpRequest {
                path: join_path(&request.path, rest),
                ..request.clone()
            });
        };
        self.target_at_site(request, scheme, rest)
    }

    /// Returns the request for a URL without its scheme and slashes: `a.example:8443/x`.
    fn target_at_site(
        &self,
        request: &HttpRequest,
        scheme: HttpScheme,
        rest: &str,
    ) -> Option<HttpRequest> {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, scheme.default_port()),
        };
        let host = host.to_ascii_lowercase();
        if !self.names.iter().any(|name| name.covers(&host)) {
            return None;
        }
        Some(HttpRequest {
            place: self.place(request, scheme, port)?,
            host,
            path: join_path("/", path),
        })
    }

    /// The address for a scheme and a port: that of `request`, else the first one.
    fn place(&self, request: &HttpRequest, scheme: HttpScheme, port: u16) -> Option<HttpPlace> {
        let fits = |place: &&HttpPlace| place.scheme == scheme && place.address.port() == port;
        let mut fitting = self.places.iter().filter(fits);
        let is_same = |place: &&HttpPlace| place.address.ip() == request.place.address.ip();
        let same = fitting.clone().find(is_same);
        same.or_else(|| fitting.next()).copied()
    }
}

/// Splits a URL into its scheme and what follows the colon; a URL without a scheme has that of the
/// page. `None` for other schemes.
fn split_scheme(location: &str, of_page: HttpScheme) -> Option<(HttpScheme, &str)> {
    let is_scheme = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    match location.split_once(':') {
        Some((word, rest)) if is_scheme(word) => {
            let schemes = [HttpScheme::Http, HttpScheme::Https];
            let mut known = schemes.into_iter();
            let scheme = known.find(|scheme| word.eq_ignore_ascii_case(scheme.name()))?;
            // `https:/path` is not a URL of another site, and browsers disagree about it.
            rest.starts_with("//").then_some((scheme, rest))
        }
        _ => Some((of_page, location)),
    }
}

/// Returns an absolute path: `path` itself, or joined to the folder of the page.
fn join_path(page: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let page = page.split('?').next().unwrap_or("/");
    if path.is_empty() || path.starts_with('?') {
        return format!("{page}{path}");
    }
    let folder = page.rfind('/').map_or("/", |at| &page[..=at]);
    format!("{folder}{path}")
}

/// A request that is made before and after a change, and where its redirects may lead.
#[derive(Clone, Debug)]
pub(crate) struct HomePageVisit {
    pub request: HttpRequest,
    pub rules: Arc<RedirectRules>,
    /// The answer before the change.
    pub before: Option<SiteAnswer>,
}

#[cfg(test)]
mod tests {
    use super::{
        HttpPlace, HttpReply, HttpRequest, HttpScheme, NextRequest, RedirectRules, SiteAnswer,
    };
    use crate::pki::name::DnsName;

    fn place(scheme: HttpScheme, address: &str) -> HttpPlace {
        HttpPlace {
            scheme,
            address: address.parse().unwrap(),
            proxy_header: false,
        }
    }

    fn rules() -> RedirectRules {
        let names = ["a.example", "*.a.example"];
        RedirectRules {
            names: names
                .iter()
                .map(|name| DnsName::parse(name).unwrap())
                .collect(),
            places: vec![
                place(HttpScheme::Http, "127.0.0.1:80"),
                place(HttpScheme::Https, "[::1]:443"),
                place(HttpScheme::Https, "127.0.0.1:443"),
                place(HttpScheme::Https, "127.0.0.1:8443"),
            ],
        }
    }

    fn follow(location: &str, followed: usize) -> String {
        let mut request = HttpRequest::home(rules().places[0], "a.example");
        request.path = "/shop/x?y".to_owned();
        let reply = HttpReply {
            status: 301,
            location: Some(location.to_owned()),
        };
        match rules().decide(&request, &reply, followed) {
            NextRequest::Follow(next) => format!("{} {next}", next.place.address),
            NextRequest::Done(answer) => answer.to_string(),
        }
    }

    #[test]
    fn redirects_to_covered_names_at_this_machine_are_followed() {
        for (location, expected) in [
            ("https://a.example/", "127.0.0.1:443 https://a.example/"),
            ("https://a.example", "127.0.0.1:443 https://a.example/"),
            ("HTTPS://A.Example/x#y", "127.0.0.1:443 https://a.example/x"),
            (
                "https://www.a.example:8443/?q",
                "127.0.0.1:8443 https://www.a.example:8443/?q",
            ),
            ("//a.example/x", "127.0.0.1:80 http://a.example/x"),
            (
                "/login?next=/",
                "127.0.0.1:80 http://a.example/login?next=/",
            ),
            ("login", "127.0.0.1:80 http://a.example/shop/login"),
            ("?q", "127.0.0.1:80 http://a.example/shop/x?q"),
        ] {
            assert_eq!(follow(location, 4), expected, "{location}");
        }
    }

    #[test]
    fn other_redirects_are_the_answer() {
        for location in [
            "https://b.example/",
            "https://x.y.a.example/",
            "https://a.example:444/",
            "http://a.example:443/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://user@a.example/",
            "https://a.example:x/",
            "ftp://a.example/",
            "https:/a",
            "javascript:alert(1)",
            "/a b",
            "/\u{7f}",
            "",
        ] {
            assert_eq!(follow(location, 0), "works (301)", "{location}");
        }
        assert_eq!(follow(&format!("/{}", "x".repeat(5000)), 0), "works (301)");
        assert_eq!(follow("/", 5), "redirects more than 5 times");
        let request = HttpRequest::home(rules().places[0], "a.example");
        let reply = |status, location: Option<&str>| HttpReply {
            status,
            location: location.map(str::to_owned),
        };
        for (reply, answer) in [
            (reply(200, Some("/x")), SiteAnswer::Status(200)),
            (reply(304, Some("/x")), SiteAnswer::Status(304)),
            (reply(302, None), SiteAnswer::Status(302)),
        ] {
            assert_eq!(
                rules().decide(&request, &reply, 0),
                NextRequest::Done(answer)
            );
        }
    }

    #[test]
    fn only_worse_answers_are_new_errors() {
        let nothing = || SiteAnswer::Nothing("closed".to_owned());
        for (before, after, is_new) in [
            (SiteAnswer::Status(200), SiteAnswer::Status(204), false),
            (SiteAnswer::Status(200), SiteAnswer::Status(301), false),
            (SiteAnswer::Status(200), SiteAnswer::Status(404), true),
            (SiteAnswer::Status(200), SiteAnswer::Status(502), true),
            (SiteAnswer::Status(200), SiteAnswer::RedirectLoop, true),
            (SiteAnswer::Status(200), nothing(), true),
            (SiteAnswer::Status(401), SiteAnswer::Status(403), false),
            (SiteAnswer::Status(404), SiteAnswer::Status(502), true),
            (SiteAnswer::Status(502), SiteAnswer::Status(503), false),
            (SiteAnswer::Status(502), SiteAnswer::Status(200), false),
            (SiteAnswer::Status(502), nothing(), true),
            (nothing(), nothing(), false),
            (nothing(), SiteAnswer::Status(502), false),
        ] {
            assert_eq!(after.is_new_error(&before), is_new, "{before} {after}");
            assert_eq!(after.is_worth_another_try(Some(&before)), is_new);
        }
        assert!(nothing().is_worth_another_try(None));
        assert!(SiteAnswer::Status(503).is_worth_another_try(None));
        assert!(!SiteAnswer::Status(404).is_worth_another_try(None));
    }
}
