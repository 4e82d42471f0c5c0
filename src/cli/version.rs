//! What `--version` prints: the commit and the date of this build, and what was compiled in.

use std::ffi::OsString;

use crate::pki::trust::MOZILLA_DATE;

/// The commit that was built, from `build.rs`; empty if it is not known.
const COMMIT: &str = env!("CERTCTL_COMMIT");
/// The date of the build as 2026-11-28, from `build.rs`; empty if it is not known.
const BUILD_DATE: &str = env!("CERTCTL_BUILD_DATE");
/// How aws-lc was built, as far as `build.rs` can know.
const JITTER_ENTROPY: &str = env!("CERTCTL_JITTER_ENTROPY");

/// One line for `-V`, all lines for `--version`.
pub(super) fn text(args: &[OsString]) -> String {
    let first = format!(
        "certctl {} ({})\n",
        env!("CARGO_PKG_VERSION"),
        build(COMMIT, BUILD_DATE)
    );
    if args.iter().any(|arg| arg == "--version") {
        format!("{first}trust list: Mozilla, {MOZILLA_DATE}\naws-lc: {JITTER_ENTROPY}\n")
    } else {
        first
    }
}

/// `commit abcdef123456, built 2026-11-28`
fn build(commit: &str, date: &str) -> String {
    let source = if commit.is_empty() {
        "from a source archive".to_owned()
    } else {
        format!("commit {commit}")
    };
    if date.is_empty() {
        source
    } else {
        format!("{source}, built {date}")
    }
}

#[cfg(test)]
mod tests {
    use super::build;

    #[test]
    fn a_build_is_described_as_far_as_it_is_known() {
        assert_eq!(
            build("abcdef123456", "2026-11-28"),
            "commit abcdef123456, built 2026-11-28"
        );
        assert_eq!(
            build("", "2026-11-28"),
            "from a source archive, built 2026-11-28"
        );
        assert_eq!(build("", ""), "from a source archive");
    }
}
