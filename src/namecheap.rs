//! Namecheap's API for certificates (namecheap.com/support/api/methods/ssl, read 2026-11): its calls as
//! values, and its answers as types. Nothing here sends anything.
//!
//! The API answers with status 200 and a document that says `Status="ERROR"`. Its documentation is not
//! consistent with itself: the sample of `ssl.getInfo` is not well-formed, the record is in `DNS`
//! elements after an activation and directly in `DNSDCValidation` after `ssl.editDCVMethod`, and the
//! methods of validation have two spellings. Hence a tolerant reader, and no rule about upper and lower
//! case.

mod account;
mod answer;
mod call;
mod faults;
mod status;
mod xml;

pub(crate) use self::account::{API_URL, ApiAccount, TITLE, credentials_table};
pub(crate) use self::answer::{
    CertificateInfo, ListedCertificate, NamecheapFault, PurchasedCertificate, ReplyError,
    ResellerRecord, StartedCertificate, parse_certificate_info, parse_list, parse_purchase,
    parse_records, parse_started, read_reply,
};
pub(crate) use self::call::{
    CertificateId, IssueRequest, NamecheapCall, PurchaseTerm, activate, create, edit_dcv_method,
    get_info, get_list, reissue, resend_approver_email,
};
pub(crate) use self::faults::{FaultKind, fault_kind};
pub(crate) use self::status::CertificateStatus;
pub(crate) use self::xml::XmlElement;
