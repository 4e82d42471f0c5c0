//! Advice for choosing a pair: nothing to choose from, nothing to choose by, something that does
//! not fit.

use crate::delivery::DecryptError;
use crate::failure::{Failure, FailureKind};
use crate::finding::shell_word;
use crate::finding::{Finding, NextStep};
use crate::matching::{MatchingError, MatchingRemark, RequestTemplate, ServedFault};
use crate::pki::chain::OmissionReason;
use crate::pki::name::DnsName;

impl From<MatchingError> for Failure {
    fn from(error: MatchingError) -> Self {
        let of = |kind| Self::of(kind, &error);
        match &error {
            MatchingError::Ambiguous { leaves, looked } => {
                let mut failure = of(FailureKind::Ambiguous);
                failure.causes.extend(leaves.iter().take(12).cloned());
                failure
                    .because(format!("looked at {looked}"))
                    .with(NextStep::say(
                        "name the key or the request of the one that you mean:  --key FILE  or  \
                            --csr FILE",
                    ))
                    .with(search())
            }
            MatchingError::LockedKey(path) => of(FailureKind::Malformed)
                .with(NextStep::say(
                    "put its password into a file of mode 0600 and pass that:  \
                    --password-file FILE",
                ))
                .with(NextStep::say(format!(
                    "or decrypt a copy and pass it:  (umask 077; openssl pkey -in {} -out \
                        plain.key)   --key plain.key",
                    shell_word(&path.display().to_string())
                ))),
            MatchingError::StaysLocked(path, _) => of(FailureKind::Malformed).with(NextStep::say(format!(
                "try it:  openssl pkey -in {} -noout   and pass what opens it:  --password-file \
                    FILE",
                shell_word(&path.display().to_string())
            ))),
            MatchingError::NoAnchor(_) => of(FailureKind::Malformed).with(NextStep::say(
                "pass your CA's root certificate:  --trust root.pem; certctl inspect FILE tells \
                    what a file holds",
            )),
            MatchingError::NoKey { holds, .. } => of(FailureKind::Malformed)
                .because(format!("it holds {holds}"))
                .with(NextStep::say(
                    "pass the key that was made with the request, often NAME.key:  \
                    --key FILE",
                )),
            MatchingError::NoRequest { holds, .. } => of(FailureKind::Malformed)
                .because(format!("it holds {holds}"))
                .with(NextStep::say(
                    "pass the request that was given to the CA, often NAME.csr:  --csr \
                    FILE",
                )),
            MatchingError::NoSuchFile(_) => of(FailureKind::NotFound)
                .because(
                    "paths are relative to the folder that you are in; names are looked up in \
                    -C",
                )
                .with(NextStep::say("ls -l")),
            MatchingError::NothingHere {
                name: Some(name), ..
            } => of(FailureKind::NotFound)
                .because("its request is here, and the CA's certificate has not been put beside it")
                .with(NextStep::say(format!(
                    "pass the zip or the files that the CA sent; if it has sent none yet:  certctl \
                        dcv-check {name}"
                ))),
            MatchingError::NothingHere { name: None, .. } => of(FailureKind::NotFound).with(NextStep::say(
                "pass the zip or the files that the CA sent, or the folder that \
                    they are in:  -C DIR",
            )),
            MatchingError::OnlyKey(_) => of(FailureKind::Malformed).with(NextStep::say(
                "pass the certificate that the CA sent too, as \
                    a further file",
            )),
            MatchingError::OnlyRequest(_) => of(FailureKind::Malformed)
                .because("a request is what the CA is sent; the certificate is what it sends back")
                .with(NextStep::say(
                    "pass the zip or the .crt file that the CA sent by mail or offers \
                    in its panel",
                )),
            MatchingError::Unknown { known, .. } if known.is_empty() => {
                of(FailureKind::NotFound).with(NextStep::say(
                    "pass a file, or name the folder of the files:  \
                    -C DIR",
                ))
            }
            MatchingError::Unknown { known, .. } => {
                let shown = known.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
                let more = if known.len() > 8 { ", ..." } else { "" };
                of(FailureKind::NotFound)
                    .because(format!("names known there: {shown}{more}"))
                    .with(NextStep::say(
                        "pass one of these names, a file, or another folder:  -C DIR",
                    ))
            }
        }
    }
}

/// Where keys may be that nobody remembers.
fn search() -> NextStep {
    NextStep::say("to search for its key:  certctl status DIR...")
}

/// The way on where a key is lost: a CA issues again for another request.
fn reissue(anew: &RequestTemplate) -> NextStep {
    const FEW: usize = 10;
    let line = match anew {
        RequestTemplate::File(path) => {
            NextStep::run(&["csr", "--like", &path.display().to_string()]).text
        }
        RequestTemplate::Names(names) => {
            let plain = |name: &&String| DnsName::parse(name).is_ok();
            let wanted: Vec<&str> = names
                .iter()
                .take(FEW)
                .filter(plain)
                .map(String::as_str)
                .collect();
            let more = if names.len() > FEW { " ..." } else { "" };
            match wanted.len() {
                0 => "certctl csr NAME...".to_owned(),
                _ => NextStep::run(&[&["csr"], wanted.as_slice()].concat()).text + more,
            }
        }
    };
    NextStep::say(format!(
        "if it is lost, have the certificate reissued for a new request:  {line}"
    ))
}

