//! Words of earlier versions, so that `certctl explain` can answer with what they are called now.

use super::entry::CodeKind;

/// What a renamed word is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RenamedKind {
    /// A word of the code table.
    Code(CodeKind),
    /// A command of certctl.
    Command,
    /// A field of a JSON document.
    Field,
    /// An option of the command.
    Option(&'static str),
}

impl RenamedKind {
    /// The stable name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Code(kind) => kind.name(),
            Self::Command => "command",
            Self::Field => "field",
            Self::Option(_) => "option",
        }
    }
}

/// A word with its old and its new spelling.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RenamedWord {
    /// What it is.
    pub kind: RenamedKind,
    /// The word of an earlier version.
    pub old: &'static str,
    /// The word that took its place.
    pub new: &'static str,
}

const fn code(kind: CodeKind, old: &'static str, new: &'static str) -> RenamedWord {
    renamed(RenamedKind::Code(kind), old, new)
}

const fn finding(old: &'static str, new: &'static str) -> RenamedWord {
    code(CodeKind::Finding, old, new)
}

const fn renamed(kind: RenamedKind, old: &'static str, new: &'static str) -> RenamedWord {
    RenamedWord { kind, old, new }
}

/// The renamed words: findings, then other codes, then everything else.
pub static RENAMED_WORDS: &[RenamedWord] = &[
    finding("absence-cached", "negative-answer-cacheable"),
    finding("address-silent", "address-no-answer"),
    finding("any-usage", "any-extended-key-usage"),
    finding("archive", "unsupported-archive"),
    finding("block-not-covered", "names-not-covered"),
    finding("block-without-certificate", "block-has-no-certificate"),
    finding("broken-before", "previous-files-broken"),
    finding("ca-not-confirmed", "ca-rule-unconfirmed"),
    finding("caa-allows-in-part", "caa-allows-some"),
    finding("caa-limits", "caa-needs-ca"),
    finding("caa-terms", "caa-parameters"),
    finding("child-zone-shadows", "child-zone-hides-record"),
    finding("client-auth-lost", "client-auth-removed"),
    finding("cname-beside-other-data", "cname-conflicts-with-records"),
    finding("crl-of-others", "crl-other-issuer"),
    finding("dashes", "wrong-dashes"),
    finding("dnssec-ds-of-another-key", "dnssec-ds-mismatch"),
    finding("drift-not-named", "drift-not-configured"),
    finding("drift-not-proven", "drift-unverified"),
    finding("email-not-taken", "email-not-accepted"),
    finding("email-proof-ended", "email-dcv-ended"),
    finding("email-proof-ends", "email-dcv-ends"),
    finding("file-not-there", "file-not-found"),
    finding("file-of-another-request", "file-from-another-request"),
    finding("folder-gone", "folder-missing"),
    finding("folder-holds-more", "folder-not-empty"),
    finding("host-silent", "host-no-answer"),
    finding("intermediate-ends-first", "intermediate-expires-first"),
    finding("issuer-here", "issuer-found"),
    finding("key-here", "key-found"),
    finding("key-owner", "key-wrong-owner"),
    finding("key-readable", "key-readable-by-others"),
    finding("key-sent", "key-in-delivery"),
    finding("label", "pem-label"),
    finding("link", "symlink"),
    finding("mail-not-found-out", "mail-lookup-failed"),
    finding("more", "more-findings"),
    finding("naked-base64", "bare-base64"),
    finding("name-not-issued", "name-missing-in-certificate"),
    finding("name-twice", "duplicate-server-name"),
    finding("no-key", "key-missing"),
    finding("no-route", "unreachable-from-here"),
    finding("not-asked", "not-probed"),
    finding("not-finished", "follow-up-failed"),
    finding("not-ours", "no-matching-key"),
    finding("not-prepared", "request-not-prepared"),
    finding("not-proven", "not-verified-live"),
    finding("not-readable", "keys-unreadable"),
    finding("nothing-before", "no-previous-version"),
    finding("odd-key-kind", "unsupported-key-type"),
    finding("odd-modulus", "invalid-modulus"),
    finding("odd-serial", "invalid-serial"),
    finding("odd-spaces", "unusual-whitespace"),
    finding("older", "older-certificate"),
    finding("other-bag", "other-pkcs12-content"),
    finding("other-block", "other-pem-block"),
    finding("other-data-in-the-way", "records-conflict-with-cname"),
    finding("other-method", "unsupported-compression"),
    finding("other-unique-value", "wrong-unique-value"),
    finding("other-value", "wrong-value"),
    finding("packed", "still-archived"),
    finding("pair-unreadable", "certificate-unreadable"),
    finding("passed-over", "skipped"),
    finding("record-of-another-domain", "record-for-another-domain"),
    finding("record-of-another-request", "record-from-another-request"),
    finding("record-too-low", "record-below-domain"),
    finding("reload-half-taken", "reload-partial"),
    finding("reload-not-taken", "reload-no-effect"),
    finding("resolver-remembers", "resolver-cached-absence"),
    finding("root-here", "root-found"),
    finding("root-left-out", "root-omitted"),
    finding("rule-no-email", "rule-email-dcv-ends"),
    finding("same-name", "duplicate-cert-name"),
    finding("served-differs", "served-certificate-differs"),
    finding("served-elsewhere", "configured-elsewhere"),
    finding("served-otherwise", "new-certificate-not-served"),
    finding("server-closed", "server-connection-refused"),
    finding("server-left-out", "server-skipped"),
    finding("server-not-told", "server-not-included"),
    finding("servers-not-asked", "servers-not-queried"),
    finding("shows-nothing", "path-missing"),
    finding("still-named", "still-configured"),
    finding("term-ends", "order-term-ends"),
    finding("token-of-another-order", "token-from-another-order"),
    finding("too-many-rounds", "too-many-iterations"),
    finding("trust-differs", "trust-stores-disagree"),
    finding("underscore", "underscore-in-name"),
    finding("unusual-key-kind", "unusual-key-type"),
    finding("value-of-another-request", "value-from-another-request"),
    finding("web-server-silent", "web-server-no-answer"),
    finding("wrong-key-kind", "wrong-key-type"),
    finding("wrong-label", "wrong-pem-label"),
    finding("www-drops-out", "www-will-be-dropped"),
    code(CodeKind::RecordCaa, "in-part", "some"),
    code(CodeKind::State, "key-alone", "unused-key"),
    code(CodeKind::RecordCaa, "limited", "needs-ca"),
    code(CodeKind::State, "no-key", "key-missing"),
    code(CodeKind::RecordCaa, "not-asked", "not-queried"),
    code(CodeKind::Verdict, "not-taken-back", "rollback-failed"),
    code(CodeKind::RecordCaa, "on-terms", "with-parameters"),
    code(CodeKind::Verdict, "taken-back", "rolled-back"),
    renamed(RenamedKind::Command, "remove", "forget"),
    renamed(RenamedKind::Field, "ends", "expires"),
    renamed(RenamedKind::Field, "or_at", "also_at"),
    renamed(RenamedKind::Field, "passed_over", "skipped"),
    renamed(RenamedKind::Field, "proof_until", "dcv_reusable_until"),
    renamed(RenamedKind::Field, "proves", "validates"),
    renamed(RenamedKind::Field, "rounds", "renewals"),
    renamed(RenamedKind::Field, "taken_back", "rolled_back"),
    renamed(RenamedKind::Option("csr"), "--from", "--like"),
];
