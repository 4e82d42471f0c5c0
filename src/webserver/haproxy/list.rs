//! Parses the lines of a crt-list, `FILE [OPTIONS] FILTER...`, by the rules of
//! `crtlist_parse_line`, which has no quotes.
//! <https://docs.haproxy.org/2.6/configuration.html#5.1-crt-list>

use crate::webserver::model::ServerName;

/// A certificate and the names that it is used for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CrtListEntry {
    /// The line number, counted from 1.
    pub line: u32,
    /// The path as it is written.
    pub path: String,
    /// The path of the key, if an option names it (HAProxy 3.0).
    pub key: Option<String>,
    /// The names that it is used for; `None` means those in the certificate.
    pub filters: Option<SniFilters>,
}

/// The filters of a line.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct SniFilters {
    pub names: Vec<ServerName>,
    /// Exceptions to the wildcards among the names.
    pub except: Vec<String>,
}

/// Parses a list into its entries and the numbers of malformed lines.
pub(crate) fn parse_list(text: &str) -> (Vec<CrtListEntry>, Vec<u32>) {
    let mut listed = Vec::new();
    let mut broken = Vec::new();
    for (line, number) in text.lines().zip(1_u32..) {
        // `#` starts a comment only in the first column.
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        match parse_entry(line, number) {
            Some(entry) => listed.push(entry),
            None => broken.push(number),
        }
    }
    (listed, broken)
}

fn parse_entry(line: &str, number: u32) -> Option<CrtListEntry> {
    let (head, options, filters) = match line.split_once('[') {
        None => (line, "", ""),
        Some((head, rest)) => {
            let (options, filters) = rest.split_once(']')?;
            (head, options, filters)
        }
    };
    let mut options = options.split_ascii_whitespace();
    let key = options
        .find(|word| *word == "key")
        .and_then(|_| options.next());
    let mut words = head.split_ascii_whitespace();
    let path = words.next()?.to_owned();
    let mut filters: Vec<&str> = words.chain(filters.split_ascii_whitespace()).collect();
    if line.contains('[') && head.split_ascii_whitespace().count() > 1 {
        // Filters before the options are an error.
        return None;
    }
    filters.iter_mut().for_each(|word| *word = word.trim());
    Some(CrtListEntry {
        line: number,
        path,
        key: key.map(str::to_owned),
        filters: (!filters.is_empty()).then(|| parse_filters(&filters)),
    })
}

fn parse_filters(words: &[&str]) -> SniFilters {
    let mut filters = SniFilters::default();
    for word in words {
        let word = word.to_ascii_lowercase();
        match word.strip_prefix('!') {
            // HAProxy ignores exclusions of wildcards.
            Some(name) if name.starts_with('*') => {}
            Some(name) => filters.except.push(name.to_owned()),
            None => filters.names.push(parse_name(&word)),
        }
    }
    filters
}

/// Parses a name as HAProxy matches it: `*` stands for exactly one label.
pub(crate) fn parse_name(text: &str) -> ServerName {
    let text = text.to_ascii_lowercase();
    match text.strip_prefix('*') {
        Some(base) => ServerName::Label(base.to_owned()),
        None => ServerName::Exact(text),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_list;

    #[test]
    fn lines_are_read_as_haproxy_reads_them() {
        let text = "# comment\n\n/a.pem\nb.pem [alpn h2,http/1.1]\n/c.pem  *.Z.example !no.z.example\n\
            /d.pem [verify required key d.key ca-file /ca] d.example D2.example !*\n  /e.pem !*\n/f.pem [alpn h2\n";
        let (listed, broken) = parse_list(text);
        let shown: Vec<String> = listed
            .iter()
            .map(|it| {
                let filters = it.filters.as_ref().map(|filters| {
                    let names: Vec<String> = filters.names.iter().map(|name| name.text()).collect();
                    format!(" {} not {}", names.join(","), filters.except.join(","))
                });
                let key = it.key.as_ref().map(|key| format!(" with {key}"));
                let more = [key.unwrap_or_default(), filters.unwrap_or_default()];
                format!("{} {}{}", it.line, it.path, more.concat())
            })
            .collect();
        assert_eq!(
            shown,
            [
                "3 /a.pem",
                "4 b.pem",
                "5 /c.pem *.z.example not no.z.example",
                "6 /d.pem with d.key d.example,d2.example not ",
                "7 /e.pem  not ",
            ]
        );
        assert_eq!(broken, [8]);
    }
}