impl From<&MatchingRemark> for Finding {
    fn from(remark: &MatchingRemark) -> Self {
        let text = remark.to_string();
        match remark {
            MatchingRemark::IssuerHere { path, bundle } => {
                let path = path.display().to_string();
                Self::warning("issuer-found", text)
                    .with(NextStep::run(&[bundle.as_slice(), &[path]].concat()))
            }
            MatchingRemark::RootHere { path, .. } => {
                Self::warning("root-found", text).with(NextStep::say(format!(
                    "if it is your company's CA, the same command with  --trust {}",
                    shell_word(&path.display().to_string())
                )))
            }
            MatchingRemark::KeyHere { path } => {
                Self::warning("key-found", text).with(NextStep::say(format!(
                    "use it:  --key {}",
                    shell_word(&path.display().to_string())
                )))
            }
            MatchingRemark::KeySent { .. } => Self::note("key-in-delivery", text),
            MatchingRemark::KeyDecrypted { .. } => Self::note("key-decrypted", text),
            MatchingRemark::LeftOut {
                why: OmissionReason::Duplicate,
                ..
            } => Self::note("duplicate", text),
            MatchingRemark::LeftOut {
                why: OmissionReason::Root,
                ..
            } => Self::note("root-omitted", text),
            MatchingRemark::LeftOut {
                why: OmissionReason::Unrelated,
                ..
            } => Self::note("unrelated", text),
            MatchingRemark::Mended { what, .. } => Self::note(what.code(), text),
            MatchingRemark::NameNotIssued { .. } => {
                Self::warning("name-missing-in-certificate", text).with(NextStep::say(
                    "if these names are needed, ask the CA to reissue with them; \
                    browsers will refuse them with this certificate",
                ))
            }
            MatchingRemark::Locked {
                path, why, anew, ..
            } => {
                let word = shell_word(&path.display().to_string());
                let finding = match why {
                    None => Self::warning("key-locked", text)
                        .with(NextStep::say(
                            "pass its password in a file of mode 0600:  \
                            --password-file FILE",
                        ))
                        .with(NextStep::say(
                            "or type the same on a terminal: there it is asked for",
                        )),
                    Some(DecryptError::Wrong) => {
                        Self::warning("wrong-password", text).with(NextStep::say(format!(
                            "try it:  openssl pkey -in {word} -noout   and pass what opens it:  \
                            --password-file FILE"
                        )))
                    }
                    Some(DecryptError::TooMuchWork(_) | DecryptError::Unknown) => {
                        Self::warning("key-locked", text).with(NextStep::say(format!(
                            "decrypt a copy and pass it:  (umask 077; openssl pkey -in {word} \
                            -out plain.key)   --key plain.key"
                        )))
                    }
                };
                finding.with(reissue(anew))
            }
            MatchingRemark::NoKey { anew, .. } => Self::warning("key-missing", text)
                .with(NextStep::say(
                    "name the key that was made with the request, or the folder that it lies in:  \
                        --key FILE  or  -C DIR",
                ))
                .with(search())
                .with(reissue(anew)),
            MatchingRemark::NotOurs { .. } => {
                Self::warning("no-matching-key", text).with(NextStep::say(
                    "name its key to take it as well:  \
                    --key FILE",
                ))
            }
            MatchingRemark::OnlyRequest { .. } => Self::warning("key-missing", text)
                .with(NextStep::say(
                    "name the key that was made with the request:  --key FILE",
                ))
                .with(search()),
            MatchingRemark::Older { .. } => Self::note("older-certificate", text),
            MatchingRemark::WrongKey { problem, .. } => Self {
                message: text,
                ..Self::from(problem)
            },
            MatchingRemark::WrongRequest { .. } => Self::error("wrong-request", text)
                .with(NextStep::say(
                    "look for the key and request that were made for this order:  \
                    --csr FILE  or  --key FILE",
                ))
                .with(NextStep::say(
                    "if they are lost, have the certificate reissued for the request \
                    that is here",
                )),
        }
    }
}

impl From<(&ServedFault, &[String])> for Finding {
    /// With the words of the `certctl bundle` that mends it.
    fn from((fault, bundle): (&ServedFault, &[String])) -> Self {
        let text = fault.to_string();
        let mend = || NextStep::run(bundle);
        match fault {
            ServedFault::Broken { what, .. } => Self::error(what.code(), text).with(mend()),
            ServedFault::Damaged { .. } => Self::error("damaged-block", text).with(NextStep::say(
                "copy or download it again: a part of it was lost on the way",
            )),
            ServedFault::Der { .. } => Self::warning("der", text).with(mend()),
            ServedFault::Duplicate { .. } => Self::warning("duplicate", text).with(mend()),
            ServedFault::Glued { .. } => Self::error("glued-lines", text).with(mend()),
            ServedFault::LeafNotFirst { .. } => Self::error("leaf-not-first", text).with(mend()),
            ServedFault::OutOfOrder { .. } => Self::warning("out-of-order", text).with(mend()),
            ServedFault::Packed { file } => {
                Self::error("still-archived", text)
                    .with(mend())
                    .with(NextStep::say(format!(
                        "sudo certctl install {}",
                        shell_word(file)
                    )))
            }
            ServedFault::RootIncluded { .. } => Self::note("root-included", text),
            ServedFault::Unrelated { .. } => Self::warning("unrelated", text).with(mend()),
        }
    }
}
