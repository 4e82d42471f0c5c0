//! Links the unwinder statically, so that certctl needs libc alone: loading libgcc_s.so takes a tenth
//! of what a short command takes altogether. Tells the crate its commit, the date of the build and
//! how aws-lc is built; none of them is needed for a build.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu") {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let checkout = Checkout::of(&folder);
    let commit = match &checkout {
        Some(checkout) => checkout.git(&["rev-parse", "HEAD"]),
        None => packaged_commit(&folder),
    };
    let commit: String = commit.unwrap_or_default().chars().take(12).collect();
    println!("cargo::rustc-env=CERTCTL_COMMIT={commit}");
    let date = build_seconds(checkout.as_ref()).map(date_of);
    println!(
        "cargo::rustc-env=CERTCTL_BUILD_DATE={}",
        date.unwrap_or_default()
    );
    println!(
        "cargo::rustc-env=CERTCTL_JITTER_ENTROPY={}",
        jitter_entropy()
    );
}

/// A git checkout of certctl itself, not of a repository that a source archive was unpacked in.
struct Checkout {
    folder: PathBuf,
}

impl Checkout {
    /// The checkout in `folder`. Cargo runs this script again when another commit is checked out.
    fn of(folder: &Path) -> Option<Self> {
        if !folder.join(".git").exists() {
            return None;
        }
        let checkout = Self {
            folder: folder.to_owned(),
        };
        let branch = checkout.git(&["symbolic-ref", "--quiet", "HEAD"]);
        for name in ["HEAD", "logs/HEAD", "packed-refs"]
            .into_iter()
            .chain(branch.as_deref())
        {
            let path = checkout.git(&["rev-parse", "--git-path", name])?;
            let path = folder.join(path);
            // For a file that does not exist cargo would run this script at each build.
            if path.exists() {
                println!("cargo::rerun-if-changed={}", path.display());
            }
        }
        Some(checkout)
    }

    /// The first line that git prints; nothing if there is no git or it fails.
    fn git(&self, words: &[&str]) -> Option<String> {
        let output = Command::new("git")
            .arg("-C")
            .arg(&self.folder)
            .args(words)
            .output()
            .ok()?;
        let line = String::from_utf8(output.stdout).ok()?;
        let line = line.trim();
        (output.status.success() && !line.is_empty()).then(|| line.to_owned())
    }
}

/// The commit that `cargo package` recorded in an archive.
fn packaged_commit(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join(".cargo_vcs_info.json")).ok()?;
    let (_, after) = text.split_once("\"sha1\"")?;
    let commit = after.split('"').nth(1)?;
    let is_commit = commit.len() >= 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit.then(|| commit.to_owned())
}

/// `SOURCE_DATE_EPOCH` (reproducible-builds.org), else the time of the commit.
fn build_seconds(checkout: Option<&Checkout>) -> Option<i64> {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    if let Ok(text) = std::env::var("SOURCE_DATE_EPOCH") {
        return text.trim().parse().ok();
    }
    checkout?.git(&["log", "-1", "--format=%ct"])?.parse().ok()
}

/// The day of a Unix time, in UTC. The algorithm is `civil_from_days` of Howard Hinnant
/// (howardhinnant.github.io/date_algorithms.html).
fn date_of(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Whether aws-lc gathers CPU-jitter entropy, from the variable that its own build script reads.
fn jitter_entropy() -> &'static str {
    println!("cargo::rerun-if-env-changed=AWS_LC_SYS_NO_JITTER_ENTROPY");
    match std::env::var("AWS_LC_SYS_NO_JITTER_ENTROPY").as_deref() {
        Ok("1") => "built without CPU-jitter entropy",
        Ok("0") => "built with CPU-jitter entropy",
        _ => "unknown whether built with CPU-jitter entropy",
    }
}
