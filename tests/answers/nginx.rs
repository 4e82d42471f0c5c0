//! Generates configurations of nginx with server blocks that overlap as much as nginx permits. Ports
//! and the folder are placeholders (`@0@`, `@DIR@`): they are free ones at the time of the start.

use std::collections::BTreeSet;

use crate::support::answers::KeyKind;
use crate::support::seed::Generator;

/// What a configuration has.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Feature {
    WildcardListen,
    SingleAddress,
    Ipv6,
    DualStack,
    OtherPort,
    PlainPort,
    DefaultServer,
    FirstBlock,
    ExactName,
    LeadingWildcard,
    TrailingWildcard,
    DottedName,
    Expressions,
    NoServerName,
    EmptyName,
    IncludeGlob,
    MainFile,
    Prefix,
    TwoCertificates,
    Inherited,
    Variable,
    Lua,
    Reject,
    Preread,
    Http2,
    BareBlock,
}

pub(crate) const FEATURES: [Feature; 26] = [
    Feature::WildcardListen,
    Feature::SingleAddress,
    Feature::Ipv6,
    Feature::DualStack,
    Feature::OtherPort,
    Feature::PlainPort,
    Feature::DefaultServer,
    Feature::FirstBlock,
    Feature::ExactName,
    Feature::LeadingWildcard,
    Feature::TrailingWildcard,
    Feature::DottedName,
    Feature::Expressions,
    Feature::NoServerName,
    Feature::EmptyName,
    Feature::IncludeGlob,
    Feature::MainFile,
    Feature::Prefix,
    Feature::TwoCertificates,
    Feature::Inherited,
    Feature::Variable,
    Feature::Lua,
    Feature::Reject,
    Feature::Preread,
    Feature::Http2,
    Feature::BareBlock,
];

/// The number of certificates with each key type that configurations use.
pub(crate) const ECDSA: usize = 12;
pub(crate) const RSA: usize = 4;

/// The number of ports that a configuration uses: two for TLS, one for plain text, one for a stream
/// server, and two behind it.
pub(crate) const PORTS: usize = 6;
const OTHER: usize = 1;
const PLAIN: usize = 2;
const FRONT: usize = 3;
const BEHIND: [usize; 2] = [4, 5];

const EXACT: [&str; 8] = [
    "a.example",
    "b.example",
    "www.a.example",
    "x.y.example",
    "y.example",
    "www.b.test",
    "a.test",
    "shop-1.example",
];
const LEADING: [&str; 5] = [
    "*.example",
    "*.a.example",
    "*.y.example",
    "*.test",
    "*.b.test",
];
const TRAILING: [&str; 5] = ["www.*", "a.*", "www.a.*", "x.y.*", "shop-1.*"];
const DOTTED: [&str; 5] = [".example", ".a.example", ".y.example", ".test", ".b.test"];
const EXPRESSIONS: [&str; 18] = [
    r"~^a\.",
    r"~^www\d*\.",
    r"~^(?<sub>.+)\.example$",
    r"~^(?P<name>[a-z0-9-]+)\.a\.example$",
    r"~^(www\.)?(a|b)\.(example|test)$",
    r"~example",
    r"~^[^.]+\.test$",
    r"~^SHOP-[0-9]+\.Example$",
    r"~\.a\.",
    r"~^(?!www\.).+\.test$",
    r"~^.{1,9}$",
    r"~^(?i)[A-Z]\.example$",
    r"~^x\.y\.",
    r"~[[:digit:]]",
    r"~^\D+$",
    r"~^\w+\.(?=y\.)",
    r"~\bshop\b",
    r"~^(?:(?:[a-z]+\.){2,3})example$",
];
/// An expression that the model does not evaluate.
const UNKNOWN_EXPRESSION: &str = r"~(?<=www\.)b";

