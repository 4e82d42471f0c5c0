//! How nginx was built, from the output of `nginx -V`.

use std::fmt;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct NginxVersion(pub u16, pub u16, pub u16);

impl fmt::Display for NginxVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The version and paths of an nginx.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NginxBuild {
    pub version: NginxVersion,
    /// The folder of relative paths.
    pub prefix: PathBuf,
    /// The built-in configuration file.
    pub config: PathBuf,
    /// The pid file unless the configuration sets another.
    pub pid: PathBuf,
}

impl NginxBuild {
    /// Parses the output of `nginx -V`; `None` when it is not that of an nginx.
    #[must_use]
    pub fn parse(output: &str) -> Option<Self> {
        let version = output.lines().find_map(version)?;
        let prefix = Path::new(argument(output, "--prefix").unwrap_or("/usr/local/nginx"));
        let config = argument(output, "--conf-path").unwrap_or("conf/nginx.conf");
        let pid = argument(output, "--pid-path").unwrap_or("logs/nginx.pid");
        Some(Self {
            version,
            config: prefix.join(config),
            pid: prefix.join(pid),
            prefix: prefix.to_owned(),
        })
    }
}

/// The value of an argument of nginx's `configure` script.
fn argument<'a>(output: &'a str, name: &str) -> Option<&'a str> {
    output
        .split([' ', '\n'])
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// Parses `nginx version: nginx/1.22.1 (Debian)`; other builds report `openresty/1.25.3.1` or
/// `Angie/1.5.0`.
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

    use super::{NginxBuild, NginxVersion};

    #[test]
    fn builds_of_several_vendors_are_parsed() {
        let debian = "nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.22\nTLS SNI support enabled\nconfigure arguments: \
            --with-cc-opt='-g -O2 -ffile-prefix-map=/build=.' --prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf \
            --pid-path=/run/nginx.pid --with-http_v2_module --with-mail=dynamic\n";
        let build = NginxBuild::parse(debian).unwrap();
        assert_eq!(build.version, NginxVersion(1, 22, 1));
        assert_eq!(build.config, Path::new("/etc/nginx/nginx.conf"));
        assert_eq!(build.pid, Path::new("/run/nginx.pid"));
        assert_eq!(build.prefix, Path::new("/usr/share/nginx"));

        let own = NginxBuild::parse(
            "nginx version: nginx/1.25.1 (Ubuntu)\nconfigure arguments: --with-http_v2_module",
        )
        .unwrap();
        assert_eq!(own.version, NginxVersion(1, 25, 1));
        assert_eq!(own.config, Path::new("/usr/local/nginx/conf/nginx.conf"));
        assert_eq!(own.pid, Path::new("/usr/local/nginx/logs/nginx.pid"));

        let openresty = NginxBuild::parse(
            "nginx version: openresty/1.25.3.1\nconfigure arguments: --prefix=/o",
        )
        .unwrap();
        assert_eq!(openresty.version, NginxVersion(1, 25, 3));
        assert_eq!(NginxBuild::parse("usage: nginx"), None);
    }
}
