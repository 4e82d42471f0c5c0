//! The site of a rehearsal: a web server on loopback with a certificate that expires soon, in two plain
//! files. The server is either the embedded one or the nginx of this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::ca::RehearsalCa;
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::name::{DnsName, DnsNames};
use crate::pki::request::SigningRequest;
use crate::system::fs::files;
use crate::system::fs::scratch::ScratchFolder;
use crate::system::process::{self, CommandInvocation};
use crate::system::serve::web::{ServedSite, WebServer};
use crate::system::{clock, serve};

/// How many days the old certificate is still valid.
pub(crate) const OLD_DAYS: i64 = 9;

/// The paths in the configuration of the server: the default paths of certctl.
#[derive(Clone, Debug)]
pub(crate) struct RehearsalPaths {
    pub chain: PathBuf,
    pub key: PathBuf,
}

/// The certificate that the site has before the rehearsal.
#[derive(Debug)]
pub(crate) struct OldCertificate {
    pub paths: RehearsalPaths,
    pub leaf: Certificate,
}

/// Creates an old certificate and key for `name` and writes the files.
///
/// # Errors
/// When they cannot be created or written.
pub(crate) fn create_old_certificate(
    scratch: &ScratchFolder,
    authority: &RehearsalCa,
    name: &DnsName,
) -> Result<OldCertificate> {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let names = DnsNames::parse(&[name.as_str()])?;
    let request = SigningRequest::build(&names, &key)?;
    let leaf = authority.issue(&request, OLD_DAYS)?;
    let chain = leaf.to_pem() + &authority.intermediate()?.to_pem();
    let stem = name.file_stem();
    let paths = RehearsalPaths {
        chain: scratch
            .create_folder("etc/ssl")?
            .join(format!("{stem}.fullchain.pem")),
        key: scratch
            .create_folder("etc/ssl/private")?
            .join(format!("{stem}.key")),
    };
    let key_pem = key.to_pem();
    files::create_new(&paths.key, key_pem.as_bytes(), Mode::new(0o600))?;
    files::create_new(&paths.chain, chain.as_bytes(), Mode::new(0o644))?;
    Ok(OldCertificate { paths, leaf })
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
    /// Starts the embedded server with the certificate at `paths`.
    ///
    /// # Errors
    /// When no port is free.
    pub(crate) fn embedded(scratch: &ScratchFolder, paths: RehearsalPaths) -> Result<Self> {
        let reload = scratch.create_folder("web")?.join("reload");
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

/// An nginx that needs no root, has all files in one folder, and is stopped when dropped.
#[derive(Debug)]
pub(crate) struct RehearsalNginx {
    config: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
}

impl RehearsalNginx {
    /// Writes a configuration with the certificate at `paths` and starts nginx with it.
    ///
    /// # Errors
    /// When nginx is missing or does not start.
    pub(crate) fn start(
        scratch: &ScratchFolder,
        host: &str,
        paths: &RehearsalPaths,
    ) -> Result<Self> {
        // nginx resolves relative paths against its own folders.
        let base = scratch.absolute()?;
        let paths = RehearsalPaths {
            chain: below(&base, scratch, &paths.chain),
            key: below(&base, scratch, &paths.key),
        };
        let folder = below(&base, scratch, &scratch.create_folder("nginx")?);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, serve::free_port()?));
        let config = folder.join("nginx.conf");
        files::create_new(
            &config,
            stand_in_conf(&folder, host, address, &paths).as_bytes(),
            Mode::new(0o644),
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
        let config = self.config.display().to_string();
        let log = self.folder.join("error.log").display().to_string();
        let words = [&["nginx", "-c", &config, "-e", &log], arguments].concat();
        let finished = process::run(&CommandInvocation {
            argv: words.into_iter().map(ToOwned::to_owned).collect(),
            deadline: Duration::from_secs(10),
            output_limit: 4096,
        })?;
        anyhow::ensure!(
            finished.succeeded(),
            "nginx failed: {}",
            finished.output.trim()
        );
        Ok(())
    }
}

impl Drop for RehearsalNginx {
    /// Stops nginx and waits until it has removed its pid file.
    fn drop(&mut self) {
        let _ = self.run(&["-s", "stop"]);
        for _ in 0..200 {
            if !files::exists(&self.folder.join("nginx.pid")) {
                return;
            }
            clock::sleep(Duration::from_millis(10));
        }
    }
}

/// Returns the absolute form of a path in the scratch folder.
fn below(base: &Path, scratch: &ScratchFolder, path: &Path) -> PathBuf {
    base.join(path.strip_prefix(scratch.path()).unwrap_or(path))
}

fn quote_path(path: &Path) -> String {
    format!("\"{}\"", path.display())
}

/// The configuration of the rehearsal's own nginx, which stands in for that of a real site.
fn stand_in_conf(folder: &Path, host: &str, address: SocketAddr, paths: &RehearsalPaths) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path {};\n", quote_path(&folder.join(kind))))
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
        pid = quote_path(&folder.join("nginx.pid")),
        log = quote_path(&folder.join("error.log")),
        chain = quote_path(&paths.chain),
        key = quote_path(&paths.key),
    )
}

#[cfg(test)]
mod tests {
    use super::{Mode, OldCertificate, RehearsalSite, create_old_certificate};
    use crate::pki::name::DnsName;
    use crate::rehearsal::ca::RehearsalCa;
    use crate::system::fs::files;
    use crate::system::fs::scratch::ScratchFolder;
    use crate::system::serve::web::visit;

    #[test]
    fn the_server_changes_its_certificate_only_on_reload() {
        let temporary = tempfile::tempdir().unwrap();
        let scratch = ScratchFolder::claim(&temporary.path().join("r")).unwrap();
        let other = ScratchFolder::claim(&temporary.path().join("other")).unwrap();
        let authority = RehearsalCa::new(jiff::Timestamp::now()).unwrap();
        let root = authority.root().unwrap();
        let name = DnsName::parse("shop.example").unwrap();
        let OldCertificate { paths, leaf: old } =
            create_old_certificate(&scratch, &authority, &name).unwrap();
        let OldCertificate {
            paths: new_paths,
            leaf: new,
        } = create_old_certificate(&other, &authority, &name).unwrap();
        let web = RehearsalSite::embedded(&scratch, paths.clone()).unwrap();
        let RehearsalSite::Embedded { reload, .. } = &web else {
            panic!("not embedded")
        };
        let at = jiff::Timestamp::now();
        let served =
            |host: &str| visit(web.address(), host, root.der(), at).map(|visit| visit.leaf);
        assert_eq!(served("shop.example").unwrap(), old.der());
        assert!(
            served("other.example").is_err(),
            "the visitor must check the name"
        );

        let copy = |from, to| {
            files::replace(to, &files::read(from, 9999).unwrap(), Mode::new(0o600)).unwrap()
        };
        copy(&new_paths.chain, &paths.chain);
        assert_eq!(
            served("shop.example").unwrap(),
            old.der(),
            "without a reload the old certificate is served"
        );
        std::fs::write(reload, "").unwrap();
        assert_eq!(
            served("shop.example").unwrap(),
            old.der(),
            "chain and key do not match: the server keeps the old certificate"
        );
        copy(&new_paths.key, &paths.key);
        std::fs::write(reload, "").unwrap();
        assert_eq!(served("shop.example").unwrap(), new.der());
        let address = web.address();
        drop(web);
        assert!(
            visit(address, "shop.example", root.der(), at).is_err(),
            "the server must stop when it is dropped"
        );
    }
}
