//! The site of a rehearsal: a web server on loopback with an old certificate that ends soon, in two plain files as most
//! servers have them. Either the embedded one or the nginx of this machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::ca::Authority;
use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::name::{DnsName, Names};
use crate::pki::request::SigningRequest;
use crate::system::files;
use crate::system::scratch::Scratch;
use crate::system::serve::web::{Site, WebServer};

/// How long the old certificate still lives: reason enough for a round.
pub const OLD_DAYS: i64 = 9;

/// The paths that the server's configuration names: the ones that certctl uses by default.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The chain.
    pub chain: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// Puts an old pair for `name` in place and says its leaf.
///
/// # Errors
/// When it cannot be made or written.
pub fn old_pair(scratch: &Scratch, authority: &Authority, name: &DnsName) -> Result<(Paths, Certificate)> {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let request = SigningRequest::build(&Names::parse(&[name.as_str()])?, &key)?;
    let leaf = authority.issue(&request, OLD_DAYS)?;
    let chain = leaf.to_pem() + &authority.intermediate()?.to_pem();
    let stem = name.file_stem();
    let paths = Paths {
        chain: scratch.folder("etc/ssl")?.join(format!("{stem}.fullchain.pem")),
        key: scratch.folder("etc/ssl/private")?.join(format!("{stem}.key")),
    };
    files::create_new(&paths.key, key.to_pem().as_bytes(), 0o600)?;
    files::create_new(&paths.chain, chain.as_bytes(), 0o644)?;
    Ok((paths, leaf))
}

/// The embedded server and the file that makes it reload.
#[derive(Debug)]
pub struct Embedded {
    server: WebServer,
    /// Touch this to reload.
    pub reload: PathBuf,
}

impl Embedded {
    /// Starts to serve the pair at `paths`.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(scratch: &Scratch, paths: Paths) -> Result<Self> {
        let reload = scratch.folder("web")?.join("reload");
        let site = Site { chain: paths.chain, key: paths.key, reload: reload.clone() };
        Ok(Self { server: WebServer::start(site)?, reload })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

/// An nginx configuration that needs no root and keeps every file in `folder`.
#[must_use]
pub fn nginx_conf(folder: &Path, name: &str, port: u16, paths: &Paths) -> String {
    let path = |path: &Path| format!("\"{}\"", path.display());
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path {};\n", path(&folder.join(kind))))
        .concat();
    format!(
        "worker_processes 1;\npid {pid};\nerror_log {log};\nevents {{}}\nhttp {{\n    access_log off;\n{temporary}\
         \x20   server {{\n        listen 127.0.0.1:{port} ssl;\n        server_name {name};\n\
         \x20       ssl_certificate {chain};\n        ssl_certificate_key {key};\n        return 200;\n    }}\n}}\n",
        pid = path(&folder.join("nginx.pid")),
        log = path(&folder.join("error.log")),
        chain = path(&paths.chain),
        key = path(&paths.key),
    )
}

#[cfg(test)]
mod tests {
    use super::{Embedded, old_pair};
    use crate::pki::name::DnsName;
    use crate::rehearsal::ca::Authority;
    use crate::system::files;
    use crate::system::scratch::Scratch;
    use crate::system::serve::web::visit;

    #[test]
    fn the_server_serves_what_it_has_loaded_until_it_is_told() {
        let temporary = tempfile::tempdir().unwrap();
        let scratch = Scratch::claim(&temporary.path().join("r")).unwrap();
        let other = Scratch::claim(&temporary.path().join("other")).unwrap();
        let authority = Authority::new(jiff::Timestamp::now()).unwrap();
        let root = authority.root().unwrap();
        let name = DnsName::parse("shop.example").unwrap();
        let (paths, old) = old_pair(&scratch, &authority, &name).unwrap();
        let (new_paths, new) = old_pair(&other, &authority, &name).unwrap();
        let web = Embedded::start(&scratch, paths.clone()).unwrap();
        let seen = |host: &str| visit(web.address(), host, root.der()).map(|visit| visit.leaf);
        assert_eq!(seen("shop.example").unwrap(), old.der());
        assert!(seen("other.example").is_err(), "the visitor checks the name");

        let copy = |from, to| files::replace(to, &files::read(from, 9999).unwrap(), 0o600).unwrap();
        copy(&new_paths.chain, &paths.chain);
        assert_eq!(seen("shop.example").unwrap(), old.der(), "nobody told it");
        std::fs::write(&web.reload, "").unwrap();
        assert_eq!(seen("shop.example").unwrap(), old.der(), "chain and key do not fit: it keeps what works");
        copy(&new_paths.key, &paths.key);
        std::fs::write(&web.reload, "").unwrap();
        assert_eq!(seen("shop.example").unwrap(), new.der());
        let address = web.address();
        drop(web);
        assert!(visit(address, "shop.example", root.der()).is_err(), "gone when dropped");
    }
}
