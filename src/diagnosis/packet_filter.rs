//! Finds rules of the packet filter that drop connections to a web server, in the output of
//! `nft list ruleset` (nft(8)). Rules for some visitors only (addresses, interfaces, rates) do not
//! count: they may be wanted.

/// The statements that drop packets.
const DROPS: [&str; 2] = ["drop", "reject"];
/// The ports of web servers, as numbers and as names.
const PORTS: [&str; 4] = ["80", "443", "http", "https"];

/// The words of conditions that concern only some visitors.
const CONDITIONS: [&str; 8] = [
    "saddr", "daddr", "iif", "iifname", "limit", "ct", "meter", "mark",
];

/// Returns the rules that name port 80 or 443 and drop packets.
#[must_use]
pub(crate) fn find_drops(ruleset: &str) -> Vec<String> {
    let mut rules = Vec::new();
    for line in ruleset.lines() {
        let is_separator = |c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}');
        let words: Vec<&str> = line.split(is_separator).collect();
        let drops = words.iter().any(|word| DROPS.contains(word));
        let names_port = words.iter().any(|word| PORTS.contains(word));
        let is_limited = words.iter().any(|word| CONDITIONS.contains(word));
        if drops && !is_limited && names_port && words.contains(&"dport") {
            rules.push(line.trim().to_owned());
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::find_drops;

    #[test]
    fn rules_that_drop_the_ports_of_web_servers_are_found() {
        let ruleset = "table inet filter {\n\tchain input {\n\
            \t\ttype filter hook input priority filter; policy accept;\n\
            \t\ttcp dport 22 drop\n\
            \t\ttcp dport 8443 drop\n\
            \t\ttcp dport { 80, 443 } accept\n\
            \t\ttcp dport { 25, 443 } counter packets 0 bytes 0 drop\n\
            \t\ttcp dport https reject with tcp reset\n\
            \t\tip saddr 192.0.2.7 tcp dport 443 drop\n\
            \t\ttcp dport 443 limit rate over 9/second drop\n\
            \t\ttcp sport 443 drop\n\t}\n}\n";
        assert_eq!(
            find_drops(ruleset),
            [
                "tcp dport { 25, 443 } counter packets 0 bytes 0 drop",
                "tcp dport https reject with tcp reset",
            ]
        );
        assert!(find_drops("").is_empty());
    }
}
