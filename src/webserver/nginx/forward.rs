//! Where a stream server passes connections on to: `proxy_pass` with an address, an `upstream`, or a
//! `map` of the name that the client asks for (`ssl_preread on`):
//! <https://nginx.org/en/docs/stream/ngx_stream_ssl_preread_module.html>.

use super::levels::DirectiveLevels;
use super::parse::NginxDirective;
use crate::webserver::model::name_pattern::{LetterCase, NamePattern};
use crate::webserver::model::pass_through::{
    PassRule, PassTarget, PassThrough, SniCondition, SniMatch, SniTerm, SniTest,
};
use crate::webserver::model::{ListenAddress, ListenInterface, ModelRule};

/// The variable with the name that the client asks for.
const NAME: &str = "ssl_preread_server_name";

/// The rules of a stream server with these addresses; `None` if it decrypts TLS itself or passes
/// nothing on.
pub(super) fn pass_through(
    levels: &DirectiveLevels<'_>,
    listens: &[ListenAddress],
) -> Option<PassThrough> {
    let proxy_pass = levels.effective("proxy_pass").next()?.only()?;
    let listens: Vec<ListenAddress> = listens
        .iter()
        .filter(|listen| !listen.ssl && !listen.udp)
        .cloned()
        .collect();
    if listens.is_empty() {
        return None;
    }
    let stream = StreamBlock { levels: *levels };
    let (rules, default) = match variable(proxy_pass) {
        // TLS inside of TLS: only the destination knows the name.
        _ if levels.is_on("proxy_ssl") => {
            let reason = "the connection is encrypted once more";
            (Vec::new(), PassTarget::Unknown(reason.to_owned()))
        }
        None => (Vec::new(), stream.target(proxy_pass)),
        Some(name) => stream.mapped(name),
    };
    Some(PassThrough {
        listens,
        rules,
        default,
    })
}

/// The name of a value that is nothing but a variable.
fn variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let inside = name
        .strip_prefix('{')
        .and_then(|name| name.strip_suffix('}'));
    Some(inside.unwrap_or(name))
}

fn unknown(text: &str) -> PassTarget {
    PassTarget::Unknown(format!("only nginx knows the value of `proxy_pass {text}`"))
}

/// The directives around a stream server.
struct StreamBlock<'a> {
    levels: DirectiveLevels<'a>,
}

impl<'a> StreamBlock<'a> {
    fn outer(&self, name: &'static str) -> impl Iterator<Item = &'a NginxDirective> + use<'a> {
        let outer = self.levels.outer.iter().copied();
        outer.filter(move |directive| directive.name == name)
    }

    /// The rules of the `map` that sets a variable, and the target without a match.
    fn mapped(&self, name: &str) -> (Vec<PassRule>, PassTarget) {
        let map = self
            .outer("map")
            .find(|map| map.arguments.get(1).and_then(|text| variable(text)) == Some(name));
        let source = map.and_then(|map| variable(map.arguments.first()?));
        let (Some(map), Some(NAME)) = (map, source) else {
            return (Vec::new(), unknown(&format!("${name}")));
        };
        let (rules, default) = self.map_rules(map);
        if self.levels.is_on("ssl_preread") && ModelRule::NginxPreread.is_followed() {
            return (rules, default);
        }
        // Without `ssl_preread` the variable is empty for every client.
        let pass = PassThrough {
            listens: Vec::new(),
            rules,
            default,
        };
        (Vec::new(), pass.target(None).clone())
    }

    /// The rules of a `map` in the order in which nginx compares its keys, and its default.
    fn map_rules(&self, map: &NginxDirective) -> (Vec<PassRule>, PassTarget) {
        let mut wildcards = Wildcards::Literal;
        let mut keys = Vec::new();
        let mut default = PassTarget::Closed;
        for entry in map.inside() {
            match entry.only() {
                Some(value) if entry.name == "default" => default = self.target(value),
                Some(value) => keys.push((MapKey::parse(&entry.name, wildcards), value)),
                // It applies to the keys that follow.
                None if entry.name == "hostnames" => wildcards = Wildcards::Allowed,
                None => {}
            }
        }
        // Stable: expressions stay in their order.
        keys.sort_by_key(|(key, _)| key.precedence);
        let rules = keys.into_iter().map(|(key, value)| PassRule {
            condition: SniCondition(vec![key.terms]),
            target: self.target(value),
        });
        (rules.collect(), default)
    }

