//! The site of a rehearsal: a web server on loopback with an old certificate that ends soon, in two
//! plain files as most servers have them. Either the embedded one or the nginx of this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::ca::RehearsalCa;
use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::name::{DnsName, DnsNames};
use crate::pki::request::SigningRequest;
use crate::system::fs::files;
use crate::system::fs::scratch::ScratchFolder;
use crate::system::process::{self, CommandInvocation};
use crate::system::serve::web::{ServedSite, WebServer};
use crate::system::{clock, serve};

/// How long the old certificate still lives: reason enough for a round.
pub(crate) const OLD_DAYS: i64 = 9;

/// The paths that the server's configuration names: the ones that certctl uses by default.
#[derive(Clone, Debug)]
pub(crate) struct RehearsalPaths {
    pub chain: PathBuf,
    pub key: PathBuf,
}

/// Puts an old pair for `name` in place and says its leaf.
///
/// # Errors
/// When it cannot be made or written.
pub(crate) fn old_pair(
    scratch: &ScratchFolder,
    authority: &RehearsalCa,
    name: &DnsName,
) -> Result<(RehearsalPaths, Certificate)> {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let request = SigningRequest::build(&DnsNames::parse(&[name.as_str()])?, &key)?;
    let leaf = authority.issue(&request, OLD_DAYS)?;
    let chain = leaf.to_pem() + &authority.intermediate()?.to_pem();
    let stem = name.file_stem();
    let paths = RehearsalPaths {
        chain: scratch
            .folder("etc/ssl")?
            .join(format!("{stem}.fullchain.pem")),
        key: scratch
            .folder("etc/ssl/private")?
            .join(format!("{stem}.key")),
    };
    files::create_new(&paths.key, key.to_pem().as_bytes(), 0o600)?;
    files::create_new(&paths.chain, chain.as_bytes(), 0o644)?;
    Ok((paths, leaf))
}

/// The server of the site.
#[derive(Debug)]
pub(crate) enum RehearsalSite {
    Embedded {
        server: WebServer,
        /// Touching this file makes it reload.
        reload: PathBuf,
    },
    /// The nginx of this machine.
    Nginx(RehearsalNginx),
}

impl RehearsalSite {
    /// The embedded server, with the pair at `paths`.
    ///
    /// # Errors
    /// When no port can be had.
    pub(crate) fn embedded(scratch: &ScratchFolder, paths: RehearsalPaths) -> Result<Self> {
        let reload = scratch.folder("web")?.join("reload");
        let site = ServedSite {
            chain: paths.chain,
            key: paths.key,
            reload: reload.clone(),
        };
        Ok(Self::Embedded {
            server: WebServer::start(site)?,
            reload,
        })
    }

    #[must_use]
    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Embedded { server, .. } => server.address(),
            Self::Nginx(nginx) => nginx.address,
        }
    }
}

/// An nginx of our own: no root, every file in one folder, stopped when dropped.
#[derive(Debug)]
pub(crate) struct RehearsalNginx {
    config: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
}

impl RehearsalNginx {
    /// Writes a configuration that names the pair at `paths`, and starts nginx with it.
    ///
    /// # Errors
    /// When there is none, or it does not start.
    pub(crate) fn start(
        scratch: &ScratchFolder,
        host: &str,
        paths: &RehearsalPaths,
    ) -> Result<Self> {
        // nginx reads relative paths as relative to its own folders.
        let here = scratch.absolute()?;
        let absolute = |path: &Path| here.join(path.strip_prefix(scratch.path()).unwrap_or(path));
        let paths = RehearsalPaths {
            chain: absolute(&paths.chain),
            key: absolute(&paths.key),
        };
        let folder = absolute(&scratch.folder("nginx")?);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, serve::free_port()?));
        let config = folder.join("nginx.conf");
        files::create_new(
            &config,
            nginx_conf(&folder, host, address, &paths).as_bytes(),
            0o644,
        )?;
        let nginx = Self {
            config,
            folder,
            address,
        };
        nginx.run(&[])?;
        Ok(nginx)
    }

    fn run(&self, arguments: &[&str]) -> Result<()> {
        let (config, log) = (
            self.config.display().to_string(),
            self.folder.join("error.log").display().to_string(),
        );
        let words = [&["nginx", "-c", &config, "-e", &log], arguments].concat();
        let finished = process::run(&CommandInvocation {
            argv: words.into_iter().map(ToOwned::to_owned).collect(),
            deadline: Duration::from_secs(10),
            output_limit: 4096,
        })?;
        anyhow::ensure!(
            finished.succeeded(),
            "nginx said: {}",
            finished.output.trim()
        );
        Ok(())
    }
}

