//! How an nginx was built, from what `nginx -V` says.

use std::fmt;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct NginxVersion(pub u16, pub u16, pub u16);

impl fmt::Display for NginxVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// How a configuration says HTTP/2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Http2Syntax {
    /// `http2 on;` (from 1.25.1).
    Directive,
    /// `listen ... http2` (before).
    Listen,
    /// The module is not built in.
    Absent,
}

/// What was built in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NginxBuild {
    pub version: NginxVersion,
    /// What relative paths start from.
    pub prefix: PathBuf,
    /// The configuration that is read when none is named.
    pub config: PathBuf,
    /// Where the process id is when the configuration does not say.
    pub pid: PathBuf,
    /// Whether HTTP/2 is there, and how to say it.
    pub http2: Http2Syntax,
}

impl NginxBuild {
    /// Reads what `nginx -V` says; `None` when it is not nginx that speaks.
    #[must_use]
    pub fn parse(output: &str) -> Option<Self> {
        let version = output.lines().find_map(version)?;
        let argument = |name: &str| {
            let mut words = output.split([' ', '\n']);
            words
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
                .map(PathBuf::from)
        };
        let prefix = argument("--prefix").unwrap_or_else(|| PathBuf::from("/usr/local/nginx"));
        let path = |name: &str, default: &str| {
            prefix.join(
                argument(name)
                    .as_deref()
                    .unwrap_or_else(|| Path::new(default)),
            )
        };
        let http2 = match output.contains("--with-http_v2_module") {
            false => Http2Syntax::Absent,
            true if version >= NginxVersion(1, 25, 1) => Http2Syntax::Directive,
            true => Http2Syntax::Listen,
        };
        let (config, pid) = (
            path("--conf-path", "conf/nginx.conf"),
            path("--pid-path", "logs/nginx.pid"),
        );
        Some(Self {
            version,
            config,
            pid,
            prefix,
            http2,
        })
    }
}

/// `nginx version: nginx/1.22.1 (Debian)`; builds of others call themselves
/// `openresty/1.25.3.1`, `Angie/1.5.0`.
fn version(line: &str) -> Option<NginxVersion> {
    let (_, name) = line.split_once(" version: ")?;
    let (_, number) = name.split_once('/')?;
    let number = number
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .next()?;
    let mut parts = number.split('.').map(str::parse);
    let mut part = || parts.next()?.ok();
    Some(NginxVersion(part()?, part()?, part()?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Http2Syntax, NginxBuild, NginxVersion};

    #[test]
    fn builds_of_several_makers() {
        let debian = "nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.22\nTLS SNI support enabled\nconfigure arguments: \
            --with-cc-opt='-g -O2 -ffile-prefix-map=/build=.' --prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf \
            --pid-path=/run/nginx.pid --with-http_v2_module --with-mail=dynamic\n";
        let build = NginxBuild::parse(debian).unwrap();
        assert_eq!(
            (build.version, build.http2),
            (NginxVersion(1, 22, 1), Http2Syntax::Listen)
        );
        assert_eq!(build.config, Path::new("/etc/nginx/nginx.conf"));
        assert_eq!(build.pid, Path::new("/run/nginx.pid"));
        assert_eq!(build.prefix, Path::new("/usr/share/nginx"));

        let own = NginxBuild::parse(
            "nginx version: nginx/1.25.1 (Ubuntu)\nconfigure arguments: --with-http_v2_module",
        )
        .unwrap();
        assert_eq!(
            (own.version, own.http2),
            (NginxVersion(1, 25, 1), Http2Syntax::Directive)
        );
        assert_eq!(own.config, Path::new("/usr/local/nginx/conf/nginx.conf"));
        assert_eq!(own.pid, Path::new("/usr/local/nginx/logs/nginx.pid"));

        let openresty = NginxBuild::parse(
            "nginx version: openresty/1.25.3.1\nconfigure arguments: --prefix=/o",
        )
        .unwrap();
        assert_eq!(
            (openresty.version, openresty.http2),
            (NginxVersion(1, 25, 3), Http2Syntax::Absent)
        );
        assert_eq!(NginxBuild::parse("usage: nginx"), None);
    }
}
