//! The version and the features of an HAProxy, from the output of `haproxy -vv`, for conditions.

use std::cmp::Ordering;

/// How an HAProxy was built.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HaproxyBuild {
    /// The version, if it has the usual form.
    pub version: Option<HaproxyVersion>,
    /// The features that it has; `None` if it does not list them.
    pub features: Option<Vec<String>>,
}

impl HaproxyBuild {
    /// Parses the output of `haproxy -vv`.
    #[must_use]
    pub fn parse(output: &str) -> Self {
        let version = output.lines().find_map(|line| {
            let rest = line
                .strip_prefix("HAProxy version ")
                .or_else(|| line.strip_prefix("HA-Proxy version "))?;
            HaproxyVersion::parse(rest.split_ascii_whitespace().next()?)
        });
        let features = output
            .lines()
            .find_map(|line| line.strip_prefix("Feature list : "));
        let features = features.map(|list| {
            let words = list.split_ascii_whitespace();
            words
                .filter_map(|word| word.strip_prefix('+'))
                .map(str::to_owned)
                .collect()
        });
        Self { version, features }
    }
}

/// A version: `2.6.12-1`, `2.4-dev19`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HaproxyVersion {
    numbers: [u32; 3],
    /// The number of a development version, which precedes the release.
    dev: Option<u32>,
}

impl HaproxyVersion {
    /// Parses a version; `None` for forms that certctl does not order, such as release candidates.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (numbers, suffix) = text.split_once('-').unwrap_or((text, ""));
        let mut parsed = [0; 3];
        for (index, number) in numbers.split('.').enumerate() {
            *parsed.get_mut(index)? = number.parse().ok()?;
        }
        let dev = match suffix.strip_prefix("dev") {
            Some(number) => {
                let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
                Some(digits.parse().ok()?)
            }
            // What a distribution appends begins with a digit.
            None if suffix.starts_with(|c: char| !c.is_ascii_digit()) => return None,
            None => None,
        };
        Some(Self {
            numbers: parsed,
            dev,
        })
    }
}

impl Ord for HaproxyVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        let dev = |version: &Self| version.dev.unwrap_or(u32::MAX);
        let numbers = self.numbers.cmp(&other.numbers);
        numbers.then(dev(self).cmp(&dev(other)))
    }
}

impl PartialOrd for HaproxyVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::{HaproxyBuild, HaproxyVersion};

    #[test]
    fn versions_and_features_are_parsed() {
        let build = HaproxyBuild::parse(
            "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/\nStatus: x\n\
             Feature list : -51DEGREES +ACCEPT4 +OPENSSL -ZLIB\n",
        );
        assert_eq!(build.version, HaproxyVersion::parse("2.6.12"));
        assert_eq!(build.features.unwrap(), ["ACCEPT4", "OPENSSL"]);
        assert_eq!(HaproxyBuild::parse("nginx"), HaproxyBuild::default());
    }

    #[test]
    fn versions_are_ordered_as_haproxy_does() {
        let ordered = [
            "2.4-dev2",
            "2.4-dev19",
            "2.4",
            "2.4.1",
            "2.6.12",
            "2.10",
            "3",
        ];
        for two in ordered.windows(2) {
            assert!(
                HaproxyVersion::parse(two[0]).unwrap() < HaproxyVersion::parse(two[1]).unwrap(),
                "{two:?}"
            );
        }
        for text in ["x", "2.4-rc1", "1.2.3.4", ""] {
            assert_eq!(HaproxyVersion::parse(text), None, "{text}");
        }
    }
}