impl Drop for RehearsalNginx {
    /// It has gone once it has removed its pid file.
    fn drop(&mut self) {
        let _ = self.run(&["-s", "stop"]);
        for _ in 0..200 {
            if !files::occupied(&self.folder.join("nginx.pid")) {
                return;
            }
            clock::sleep(Duration::from_millis(10));
        }
    }
}

fn nginx_conf(folder: &Path, host: &str, address: SocketAddr, paths: &RehearsalPaths) -> String {
    let quoted = |path: &Path| format!("\"{}\"", path.display());
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path {};\n", quoted(&folder.join(kind))))
        .concat();
    format!(
        "worker_processes 1;
pid {pid};
error_log {log};
events {{}}
http {{
    access_log off;
{temporary}    server {{
        listen {address} ssl;
        server_name {host};
        ssl_certificate {chain};
        ssl_certificate_key {key};
        return 200;
    }}
}}
",
        pid = quoted(&folder.join("nginx.pid")),
        log = quoted(&folder.join("error.log")),
        chain = quoted(&paths.chain),
        key = quoted(&paths.key),
    )
}

#[cfg(test)]
mod tests {
    use super::{RehearsalSite, old_pair};
    use crate::pki::name::DnsName;
    use crate::rehearsal::ca::RehearsalCa;
    use crate::system::fs::files;
    use crate::system::fs::scratch::ScratchFolder;
    use crate::system::serve::web::visit;

    #[test]
    fn the_server_serves_what_it_has_loaded_until_it_is_told() {
        let temporary = tempfile::tempdir().unwrap();
        let scratch = ScratchFolder::claim(&temporary.path().join("r")).unwrap();
        let other = ScratchFolder::claim(&temporary.path().join("other")).unwrap();
        let authority = RehearsalCa::new(jiff::Timestamp::now()).unwrap();
        let root = authority.root().unwrap();
        let name = DnsName::parse("shop.example").unwrap();
        let (paths, old) = old_pair(&scratch, &authority, &name).unwrap();
        let (new_paths, new) = old_pair(&other, &authority, &name).unwrap();
        let web = RehearsalSite::embedded(&scratch, paths.clone()).unwrap();
        let RehearsalSite::Embedded { reload, .. } = &web else {
            panic!("not embedded")
        };
        let at = jiff::Timestamp::now();
        let seen = |host: &str| visit(web.address(), host, root.der(), at).map(|visit| visit.leaf);
        assert_eq!(seen("shop.example").unwrap(), old.der());
        assert!(
            seen("other.example").is_err(),
            "the visitor checks the name"
        );

        let copy = |from, to| files::replace(to, &files::read(from, 9999).unwrap(), 0o600).unwrap();
        copy(&new_paths.chain, &paths.chain);
        assert_eq!(seen("shop.example").unwrap(), old.der(), "nobody told it");
        std::fs::write(reload, "").unwrap();
        assert_eq!(
            seen("shop.example").unwrap(),
            old.der(),
            "chain and key do not fit: it keeps what works"
        );
        copy(&new_paths.key, &paths.key);
        std::fs::write(reload, "").unwrap();
        assert_eq!(seen("shop.example").unwrap(), new.der());
        let address = web.address();
        drop(web);
        assert!(
            visit(address, "shop.example", root.der(), at).is_err(),
            "gone when dropped"
        );
    }
}