    /// Parses the value of `proxy_pass`: the name of an `upstream`, or a socket.
    fn target(&self, text: &str) -> PassTarget {
        if text.is_empty() {
            return PassTarget::Closed;
        }
        let upstream = self
            .outer("upstream")
            .find(|upstream| upstream.only() == Some(text));
        let Some(upstream) = upstream else {
            return socket(text).unwrap_or_else(|| unknown(text));
        };
        let is_unused = |server: &&NginxDirective| {
            let mut options = server.arguments.iter();
            options.any(|option| option == "down" || option == "backup")
        };
        let servers = upstream.inside();
        let mut sockets = servers
            .into_iter()
            .filter(|inner| inner.name == "server" && !is_unused(inner))
            .map(|server| socket(server.arguments.first()?));
        match (sockets.next().flatten(), sockets.next()) {
            (Some(only), None) => only,
            (Some(_), Some(_)) => PassTarget::Unknown(format!(
                "nginx selects one of the servers of `upstream {text}`"
            )),
            (None, _) => unknown(text),
        }
    }
}

fn socket(text: &str) -> Option<PassTarget> {
    if let Some(path) = text.strip_prefix("unix:") {
        let interface = ListenInterface::Unix(path.to_owned());
        return Some(PassTarget::Listen(interface, 0));
    }
    let text = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    let address: std::net::SocketAddr = text.parse().ok()?;
    let interface = ListenInterface::Address(address.ip());
    Some(PassTarget::Listen(interface, address.port()))
}

/// Whether `*.example.com` in a `map` stands for all names below it.
#[derive(Clone, Copy)]
enum Wildcards {
    Allowed,
    Literal,
}

/// The key of an entry of a `map`.
struct MapKey {
    /// They must all hold.
    terms: Vec<SniTerm>,
    /// Keys with a lower value are compared first: exact names, the longest leading wildcard, the
    /// longest trailing one, expressions.
    precedence: (u8, std::cmp::Reverse<usize>),
}

impl MapKey {
    fn parse(key: &str, wildcards: Wildcards) -> Self {
        if let Some(text) = key.strip_prefix("~*") {
            return Self::expression(text, LetterCase::Ignored);
        }
        if let Some(text) = key.strip_prefix('~') {
            return Self::expression(text, LetterCase::Matters);
        }
        // A backslash keeps `default` and `~x` from having their meaning.
        let key = key.strip_prefix('\\').unwrap_or(key);
        if key.is_empty() {
            let mut key = Self::name(0, "", SniTest::Found);
            key.terms[0].is_negated = true;
            return key;
        }
        if let Wildcards::Allowed = wildcards {
            if let Some(base) = key.strip_prefix('*') {
                return Self::name(1, base, compare(SniMatch::End, base));
            }
            if let Some(name) = key.strip_prefix('.') {
                let both = [compare(SniMatch::Equal, name), compare(SniMatch::End, key)];
                return Self::name(1, key, SniTest::AnyOf(both.into()));
            }
            if let Some(base) = key.strip_suffix('*') {
                return Self::name(2, base, compare(SniMatch::Start, base));
            }
        }
        Self::name(0, key, compare(SniMatch::Equal, key))
    }

    fn name(kind: u8, base: &str, test: SniTest) -> Self {
        Self {
            terms: vec![SniTerm::plain(test)],
            precedence: (kind, std::cmp::Reverse(base.len())),
        }
    }

    fn expression(text: &str, case: LetterCase) -> Self {
        let pattern = NamePattern::parse(text, case);
        let test = pattern.map_or(SniTest::Unknown, SniTest::Pattern);
        // An empty name is not compared with expressions.
        let mut key = Self::name(3, "", SniTest::Found);
        key.terms.push(SniTerm::plain(test));
        key
    }
}

