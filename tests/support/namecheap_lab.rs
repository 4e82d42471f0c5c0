//! A folder, an account at the stub of Namecheap's API, and where the test wants them a zone on a real
//! knot and a site on a real nginx.

use std::net::IpAddr;
use std::path::PathBuf;

use super::dns::{NameServer, TsigKey, port_53};
use super::install_sandbox::tree;
use super::nginx::Nginx;
use super::stub_namecheap::{API_KEY, CLIENT_IP, StubNamecheap};
use super::{Run, Sandbox};

/// The names in the zone shop.example.
pub const NAMES: [&str; 2] = ["shop.example", "www.shop.example"];
/// The certificate that was bought.
pub const BOUGHT: u64 = 953_413;

pub struct NamecheapLab {
    pub sandbox: Sandbox,
    pub namecheap: StubNamecheap,
    resolver: IpAddr,
    pub site: IpAddr,
    _knot: Option<NameServer>,
}

impl NamecheapLab {
    /// With a certificate that is bought, and no DNS: every record is there.
    pub fn offline() -> Self {
        let lab = Self::new(
            IpAddr::from([127, 0, 0, 1]),
            IpAddr::from([127, 0, 0, 1]),
            None,
        );
        lab.write_credentials(API_KEY, CLIENT_IP, "");
        lab
    }

    /// With a zone on knot that can be updated; `number` is different in each test.
    pub fn with_zone(number: u8) -> Self {
        let server = port_53(0, number * 2);
        let site = port_53(1, number * 2).ip();
        let hosts = format!(
            "ns1 A {0}\nns2 A {0}\n@ A {site}\nwww A {site}",
            server.ip()
        );
        let key = TsigKey::new("certctl");
        let knot = NameServer::knot_with_updates(&[server], &hosts, &key, "");
        let lab = Self::new(server.ip(), site, Some(knot));
        lab.namecheap
            .with(|account| account.name_server = Some(server));
        let table = format!(
            "[dns.rfc2136]\nnameserver = \"{server}\"\ntsig_key = \"{}\"\ntsig_secret = \"{}\"\n",
            key.name, key.secret
        );
        lab.write_credentials(API_KEY, CLIENT_IP, &table);
        lab
    }

    fn new(resolver: IpAddr, site: IpAddr, knot: Option<NameServer>) -> Self {
        let namecheap = StubNamecheap::start();
        namecheap.add_purchase(BOUGHT);
        let sandbox = Sandbox::new();
        sandbox.write("root.pem", namecheap.authority.root_pem());
        Self {
            sandbox,
            namecheap,
            resolver,
            site,
            _knot: knot,
        }
    }

    pub fn write_credentials(&self, key: &str, client_ip: &str, more: &str) {
        let url = &self.namecheap.api.url;
        let text = format!(
            "{more}[ca.namecheap]\napi_user = \"shopuser\"\napi_key = \"{key}\"\nclient_ip = \
             \"{client_ip}\"\napi_url = \"{url}/xml.response\"\n"
        );
        self.sandbox
            .write_key("tree/etc/certctl/credentials.toml", text);
    }

    /// The words of an order; its names are looked up at knot, or nowhere.
    pub fn words(&self, more: &[&str]) -> Vec<String> {
        let resolver = match self._knot {
            Some(_) => self.resolver.to_string(),
            None => "127.0.0.1:9".to_owned(),
        };
        let words = ["--root", "tree", "order", NAMES[0], NAMES[1]].iter();
        let mut words: Vec<String> = words.map(ToString::to_string).collect();
        let options = [
            "--ca",
            "namecheap",
            "--trust",
            "root.pem",
            "--email",
            "admin@shop.example",
        ];
        words.extend(options.iter().map(ToString::to_string));
        words.extend(["--resolver".to_owned(), resolver]);
        words.extend(more.iter().map(ToString::to_string));
        words
    }

    /// Orders with the account's certificate, and publishes the record.
    pub fn order(&self, more: &[&str]) -> Run {
        let id = BOUGHT.to_string();
        let own = ["--certificate", &id, "--dns", "rfc2136", "--json"];
        self.run(&self.words(&[&own[..], more].concat()))
    }

    /// Orders without a DNS provider, and installs nothing; where no zone is, nothing is looked up.
    pub fn order_by_hand(&self, more: &[&str]) -> Run {
        let own = ["--no-install", "--allow", "unchecked-record", "--json"];
        self.run(&self.words(&[&own[..], more].concat()))
    }

    pub fn run(&self, words: &[String]) -> Run {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let run = self.sandbox.run(&words);
        assert!(!run.stdout.contains(API_KEY), "{run}");
        assert!(!run.stderr.contains(API_KEY), "{run}");
        self.namecheap.assert_clean();
        run
    }

    /// Installs a placeholder and starts an nginx that serves it.
    pub fn serve_placeholder(&self) -> Nginx {
        let placeholder = [
            "--root",
            "tree",
            "install",
            "--placeholder",
            NAMES[0],
            NAMES[1],
        ];
        self.sandbox.run(&placeholder).expect(0);
        let root = self.sandbox.join("tree").display().to_string();
        let site = self.site;
        let names = NAMES.join(" ");
        let nginx = Nginx::start(
            &self.sandbox.join("nginx"),
            &format!(
                "server {{ listen {site}:443 ssl; server_name {names};\nssl_protocols TLSv1.2 TLSv1.3;\n\
                 ssl_certificate {root}/etc/ssl/shop.example.fullchain.pem;\nssl_certificate_key \
                 {root}/etc/ssl/private/shop.example.key; return 204; }}\n"
            ),
        );
        let config = nginx.config().display().to_string();
        let server = ["--server", "nginx", "--server-config", &config];
        self.sandbox
            .run(&[&placeholder[..], &server].concat())
            .expect(0);
        nginx
    }

    /// The files in a folder of the state.
    pub fn state(&self, folder: &str) -> Vec<PathBuf> {
        let path = self.sandbox.join("tree/var/lib/certctl").join(folder);
        tree(&path).into_keys().collect()
    }
}
