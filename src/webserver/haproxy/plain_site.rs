//! Finds the section that serves visitors in plain text and can serve them over TLS as well.

use super::config::{HaproxyConfig, HaproxyFrontend};
use crate::webserver::model::{ListenAddress, PlainSite};

/// The port of http.
const HTTP: u16 = 80;

impl HaproxyConfig {
    /// Returns the first section at the port of http that has a backend and does not redirect to
    /// https: over TLS it would redirect to itself.
    #[must_use]
    pub(crate) fn plain_site(&self) -> Option<PlainSite> {
        let site = self.frontends.iter().find(|frontend| {
            !frontend.disabled
                && !frontend.redirects
                && self.has_backend(frontend)
                && frontend.listens.iter().any(is_public_http)
        })?;
        Some(PlainSite {
            place: format!("{}:{}", site.file.display(), site.line),
            listens: site.listens.clone(),
        })
    }

    fn has_backend(&self, frontend: &HaproxyFrontend) -> bool {
        let backend = frontend.backend.as_ref();
        backend.is_some_and(|backend| self.backends.contains(backend))
    }
}

fn is_public_http(listen: &ListenAddress) -> bool {
    let socket = listen.socket();
    let is_loopback = socket.is_some_and(|socket| socket.ip().is_loopback());
    listen.port == HTTP && !listen.ssl && !listen.udp && !is_loopback
}

#[cfg(test)]
mod tests {
    use super::super::testing::config;

    #[test]
    fn only_sections_with_a_backend_get_tls() {
        for (text, place) in [
            (
                "frontend web\n bind *:80\n default_backend app\nbackend app\n server a 127.0.0.1:1\n",
                Some("/etc/haproxy/haproxy.cfg:1"),
            ),
            (
                "frontend old\n bind 127.0.0.1:80\n default_backend app\nlisten app\n bind :80\n server a 127.0.0.1:1\n",
                Some("/etc/haproxy/haproxy.cfg:4"),
            ),
            (
                "frontend web\n bind *:80\n http-request redirect scheme https\n default_backend app\nbackend app\n",
                None,
            ),
            ("frontend web\n bind *:80\n default_backend no\n", None),
            (
                "frontend web\n bind *:8080\n default_backend app\nbackend app\n",
                None,
            ),
        ] {
            let site = config(text).plain_site();
            assert_eq!(site.map(|site| site.place).as_deref(), place, "{text}");
        }
    }
}