/// The names that clients ask for.
const HOSTS: [&str; 16] = [
    "a.example",
    "b.example",
    "www.a.example",
    "x.y.example",
    "y.example",
    "www.b.test",
    "a.test",
    "shop-1.example",
    "z.a.example",
    "deep.z.a.example",
    "www.example",
    "example",
    "www.other.invalid",
    "x.y.invalid",
    "b.test",
    "nothing.invalid",
];

/// How nginx finds its main file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MainFile {
    /// `-c FILE`, in the folder of everything else.
    Here,
    /// `-c FILE`, in another folder; all paths are relative to it.
    Elsewhere,
    /// `-p FOLDER -c FILE`, where the file is relative to the prefix.
    Prefix,
}

/// A configuration, and what clients ask.
pub(crate) struct Configuration {
    pub main: MainFile,
    /// The path below the folder, and the text.
    pub files: Vec<(String, String)>,
    pub features: BTreeSet<Feature>,
    pub questions: Vec<PlannedQuestion>,
}

/// A question to an address whose port is not known yet.
pub(crate) struct PlannedQuestion {
    pub ip: &'static str,
    /// The position of the port.
    pub port: usize,
    pub name: Option<&'static str>,
    pub only: Option<KeyKind>,
    pub is_tls12: bool,
}

/// An address to listen on.
#[derive(Clone, Copy)]
struct Socket {
    /// Without the port.
    text: &'static str,
    port: usize,
}

/// A server block that is being generated.
struct Block {
    sockets: Vec<usize>,
    names: Vec<String>,
    content: Content,
}

/// The certificate of a block.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Content {
    Own,
    Two,
    Inherited,
    Variable,
    Lua,
    Reject,
    Bare,
}

/// Generates one configuration.
pub(crate) fn generate(random: &mut Generator) -> Configuration {
    let mut builder = Builder {
        random,
        features: BTreeSet::new(),
        sockets: Vec::new(),
        is_dual: false,
        has_bare: false,
    };
    builder.choose_sockets();
    let mut blocks = builder.blocks();
    let defaults = builder.defaults(&blocks);
    builder.keep_loadable(&mut blocks, &defaults);
    builder.note_contents(&blocks);
    builder.finish(&blocks, &defaults)
}

struct Builder<'a> {
    random: &'a mut Generator,
    features: BTreeSet<Feature>,
    sockets: Vec<Socket>,
    is_dual: bool,
    has_bare: bool,
}

