//! Advice for choosing a pair: nothing to choose from, nothing to choose by, something that does
//! not fit.

use crate::delivery::LockError;
use crate::failure::{Failure, Kind};
use crate::finding::shell_word;
use crate::finding::{Finding, Next};
use crate::matching::{Anew, PairingError, Remark, ServedFault};
use crate::pki::chain::LeftOut;
use crate::pki::name::DnsName;

impl From<PairingError> for Failure {
    fn from(error: PairingError) -> Self {
        let of = |kind| Self::of(kind, &error);
        match &error {
            PairingError::Ambiguous { leaves, looked } => {
                let mut failure = of(Kind::Ambiguous);
                failure.causes.extend(leaves.iter().take(12).cloned());
                failure
                    .because(format!("looked at {looked}"))
                    .with(Next::say(
                        "name the key or the request of the one that you mean:  --key FILE  or  \
                            --csr FILE",
                    ))
                    .with(search())
            }
            PairingError::LockedKey(path) => of(Kind::Malformed)
                .with(Next::say(
                    "put its password into a file of mode 0600 and pass that:  \
                    --password-file FILE",
                ))
                .with(Next::say(format!(
                    "or decrypt a copy and pass it:  (umask 077; openssl pkey -in {} -out \
                        plain.key)   --key plain.key",
                    shell_word(&path.display().to_string())
                ))),
            PairingError::StaysLocked(path, _) => of(Kind::Malformed).with(Next::say(format!(
                "try it:  openssl pkey -in {} -noout   and pass what opens it:  --password-file \
                    FILE",
                shell_word(&path.display().to_string())
            ))),
            PairingError::NoAnchor(_) => of(Kind::Malformed).with(Next::say(
                "pass your CA's root certificate:  --trust root.pem; certctl inspect FILE tells \
                    what a file holds",
            )),
            PairingError::NoKey { holds, .. } => of(Kind::Malformed)
                .because(format!("it holds {holds}"))
                .with(Next::say(
                    "pass the key that was made with the request, often NAME.key:  \
                    --key FILE",
                )),
            PairingError::NoRequest { holds, .. } => of(Kind::Malformed)
                .because(format!("it holds {holds}"))
                .with(Next::say(
                    "pass the request that was given to the CA, often NAME.csr:  --csr \
                    FILE",
                )),
            PairingError::NoSuchFile(_) => of(Kind::NotFound)
                .because(
                    "paths are relative to the folder that you are in; names are looked up in \
                    -C",
                )
                .with(Next::say("ls -l")),
            PairingError::NothingHere {
                name: Some(name), ..
            } => of(Kind::NotFound)
                .because("its request is here, and the CA's certificate has not been put beside it")
                .with(Next::say(format!(
                    "pass the zip or the files that the CA sent; if it has sent none yet:  certctl \
                        dcv-check {name}"
                ))),
            PairingError::NothingHere { name: None, .. } => of(Kind::NotFound).with(Next::say(
                "pass the zip or the files that the CA sent, or the folder that \
                    they are in:  -C DIR",
            )),
            PairingError::OnlyKey(_) => of(Kind::Malformed).with(Next::say(
                "pass the certificate that the CA sent too, as \
                    a further file",
            )),
            PairingError::OnlyRequest(_) => of(Kind::Malformed)
                .because("a request is what the CA is sent; the certificate is what it sends back")
                .with(Next::say(
                    "pass the zip or the .crt file that the CA sent by mail or offers \
                    in its panel",
                )),
            PairingError::Unknown { known, .. } if known.is_empty() => {
                of(Kind::NotFound).with(Next::say(
                    "pass a file, or name the folder of the files:  \
                    -C DIR",
                ))
            }
            PairingError::Unknown { known, .. } => {
                let shown = known.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
                let more = if known.len() > 8 { ", ..." } else { "" };
                of(Kind::NotFound)
                    .because(format!("names known there: {shown}{more}"))
                    .with(Next::say(
                        "pass one of these names, a file, or another folder:  -C DIR",
                    ))
            }
        }
    }
}

/// Where keys may be that nobody remembers.
fn search() -> Next {
    Next::say("to search for its key:  certctl status DIR...")
}

/// The way on where a key is lost: a CA issues again for another request.
fn reissue(anew: &Anew) -> Next {
    const FEW: usize = 10;
    let line = match anew {
        Anew::File(path) => Next::run(&["csr", "--from", &path.display().to_string()]).text,
        Anew::Names(names) => {
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
                _ => Next::run(&[&["csr"], wanted.as_slice()].concat()).text + more,
            }
        }
    };
    Next::say(format!(
        "if it is lost, have the certificate reissued for a new request:  {line}"
    ))
}