fn compare(kind: SniMatch, pattern: &str) -> SniTest {
    SniTest::Match {
        kind,
        pattern: pattern.to_owned(),
        ignores_case: true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::config;
    use crate::webserver::model::ListenInterface;
    use crate::webserver::model::pass_through::PassTarget;

    /// `HOST=DESTINATION` for each host, at the first stream server.
    fn shown(stream: &str, hosts: &[&str]) -> Vec<String> {
        let config = config(&format!("stream {{ {stream} }}"));
        let Some(pass) = &config.blocks[0].pass_through else {
            panic!("{stream} passes nothing on");
        };
        let shown = |host: &&str| {
            let name = Some(*host).filter(|host| !host.is_empty());
            format!("{host}={}", shown_target(pass.target(name)))
        };
        hosts.iter().map(shown).collect()
    }

    fn shown_target(target: &PassTarget) -> String {
        match target {
            PassTarget::Listen(ListenInterface::Address(ip), port) => {
                std::net::SocketAddr::new(*ip, *port).to_string()
            }
            PassTarget::Listen(interface, _) => format!("{interface:?}"),
            PassTarget::Closed => "closed".to_owned(),
            PassTarget::Unknown(_) => "?".to_owned(),
        }
    }

    #[test]
    fn maps_of_the_name_are_evaluated() {
        let hosts = ["a.example", "b.a.example", "z.test", ""];
        for (map, expected) in [
            (
                "default 127.0.0.1:1; a.example 127.0.0.1:2; ~^b 127.0.0.1:3; \"\" 127.0.0.1:4;",
                ["127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:1", "127.0.0.1:4"],
            ),
            (
                "hostnames; .a.example u; *.test unix:/s;",
                ["127.0.0.1:5", "127.0.0.1:5", "Unix(\"/s\")", "closed"],
            ),
            (
                "~b 127.0.0.1:1; hostnames; *.example 127.0.0.1:2; *.a.example 127.0.0.1:3; z.* two;",
                ["127.0.0.1:2", "127.0.0.1:3", "?", "closed"],
            ),
            (
                "*.a.example 127.0.0.1:1; hostnames; *.a.example 127.0.0.1:2; default 127.0.0.1:3;",
                ["127.0.0.1:3", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:3"],
            ),
            ("*.a.example 127.0.0.1:2; default $x;", ["?", "?", "?", "?"]),
            (
                "volatile; ~*^A 127.0.0.1:2; ~(?<=x)b 127.0.0.1:3;",
                ["127.0.0.1:2", "?", "?", "closed"],
            ),
            ("default elsewhere.example:443;", ["?", "?", "?", "?"]),
        ] {
            let stream = format!(
                "map $ssl_preread_server_name $to {{ {map} }} upstream u {{ server 127.0.0.1:5 weight=2; \
                 server 127.0.0.1:7 down; server 127.0.0.1:8 backup; }}\n\
                 upstream two {{ server 127.0.0.1:5; server 127.0.0.1:6; }}\n\
                 server {{ listen 443; ssl_preread on; proxy_pass $to; }}"
            );
            let expected: Vec<String> = hosts
                .iter()
                .zip(expected)
                .map(|(host, to)| format!("{host}={to}"))
                .collect();
            assert_eq!(shown(&stream, &hosts), expected, "{map}");
        }
    }

    #[test]
    fn other_destinations_are_the_same_for_every_name() {
        let map = "map $ssl_preread_server_name $to { a.example 127.0.0.1:2; default [::1]:1; }";
        for (stream, expected) in [
            (
                "server { listen 1; proxy_pass localhost:8443; }",
                "127.0.0.1:8443",
            ),
            ("server { listen 1; proxy_pass $to; } MAP", "[::1]:1"),
            (
                "ssl_preread on; server { listen 1; ssl_preread off; proxy_pass $to; } MAP",
                "[::1]:1",
            ),
            (
                "ssl_preread on; server { listen 1; proxy_pass ${to}; } MAP",
                "127.0.0.1:2",
            ),
            (
                "server { listen 1; ssl_preread on; proxy_pass $to; proxy_ssl on; } MAP",
                "?",
            ),
            (
                "server { listen 1; ssl_preread on; proxy_pass $other; } MAP",
                "?",
            ),
            (
                "map $remote_addr $to { default 127.0.0.1:2; } server { listen 1; ssl_preread on; proxy_pass $to; }",
                "?",
            ),
            (
                "server { listen 1; ssl_preread on; proxy_pass $ssl_preread_server_name:443; }",
                "?",
            ),
        ] {
            let stream = stream.replace("MAP", map);
            assert_eq!(
                shown(&stream, &["a.example"]),
                [format!("a.example={expected}")],
                "{stream}"
            );
        }
    }

    #[test]
    fn only_stream_servers_with_proxy_pass_forward() {
        for text in [
            "http { server { listen 443 ssl; proxy_pass http://x; } }",
            "stream { server { listen 443; return hi; } }",
            "stream { server { listen 443 ssl; proxy_pass 127.0.0.1:80; } }",
        ] {
            let config = config(text);
            assert!(config.blocks[0].pass_through.is_none(), "{text}");
        }
    }
}
