//! Advice on what the APIs of DNS providers answer: which credential or permission to change.

use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::providers::{ProviderError, ProviderFault};
use crate::publishing::profile::ProviderProfile;
use crate::wording::date_and_time;

/// What an error code of a provider means for the user.
struct CodeAdvice {
    provider: &'static str,
    /// The beginning of the code.
    code: &'static str,
    step: &'static str,
}

const fn advice(provider: &'static str, code: &'static str, step: &'static str) -> CodeAdvice {
    CodeAdvice {
        provider,
        code,
        step,
    }
}

const WRONG_KEY: &str = "Compare access_key_id and access_key_secret with the RAM user's AccessKey, \
    and see in the RAM console whether it is enabled";
const WRONG_CLOCK: &str =
    "Set this machine's clock: Alibaba Cloud accepts a difference of 15 minutes";
const WRONG_ACCOUNT: &str = "Use the credentials of the Alibaba Cloud account that has the zone";
const ALIDNS_POLICY: &str =
    "Attach the policy that `certctl explain alidns` prints to the RAM user";
const WRONG_TOKEN: &str = "Create a token with the permissions Zone Read and DNS Write for this zone \
    in Cloudflare's console (My Profile, API Tokens), and use it as api_token";
const OTHER_RECORDS: &str = "Look at the records of this name in the provider's console: another \
    record does not allow this one";

/// Sources: the lists of error codes in the API references of Alibaba Cloud DNS (2015-01-09) and of
/// Cloudflare (2026-11-28).
const CODES: [CodeAdvice; 21] = [
    advice("alidns", "InvalidAccessKeyId", WRONG_KEY),
    advice("alidns", "SignatureDoesNotMatch", WRONG_KEY),
    advice("alidns", "IncompleteSignature", WRONG_KEY),
    advice(
        "alidns",
        "InvalidSecurityToken",
        "Request a new STS token: it is not valid, or no longer",
    ),
    advice("alidns", "InvalidTimeStamp", WRONG_CLOCK),
    advice("alidns", "MissingTimestamp", WRONG_CLOCK),
    advice("alidns", "Forbidden", ALIDNS_POLICY),
    advice("alidns", "NoPermission", ALIDNS_POLICY),
    advice("alidns", "InvalidDomainName.NoExist", WRONG_ACCOUNT),
    advice("alidns", "IncorrectDomainUser", WRONG_ACCOUNT),
    advice("alidns", "DomainRecordNotBelongToUser", WRONG_ACCOUNT),
    advice("alidns", "DomainRecordConflict", OTHER_RECORDS),
    advice(
        "alidns",
        "DomainRecordLocked",
        "Unlock the record in the console of Alibaba Cloud DNS",
    ),
    advice(
        "alidns",
        "QuotaExceeded",
        "Remove records that nothing needs, or choose a larger edition of Alibaba Cloud DNS",
    ),
    advice(
        "alidns",
        "Throttling",
        "Run the command again in a few minutes",
    ),
    advice("cloudflare", "10000", WRONG_TOKEN),
    advice("cloudflare", "9109", WRONG_TOKEN),
    advice("cloudflare", "6003", WRONG_TOKEN),
    advice("cloudflare", "1000", WRONG_TOKEN),
    advice("cloudflare", "81053", OTHER_RECORDS),
    advice("cloudflare", "81054", OTHER_RECORDS),
];

/// The failure of a request that the provider refused.
pub(super) fn refused(
    error: &ProviderError,
    provider: &ProviderProfile,
    fault: &ProviderFault,
) -> Failure {
    let mut failure = Failure::from_error(FailureKind::Network, error);
    if let Some(request) = &fault.request {
        failure = failure.because(format!("the provider's id of the request is {request}"));
    }
    failure.with_step(NextStep::say(step(provider, fault)))
}

fn step(provider: &ProviderProfile, fault: &ProviderFault) -> String {
    let mut codes = CODES.iter();
    let known = codes.find(|one| one.provider == provider.name && fault.code.starts_with(one.code));
    if let Some(known) = known {
        return known.step.to_owned();
    }
    match (fault.status, fault.retry_at) {
        (_, Some(at)) => format!("Run the command again after {}", date_and_time(at)),
        (401 | 403, None) => {
            format!(
                "Check the credentials of {}, and what they allow",
                provider.title
            )
        }
        _ => "Run the command again later; only what is missing is published".to_owned(),
    }
}

/// The provider has no zone of this name in the account.
pub(super) fn no_zone(error: &ProviderError) -> Failure {
    Failure::from_error(FailureKind::NotFound, error).with_step(NextStep::say(
        "Use the credentials of the account that has the zone, and let them read it",
    ))
}

/// A CNAME that no CA sees.
pub(super) fn proxied(error: &ProviderError) -> Failure {
    Failure::from_error(FailureKind::Malformed, error).with_step(NextStep::say(
        "Set the record to \"DNS only\" in Cloudflare's console, or remove it if nothing needs it",
    ))
}

/// A name with so many records that they were not all read.
pub(super) fn too_many(error: &ProviderError) -> Failure {
    Failure::from_error(FailureKind::Hostile, error).with_step(NextStep::say(
        "Remove the records that nothing needs in the console of the DNS provider",
    ))
}
