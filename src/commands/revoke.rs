//! `certctl revoke`: revokes certificates at the CA that issued them (RFC 8555 7.6), but none that is
//! still in use.

mod candidates;
mod in_use;
mod outcome;
mod request;

use crate::acme::ca_table::AcmeChoice;
use crate::acme::revocation_reason::RevocationReason;
use crate::advice::revoke_command as advice;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::inputs::saved_trust;
use crate::install::installed;
use crate::install::request::{RunMode, refuse_at_option};
use crate::install::revocations::RevocationLock;
use crate::matching::file_names;
use crate::pki::name::DnsName;
use crate::state::StateFolder;

use self::candidates::{RevocableCertificate, list_candidates};
pub(crate) use self::outcome::RevokeOutcome;
use self::request::Revocation;

/// Revoke certificates that are not in use
///
/// Examples:
///   sudo certctl revoke example.com --replaced
///   certctl revoke example.com --serial 0393ca05 --reason key-compromise
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(crate) struct RevokeArgs {
    /// Name of the certificate
    pub name: String,
    /// Revoke the certificate with this serial number (hex)
    #[arg(long, value_name = "HEX", group = "which", value_parser = parse_serial)]
    pub serial: Option<String>,
    /// Revoke the certificates that were replaced by the installed one and have not expired
    #[arg(long, group = "which")]
    pub replaced: bool,
    /// Reason: unspecified, key-compromise, affiliation-changed, superseded or
    /// cessation-of-operation [default: superseded with --replaced, else unspecified]
    #[arg(long, value_name = "REASON")]
    pub reason: Option<RevocationReason>,
    /// CA that issued it, as in `order --ca` [default: the one from which it was ordered]
    #[arg(long, value_name = "CA|URL")]
    pub ca: Option<AcmeChoice>,
    /// Trusted roots of the CA's API: mozilla, system, or a file of CA certificates [default: the
    /// saved one, else mozilla]
    #[arg(long, value_name = "mozilla|FILE", value_parser = crate::inputs::parse_trust)]
    pub trust: Option<String>,
    /// Show what would be done, and revoke nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Reads a serial number as programs print it: hex digits, with or without colons and zeros.
fn parse_serial(text: &str) -> Result<String, &'static str> {
    let text = text.trim().to_ascii_lowercase().replace([':', ' '], "");
    let digits = text.strip_prefix("0x").unwrap_or(&text);
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = digits.trim_start_matches('0');
    if !is_hex || digits.is_empty() {
        return Err("a serial number has hex digits, as in 04:a1:7f");
    }
    Ok(digits.to_owned())
}

/// Revokes the certificates.
///
/// # Errors
/// When there is no such certificate, its CA is not known or cannot be reached, or a signal arrives.
pub(crate) fn run(context: &Context, args: &RevokeArgs) -> Result<RevokeOutcome, Failure> {
    let mode = if args.dry_run {
        RunMode::DryRun
    } else {
        RunMode::Run
    };
    refuse_at_option(context, mode)?;
    let listening = context.interrupt.listen();
    listening.map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    let stem = file_stem(&args.name)?;
    // Until it is revoked, no other certctl may install or restore it.
    let lock = match mode {
        RunMode::Run => Some(RevocationLock::acquire(context, &stem)?),
        RunMode::Check | RunMode::DryRun => None,
    };
    revoke(context, args, &stem, lock)
}

/// Revokes certificates of this name; without a lock, only says which.
fn revoke(
    context: &Context,
    args: &RevokeArgs,
    stem: &str,
    lock: Option<RevocationLock>,
) -> Result<RevokeOutcome, Failure> {
    let saved = installed::read_settings(context, stem)?;
    let candidates = list_candidates(context, stem)?;
    let chosen = choose(context, args, stem, candidates)?;
    let saved_ca = saved.order.and_then(|order| order.ca.parse().ok());
    let Some(ca) = args.ca.clone().or(saved_ca) else {
        return Err(advice::ca_unknown(stem));
    };
    let state = StateFolder::find(context.root.as_deref())?;
    let revocation = Revocation {
        context,
        state: &state,
        stem,
        ca,
        trust: saved_trust(args.trust.as_deref())?.or(saved.trust),
        reason: reason(args),
        lock,
    };
    revocation.carry_out(chosen)
}

/// The file name of a certificate, which is also its name in /etc/ssl.
fn file_stem(name: &str) -> Result<String, Failure> {
    let stem = match DnsName::parse(name) {
        Ok(name) => name.file_stem(),
        Err(_) => name.to_owned(),
    };
    if file_names::is_safe_name(&stem) {
        Ok(stem)
    } else {
        Err(advice::no_certificate(name))
    }
}

fn reason(args: &RevokeArgs) -> RevocationReason {
    let usual = if args.replaced {
        RevocationReason::Superseded
    } else {
        RevocationReason::Unspecified
    };
    args.reason.unwrap_or(usual)
}

/// Returns the certificates that are meant.
fn choose(
    context: &Context,
    args: &RevokeArgs,
    stem: &str,
    candidates: Vec<RevocableCertificate>,
) -> Result<Vec<RevocableCertificate>, Failure> {
    if candidates.is_empty() {
        return Err(advice::no_certificate(stem));
    }
    let mut serials = Vec::new();
    let mut chosen = Vec::new();
    for one in candidates {
        serials.push(one.leaf.serial.clone());
        let is_chosen = match &args.serial {
            Some(serial) => one.leaf.serial.trim_start_matches('0') == serial,
            None => one.is_replaced && one.leaf.is_in_date(context.now()),
        };
        if is_chosen {
            chosen.push(one);
        }
    }
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    Err(match &args.serial {
        Some(serial) => advice::no_such_serial(stem, serial, &serials),
        None => advice::nothing_replaced(stem),
    })
}

#[cfg(test)]
mod tests {
    use super::parse_serial;

    #[test]
    fn serial_numbers_are_read_as_programs_print_them() {
        for (text, read) in [
            ("04:A1:7F", Ok("4a17f")),
            ("0x04a17f", Ok("4a17f")),
            ("004a17f", Ok("4a17f")),
            ("4a 17 f", Ok("4a17f")),
            ("0", Err(())),
            ("", Err(())),
            ("xyz", Err(())),
            ("-1", Err(())),
        ] {
            let result = parse_serial(text);
            assert_eq!(result.as_deref().map_err(|_| ()), read, "{text:?}");
        }
    }
}