impl From<&Remark> for Finding {
    fn from(remark: &Remark) -> Self {
        let text = remark.to_string();
        match remark {
            Remark::IssuerHere { path, bundle } => {
                let path = path.display().to_string();
                Self::warning("issuer-here", text)
                    .with(Next::run(&[bundle.as_slice(), &[path]].concat()))
            }
            Remark::RootHere { path, .. } => {
                Self::warning("root-here", text).with(Next::say(format!(
                    "if it is your company's CA, the same command with  --trust {}",
                    shell_word(&path.display().to_string())
                )))
            }
            Remark::KeyHere { path } => Self::warning("key-here", text).with(Next::say(format!(
                "use it:  --key {}",
                shell_word(&path.display().to_string())
            ))),
            Remark::KeySent { .. } => Self::note("key-sent", text),
            Remark::KeyDecrypted { .. } => Self::note("key-decrypted", text),
            Remark::LeftOut {
                why: LeftOut::Duplicate,
                ..
            } => Self::note("duplicate", text),
            Remark::LeftOut {
                why: LeftOut::Root, ..
            } => Self::note("root-left-out", text),
            Remark::LeftOut {
                why: LeftOut::Unrelated,
                ..
            } => Self::note("unrelated", text),
            Remark::Mended { what, .. } => Self::note(what.code(), text),
            Remark::NameNotIssued { .. } => Self::warning("name-not-issued", text).with(Next::say(
                "if these names are needed, ask the CA to reissue with them; \
                    browsers will refuse them with this certificate",
            )),
            Remark::Locked {
                path, why, anew, ..
            } => {
                let word = shell_word(&path.display().to_string());
                let finding = match why {
                    None => Self::warning("key-locked", text)
                        .with(Next::say(
                            "pass its password in a file of mode 0600:  \
                            --password-file FILE",
                        ))
                        .with(Next::say(
                            "or type the same on a terminal: there it is asked for",
                        )),
                    Some(LockError::Wrong) => {
                        Self::warning("wrong-password", text).with(Next::say(format!(
                            "try it:  openssl pkey -in {word} -noout   and pass what opens it:  \
                            --password-file FILE"
                        )))
                    }
                    Some(LockError::TooMuchWork(_) | LockError::Unknown) => {
                        Self::warning("key-locked", text).with(Next::say(format!(
                            "decrypt a copy and pass it:  (umask 077; openssl pkey -in {word} \
                            -out plain.key)   --key plain.key"
                        )))
                    }
                };
                finding.with(reissue(anew))
            }
            Remark::NoKey { anew, .. } => Self::warning("no-key", text)
                .with(Next::say(
                    "name the key that was made with the request, or the folder that it lies in:  \
                        --key FILE  or  -C DIR",
                ))
                .with(search())
                .with(reissue(anew)),
            Remark::NotOurs { .. } => Self::warning("not-ours", text).with(Next::say(
                "name its key to take it as well:  \
                    --key FILE",
            )),
            Remark::OnlyRequest { .. } => Self::warning("no-key", text)
                .with(Next::say(
                    "name the key that was made with the request:  --key FILE",
                ))
                .with(search()),
            Remark::Older { .. } => Self::note("older", text),
            Remark::WrongKey { problem, .. } => Self {
                message: text,
                ..Self::from(problem)
            },
            Remark::WrongRequest { .. } => Self::error("wrong-request", text)
                .with(Next::say(
                    "look for the key and request that were made for this order:  \
                    --csr FILE  or  --key FILE",
                ))
                .with(Next::say(
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
        let mend = || Next::run(bundle);
        match fault {
            ServedFault::Broken { what, .. } => Self::error(what.code(), text).with(mend()),
            ServedFault::Damaged { .. } => Self::error("damaged-block", text).with(Next::say(
                "copy or download it again: a part of it was lost on the way",
            )),
            ServedFault::Der { .. } => Self::warning("der", text).with(mend()),
            ServedFault::Duplicate { .. } => Self::warning("duplicate", text).with(mend()),
            ServedFault::Glued { .. } => Self::error("glued-lines", text).with(mend()),
            ServedFault::LeafNotFirst { .. } => Self::error("leaf-not-first", text).with(mend()),
            ServedFault::OutOfOrder { .. } => Self::warning("out-of-order", text).with(mend()),
            ServedFault::Packed { file } => {
                Self::error("packed", text)
                    .with(mend())
                    .with(Next::say(format!(
                        "sudo certctl install {}",
                        shell_word(file)
                    )))
            }
            ServedFault::RootIncluded { .. } => Self::note("root-included", text),
            ServedFault::Unrelated { .. } => Self::warning("unrelated", text).with(mend()),
        }
    }
}
