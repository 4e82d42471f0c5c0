//! Advice for names, keys, requests, certificates and what is wrong with chains.

use crate::advice::inputs::ADD_BUNDLE;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::pki::certificate::CertificateError;
use crate::pki::key::KeyError;
use crate::pki::lint::{LintSeverity, LintViolation, RetiredCertificate};
use crate::pki::name::NameError;
use crate::pki::request::RequestError;
use crate::pki::subject::SubjectError;
use crate::pki::trust::{TrustScope, TrustSource};
use crate::pki::verify::ChainProblem;

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        let failure = Self::from_error(FailureKind::Usage, &error);
        match error {
            NameError::Empty => {
                failure.with_step(NextStep::say("certctl csr example.com www.example.com"))
            }
            NameError::Address(_) => failure
                .because("public CAs certify names; an address has no DNS to prove it by")
                .with_step(NextStep::say("use the DNS name that clients connect to")),
            NameError::Malformed(_) => failure
                .because(
                    "letters, digits and '-' between dots; labels of at most 63, the whole of at \
                        most 253 characters",
                )
                .with_step(NextStep::say("certctl csr example.com www.example.com")),
            NameError::Mailbox(_) => failure
                .because("a local part of ASCII letters, digits and dots, and a domain")
                .with_step(NextStep::say("certctl csr ann@example.com --ca private")),
            NameError::Url(text) => {
                let without_scheme = text.split("://").last().unwrap_or_default();
                let host = without_scheme.split('/').next().unwrap_or_default();
                failure.with_step(NextStep::say(format!("give the name alone: {host}")))
            }
            NameError::Wildcard(_) => {
                failure.with_step(NextStep::say("certctl csr '*.example.com'"))
            }
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Encrypted => Self::from_error(FailureKind::Malformed, &error).with_step(NextStep::say(
                "decrypt a copy:  (umask 077; openssl pkey -in encrypted.key -out example.com.key)",
            )),
            KeyError::Generate | KeyError::Sign => Self::from_error(FailureKind::Internal, &error),
            KeyError::OtherKind(_) | KeyError::ShortRsa(_) => {
                Self::from_error(FailureKind::Malformed, &error).with_step(NextStep::say(
                    "make a new key and request:  certctl csr NAME...",
                ))
            }
            KeyError::Unreadable => Self::from_error(FailureKind::Malformed, &error)
                .because("PKCS#8, PKCS#1 and SEC1 are read; RSA, P-256, P-384, P-521 and Ed25519")
                .with_step(NextStep::say(
                    "see what it is:  openssl pkey -in FILE -noout -text_pub",
                )),
        }
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Build(_) => Self::from_error(FailureKind::Internal, &error),
            RequestError::Malformed => Self::from_error(FailureKind::Malformed, &error)
                .with_step(NextStep::say("see what it is:  openssl asn1parse -in FILE")),
            RequestError::Signature(_) => Self::from_error(FailureKind::Malformed, &error)
                .with_step(NextStep::say(
                    "copy it again, all of it, or make a new one:  certctl csr example.com",
                )),
        }
    }
}

impl From<SubjectError> for Failure {
    fn from(error: SubjectError) -> Self {
        let failure = Self::from_error(FailureKind::Usage, &error);
        let example = NextStep::say(
            "--subject 'CN=example.com,OU=Web,O=Acme\\, Inc.,L=Berlin,C=DE'   (the most \
                    specific part first)",
        );
        match error {
            SubjectError::Letters(attribute, _)
                if attribute == "C" || attribute == "jurisdictionC" =>
            {
                failure.with_step(NextStep::say(
                    "a country is its two letters in ISO 3166-1:  C=DE",
                ))
            }
            SubjectError::Letters(..) => failure
                .because(
                    "control characters never; in \
                serialNumber letters and digits, in emailAddress and DC ASCII alone",
                )
                .with_step(example),
            SubjectError::NoValue(attribute) => failure.with_step(NextStep::say(format!(
                "leave {attribute} \
                out, or give it a value"
            ))),
            SubjectError::Slashes(same) => failure
                .because("RFC 4514 writes the most specific part first, with commas")
                .with_step(NextStep::say(format!("--subject {}", shell_word(&same)))),
            SubjectError::Unescaped(_) => failure
                .because(
                    "these are special in a value: , + \" \\ \
                < > ;",
                )
                .with_step(example),
            SubjectError::NotAPair(_) | SubjectError::Unfinished(_) => failure.with_step(example),
            SubjectError::UnknownType(_) => failure
                .because(
                    "known by name: CN, O, OU, L, ST, C, street, postalCode, serialNumber, \
                    emailAddress, DC, UID and the like; any other by its number, 1.2.3.4=value",
                )
                .with_step(example),
        }
    }
}

impl From<CertificateError> for Failure {
    fn from(error: CertificateError) -> Self {
        Self::from_error(FailureKind::Malformed, &error).with_step(NextStep::say(
            "download it again at the shop, or ask the CA for it",
        ))
    }
}