impl Builder<'_> {
    /// True in `percent` of a hundred cases.
    fn chance(&mut self, percent: usize) -> bool {
        self.random.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.random.below(all.len())]
    }

    /// Chooses the addresses: those of one port overlap in every way that the kernel permits.
    fn choose_sockets(&mut self) {
        let wildcard = self.pick(&["", "*:", "0.0.0.0:"]);
        let texts: &[&'static str] = match self.random.below(7) {
            0 => &["WILD"],
            1 => &["WILD", "[::]:"],
            2 => &["WILD", "127.0.0.2:", "127.0.0.3:"],
            3 => &["[::]:"],
            4 => &["127.0.0.1:", "[::1]:"],
            5 => &["[::]:", "[::1]:"],
            _ => &["WILD", "[::]:", "127.0.0.2:", "[::1]:"],
        };
        for &text in texts {
            let text = if text == "WILD" { wildcard } else { text };
            self.sockets.push(Socket { text, port: 0 });
        }
        // With `ipv6only=off` the kernel permits no IPv4 address of the same port.
        self.is_dual = texts[0] == "[::]:" && self.chance(85);
        if self.chance(40) {
            let text = self.pick(&["127.0.0.1:", "[::1]:", ""]);
            self.sockets.push(Socket { text, port: OTHER });
            self.features.insert(Feature::OtherPort);
        }
        if self.chance(25) {
            let port = PLAIN;
            self.sockets.push(Socket { text: "", port });
            self.features.insert(Feature::PlainPort);
        }
        if self.is_dual {
            self.features.insert(Feature::DualStack);
        }
        for socket in &self.sockets {
            self.features.insert(match socket.text {
                "" | "*:" | "0.0.0.0:" | "[::]:" => Feature::WildcardListen,
                _ => Feature::SingleAddress,
            });
            if socket.text.starts_with('[') {
                self.features.insert(Feature::Ipv6);
            }
        }
    }

    fn blocks(&mut self) -> Vec<Block> {
        if self.chance(30) {
            self.features.insert(Feature::Preread);
            for port in BEHIND {
                let text = "127.0.0.1:";
                self.sockets.push(Socket { text, port });
            }
        }
        let has_inherited = self.chance(30);
        self.has_bare = !has_inherited && self.chance(35);
        let has_lua = self.chance(35);
        let has_variable = self.chance(35);
        let count = 4 + self.random.below(5);
        let mut blocks = Vec::new();
        for number in 0..count {
            let mut sockets: Vec<usize> = (0..self.sockets.len())
                .filter(|_| self.random.below(100) < 55)
                .collect();
            // Each address has a block.
            let own = number % self.sockets.len();
            if !sockets.contains(&own) {
                sockets.push(own);
            }
            let content = match self.random.below(100) {
                0..15 => Content::Two,
                15..30 if has_lua => Content::Lua,
                30..45 if has_variable => Content::Variable,
                45..75 if has_inherited => Content::Inherited,
                75..85 => Content::Reject,
                85..100 if self.has_bare => Content::Bare,
                _ => Content::Own,
            };
            let names = self.names();
            if names.is_empty() {
                self.features.insert(Feature::NoServerName);
            }
            blocks.push(Block {
                sockets,
                names,
                content,
            });
        }
        blocks
    }

    fn names(&mut self) -> Vec<String> {
        if self.chance(8) {
            return Vec::new();
        }
        let count = 1 + self.random.below(4);
        let mut names = Vec::new();
        for _ in 0..count {
            let (feature, name) = match self.random.below(100) {
                0..34 => (Feature::ExactName, self.pick(&EXACT)),
                34..47 => (Feature::LeadingWildcard, self.pick(&LEADING)),
                47..60 => (Feature::TrailingWildcard, self.pick(&TRAILING)),
                60..72 => (Feature::DottedName, self.pick(&DOTTED)),
                72..93 if self.chance(2) => (Feature::Expressions, UNKNOWN_EXPRESSION),
                72..93 => (Feature::Expressions, self.pick(&EXPRESSIONS)),
                _ => (Feature::EmptyName, self.pick(&["", "_"])),
            };
            self.features.insert(feature);
            let name = if feature == Feature::ExactName && self.chance(10) {
                name.to_uppercase()
            } else {
                name.to_owned()
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The block that says that it is the default, for each address.
    fn defaults(&mut self, blocks: &[Block]) -> Vec<Option<usize>> {
        let mut defaults = Vec::new();
        for socket in 0..self.sockets.len() {
            let listening = listening(blocks, socket);
            let mut candidates = listening.clone();
            if self.has_bare {
                // Blocks without a certificate need a default that has one.
                candidates.retain(|&block| {
                    !matches!(blocks[block].content, Content::Bare | Content::Reject)
                });
            }
            let has_default = !candidates.is_empty() && (self.has_bare || self.chance(35));
            let default = has_default.then(|| self.pick(&candidates));
            if default.is_some_and(|default| default != listening[0]) {
                self.features.insert(Feature::DefaultServer);
            }
            if default.is_none() && listening.len() > 1 {
                self.features.insert(Feature::FirstBlock);
            }
            defaults.push(default);
        }
        defaults
    }

    /// Gives certificates to blocks that nginx requires to have one: the default at an address, and
    /// all others there if the default has none. Included files change the order of the blocks, so
    /// any block may be the default where none says that it is.
    fn keep_loadable(&self, blocks: &mut [Block], defaults: &[Option<usize>]) {
        for (socket, default) in defaults.iter().enumerate() {
            if self.sockets[socket].port == PLAIN {
                continue;
            }
            let has_certificate = |default: usize| {
                !matches!(blocks[default].content, Content::Bare | Content::Reject)
            };
            if default.is_some_and(has_certificate) {
                continue;
            }
            for block in listening(blocks, socket) {
                if blocks[block].content == Content::Bare {
                    blocks[block].content = Content::Own;
                }
            }
        }
    }

    fn note_contents(&mut self, blocks: &[Block]) {
        for block in blocks {
            let feature = match block.content {
                Content::Own => continue,
                Content::Two => Feature::TwoCertificates,
                Content::Inherited => Feature::Inherited,
                Content::Variable => Feature::Variable,
                Content::Lua => Feature::Lua,
                Content::Reject => Feature::Reject,
                Content::Bare => Feature::BareBlock,
            };
            self.features.insert(feature);
        }
    }

    fn finish(&mut self, blocks: &[Block], defaults: &[Option<usize>]) -> Configuration {
        let main = match self.random.below(10) {
            0..2 => MainFile::Elsewhere,
            2..4 => MainFile::Prefix,
            _ => MainFile::Here,
        };
        let (folder, certificates) = match main {
            MainFile::Here => ("", "@DIR@/certificates"),
            MainFile::Elsewhere | MainFile::Prefix => ("etc/", "../certificates"),
        };
        match main {
            MainFile::Here => false,
            MainFile::Elsewhere => self.features.insert(Feature::MainFile),
            MainFile::Prefix => self.features.insert(Feature::Prefix),
        };
        let mut writer = Writer {
            certificates,
            has_ssl: vec![false; self.sockets.len()],
            files: Vec::new(),
        };
        let mut texts = Vec::new();
        for (number, block) in blocks.iter().enumerate() {
            texts.push(self.block_text(&mut writer, number, block, defaults));
        }
        let http = self.place_blocks(&mut writer, texts);
        let stream = if self.features.contains(&Feature::Preread) {
            self.stream()
        } else {
            String::new()
        };
        let text = main_text(&self.features, &http, &stream);
        writer.files.push(("nginx.conf".to_owned(), text));
        let files = writer.files.into_iter();
        Configuration {
            main,
            files: files
                .map(|(path, text)| (format!("{folder}{path}"), text))
                .collect(),
            features: self.features.clone(),
            questions: self.questions(),
        }
    }

    fn block_text(
        &mut self,
        writer: &mut Writer,
        number: usize,
        block: &Block,
        defaults: &[Option<usize>],
    ) -> String {
        let mut lines = Vec::new();
        for &socket in &block.sockets {
            let Socket { text, port } = self.sockets[socket];
            let mut line = format!("listen {text}@{port}@");
            // Another block may have enabled TLS at the address already.
            if port != PLAIN && (!writer.has_ssl[socket] || self.chance(75)) {
                line += " ssl";
                if self.chance(8) {
                    line += " http2";
                    self.features.insert(Feature::Http2);
                }
                if self.is_dual && text == "[::]:" && !writer.has_ssl[socket] {
                    line += " ipv6only=off";
                }
                writer.has_ssl[socket] = true;
            }
            if defaults[socket] == Some(number) {
                line += " default_server";
            }
            lines.push(line + ";");
        }
        if !block.names.is_empty() {
            lines.push(self.server_name(&block.names));
        }
        lines.extend(self.certificate_lines(writer, number, block.content));
        let other = self.random.below(lines.len());
        lines.swap(0, other);
        format!("server {{\n    {}\n}}\n", lines.join("\n    "))
    }

    fn server_name(&mut self, names: &[String]) -> String {
        let mut words = Vec::new();
        for name in names {
            let needs_quotes = name.is_empty() || name.contains(['{', ';', ' ']);
            if needs_quotes || self.chance(30) {
                let quote = self.pick(&['"', '\'']);
                words.push(format!("{quote}{name}{quote}"));
            } else {
                words.push(name.clone());
            }
        }
        // Several directives add up.
        let separator = self.pick(&[" ", "; server_name ", "\n        "]);
        format!("server_name {};", words.join(separator))
    }

    fn certificate_lines(
        &mut self,
        writer: &mut Writer,
        number: usize,
        content: Content,
    ) -> Vec<String> {
        let own = writer.lines(&format!("e{}", number + 1));
        match content {
            Content::Own if self.chance(20) => {
                let path = format!("snippets/tls-{number}.conf");
                writer.files.push((path.clone(), own.join("\n")));
                vec![format!("include {path};")]
            }
            Content::Own => own,
            Content::Two => {
                let other = writer.lines(&format!("r{}", number % RSA));
                if self.chance(50) {
                    return [own, other].concat();
                }
                // Certificates and keys are matched by their order.
                let lines = [&other[0], &own[0], &other[1], &own[1]];
                lines.map(String::clone).to_vec()
            }
            Content::Inherited | Content::Bare => Vec::new(),
            Content::Variable => vec![
                "ssl_certificate @DIR@/certificates/$site_certificate.pem;".to_owned(),
                "ssl_certificate_key @DIR@/certificates/$site_certificate.key;".to_owned(),
            ],
            Content::Lua => [own, vec![LUA_CERTIFICATE.to_owned()]].concat(),
            Content::Reject => vec!["ssl_reject_handshake on;".to_owned()],
        }
    }

    /// Puts some of the blocks into included files.
    fn place_blocks(&mut self, writer: &mut Writer, texts: Vec<String>) -> String {
        let mut http = String::new();
        if self.features.contains(&Feature::Inherited) {
            http += &writer.lines("e0").join("\n");
        }
        if self.chance(65) {
            return http + &texts.concat();
        }
        self.features.insert(Feature::IncludeGlob);
        let mut names = vec!["10-x.conf", "9-y.conf", "B.conf", "a.conf", "_z.conf"];
        let include = self.random.below(texts.len());
        for (number, text) in texts.into_iter().enumerate() {
            if number == include {
                http += "include sites/*.conf;\n";
            }
            if names.is_empty() || self.chance(45) {
                http += &text;
            } else {
                let name = names.swap_remove(self.random.below(names.len()));
                writer.files.push((format!("sites/{name}"), text));
            }
        }
        for unread in ["sites/.hidden.conf", "sites/a.conf.bak"] {
            let text = "not a directive".to_owned();
            writer.files.push((unread.to_owned(), text));
        }
        http
    }

    /// A stream server that passes connections on by name.
    fn stream(&mut self) -> String {
        let has_hostnames = self.chance(50);
        let mut keys: BTreeSet<&str> = (0..3).map(|_| self.pick(&EXACT)).collect();
        if has_hostnames {
            keys.insert(self.pick(&LEADING));
            keys.insert(self.pick(&TRAILING));
        }
        let mut targets = vec!["127.0.0.1:@4@", "127.0.0.1:@5@", "behind"];
        // Where a block listens there, the stream server may lead to the other blocks as well.
        let is_wide =
            |socket: &Socket| socket.port == 0 && matches!(socket.text, "" | "*:" | "0.0.0.0:");
        if self.sockets.iter().any(is_wide) {
            targets.push("127.0.0.2:@0@");
        }
        // It applies to the keys that follow.
        let hostnames = self.chance(80);
        let mut map = String::new();
        if has_hostnames && hostnames {
            map += "hostnames;\n";
        }
        for key in keys {
            map += &format!("{key} {};\n", self.pick(&targets));
        }
        if self.chance(40) {
            let expression = self.pick(&EXPRESSIONS);
            map += &format!("\"{expression}\" {};\n", self.pick(&targets));
        }
        if self.chance(70) {
            map += &format!("default {};\n", self.pick(&targets));
        }
        if self.chance(30) {
            map += &format!("\"\" {};\n", self.pick(&targets));
        }
        if has_hostnames && !hostnames {
            map += "hostnames;\n";
        }
        format!(
            "stream {{\nmap $ssl_preread_server_name $backend {{\n{map}}}\n\
             upstream behind {{ server 127.0.0.1:@4@ weight=5; server 127.0.0.1:@5@ down; }}\n\
             server {{ listen 127.0.0.1:@{FRONT}@; ssl_preread on; proxy_pass $backend; }}\n}}\n"
        )
    }

    fn questions(&mut self) -> Vec<PlannedQuestion> {
        let ips = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"];
        let mut places: Vec<(&'static str, usize)> = ips.map(|ip| (ip, 0)).to_vec();
        if self.features.contains(&Feature::OtherPort) {
            places.extend([("127.0.0.1", OTHER), ("::1", OTHER)]);
        }
        if self.features.contains(&Feature::PlainPort) {
            places.push(("127.0.0.1", PLAIN));
        }
        if self.features.contains(&Feature::Preread) {
            places.extend([("127.0.0.1", FRONT); 3]);
            places.push(("127.0.0.1", BEHIND[0]));
        }
        let mut questions = Vec::new();
        for (ip, port) in places {
            for number in 0..7 {
                let name = (number > 0).then(|| self.pick(&HOSTS));
                let only = self.pick(&[None, Some(KeyKind::Ecdsa), Some(KeyKind::Rsa)]);
                questions.push(PlannedQuestion {
                    ip,
                    port,
                    name,
                    only,
                    is_tls12: self.chance(30),
                });
            }
        }
        questions
    }
}

/// The blocks that listen at an address, in their order.
fn listening(blocks: &[Block], socket: usize) -> Vec<usize> {
    (0..blocks.len())
        .filter(|&block| blocks[block].sockets.contains(&socket))
        .collect()
}

/// Chooses a certificate of no block, and contains what looks like the end of the block.
const LUA_CERTIFICATE: &str = r#"ssl_certificate_by_lua_block {
        --[[ it's not the end: }
        ]]
        local ssl = require "ngx.ssl" -- nor is this: }
        local function read(path)
            local file = assert(io.open(path))
            local text = file:read("*a")
            file:close()
            return text
        end
        local odd = [==[ ]] }} ' ]==]
        assert(ssl.clear_certs())
        assert(ssl.set_cert(assert(ssl.parse_pem_cert(read("@DIR@/certificates/e11.pem")))))
        assert(ssl.set_priv_key(assert(ssl.parse_pem_priv_key(read('@DIR@/certificates/e11.key')))))
    }"#;