/// Every problem of a chain or of a certificate and its key makes the verdict negative.
impl From<&ChainProblem> for Finding {
    fn from(problem: &ChainProblem) -> Self {
        let finding = Self::error(problem.code(), problem.to_string());
        let advice = match problem {
            ChainProblem::HostNotCovered { host, .. } => {
                let step = format!(
                    "order a certificate that names {host} too, or take \
                    it out of what is asked for"
                );
                return finding.with_step(NextStep::say(step));
            }
            ChainProblem::MissingIntermediate { urls, trust, .. } => {
                return with_missing_issuer_steps(finding, urls, trust);
            }
            ChainProblem::CaAsLeaf { .. } => {
                "pass the file that the CA issued \
                for the site, beside this one"
            }
            ChainProblem::Expired { leaf: false, .. } => {
                "it is the CA's, not the site's: download the bundle (.ca-bundle) that the CA \
                    offers now, and use it in place of this one"
            }
            ChainProblem::Expired { .. } => {
                "ask the CA for a new certificate: make a fresh request \
                    with  certctl csr NAME..."
            }
            ChainProblem::NoNames { .. } => {
                "ask the CA for a certificate that names the site: make a fresh \
                    request with  certctl csr NAME..."
            }
            ChainProblem::TooManyCandidates => {
                "pass only what the CA sent for this site: its certificate \
                    and its bundle"
            }
            ChainProblem::WeakKey { .. } => {
                "make a new key and request, and have the certificate reissued for it:  certctl \
                    csr NAME... --force"
            }
            ChainProblem::WeakSignature { .. } => {
                "download the CA's present bundle; if the site's own \
                    certificate is meant, have it reissued"
            }
            ChainProblem::NotYetValid { .. } => {
                "wait until then, or set this \
                machine's clock right:  date -u"
            }
            ChainProblem::Refused { .. } => {
                "ask the CA to issue it again, or \
                send it this message"
            }
            ChainProblem::SelfSigned { .. } => {
                "use the certificate that the CA \
                issued, not the one made here"
            }
            ChainProblem::UnknownRoot { .. } => {
                "if it is your company's CA, name its root:  --trust \
                    root.pem"
            }
            ChainProblem::WrongKey { .. } => {
                "pass the key that was made with this request:  --key FILE; if it is lost, have \
                    the certificate reissued for a new request"
            }
            ChainProblem::WrongKeyKind { .. } => {
                "pass the key that was made with this request:  --key FILE; \
                    certctl inspect FILE tells a key's kind"
            }
        };
        finding.with_step(NextStep::say(advice))
    }
}

/// How to get the intermediate that a chain lacks: from the CA, or from one of `urls`.
fn with_missing_issuer_steps(finding: Finding, urls: &[String], trust: &TrustSource) -> Finding {
    let step = match urls.first() {
        Some(url) => format!(
            "add the CA's bundle (.ca-bundle) from its mail; or have certctl bundle or \
                            install fetch it from {url}:  --aia"
        ),
        None => ADD_BUNDLE.to_owned(),
    };
    let finding = finding.with_step(NextStep::say(step));
    match trust {
        TrustSource::File(_) => finding,
        TrustSource::Mozilla | TrustSource::System => finding.with_step(NextStep::say(
            "if it is of your company's CA, name its root too:  --trust root.pem",
        )),
    }
}

/// A rule that a certificate breaks; `scope` decides whether it counts.
#[must_use]
pub(crate) fn lint_finding(lint: &LintViolation, scope: TrustScope) -> Finding {
    let code = lint.rule.code;
    let message = lint.to_string();
    let advice = NextStep::say(lint_advice(code));
    match lint.severity_in(scope) {
        Some(LintSeverity::Refuses) => Finding::error(code, message).with_step(advice),
        Some(LintSeverity::Warns) => Finding::warning(code, message).with_step(advice),
        // A note is nothing to act on.
        None => Finding::note(code, message),
    }
}

fn lint_advice(code: &str) -> &'static str {
    match code {
        "broken-key" => {
            "make a new key and request, on other hardware or with other software, and have it \
                    reissued:  certctl csr NAME..."
        }
        "unsupported-key-type" | "unusual-key-type" => {
            "make a key that browsers take, and have it reissued:  certctl csr NAME... \
                    --key-type ecdsa-p256"
        }
        "intermediate-expires-first" => {
            "ask the CA for its present bundle (.ca-bundle), or renew before that day"
        }
        "client-auth" => {
            "have it reissued without clientAuth; what logs in with it needs a certificate of \
                    its own"
        }
        "client-auth-removed" => {
            "what logs in with it needs a certificate of its own, of a CA that its servers \
                    know: public CAs stop issuing them"
        }
        "common-name-not-listed" => {
            "see that every name that clients use is among its names; have it reissued if not"
        }
        "validity-too-long" => "ask the CA to issue it again for fewer days",
        _ => "ask the CA to issue it again, or send it this message",
    }
}

impl From<&RetiredCertificate> for Finding {
    fn from(outdated: &RetiredCertificate) -> Self {
        Self::warning("outdated-ca", outdated.to_string())
            .with_step(NextStep::say("leave it out, as certctl bundle does"))
    }
}