/// What is written for the blocks, besides their own text.
struct Writer {
    /// The folder of the certificates.
    certificates: &'static str,
    /// Whether a block has enabled TLS at the address.
    has_ssl: Vec<bool>,
    files: Vec<(String, String)>,
}

impl Writer {
    fn lines(&self, stem: &str) -> Vec<String> {
        let folder = self.certificates;
        vec![
            format!("ssl_certificate {folder}/{stem}.pem;"),
            format!("ssl_certificate_key {folder}/{stem}.key;"),
        ]
    }
}

fn main_text(features: &BTreeSet<Feature>, http: &str, stream: &str) -> String {
    let mut modules = String::new();
    let mut lua = "";
    if features.contains(&Feature::Lua) {
        for module in ["ndk_http_module", "ngx_http_lua_module"] {
            modules += &format!("load_module /usr/lib/nginx/modules/{module}.so;\n");
        }
        lua = "init_by_lua_block { text = [[ server { listen 1; ]] }\n";
    }
    if !stream.is_empty() {
        modules += "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n";
    }
    // Workers read certificates that depend on variables, as this user.
    let user = if rustix::process::geteuid().is_root() {
        "user root;\n"
    } else {
        ""
    };
    let variable =
        "map $ssl_server_name $site_certificate { default e9; a.example e10; ~^www e11; }";
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path @DIR@/tmp-{name};\n"))
        .concat();
    format!(
        "{modules}{user}daemon off;\npid @DIR@/nginx.pid;\nerror_log @DIR@/error.log info;\n\
         worker_processes 1;\nevents {{ worker_connections 128; }}\n\
         http {{\naccess_log off;\n{temporary}ssl_protocols TLSv1.2 TLSv1.3;\n{variable}\n{lua}{http}\n}}\n\
         {stream}"
    )
}
