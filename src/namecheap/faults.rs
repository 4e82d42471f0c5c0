//! The API's error numbers as data (namecheap.com/support/api/global-parameters and the pages of the
//! methods, read 2026-11).

use super::answer::NamecheapFault;

/// What an error is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FaultKind {
    /// The address of this machine is not allowed.
    Address,
    /// The key is wrong, or the API is not enabled for the account.
    Key,
    /// The user is not known, or may not act on the account.
    User,
    /// Too many calls.
    Rate,
    /// The account's balance is too low.
    Funds,
    /// The call does not fit the state of the certificate.
    Status,
    /// The id is none of the account.
    Certificate,
    /// The name of the product is not known.
    Product,
    /// The CA has refused, or did not answer Namecheap.
    Provider,
    /// An error inside of the API.
    Server,
    Other,
}

/// One error number.
struct FaultNumber {
    number: &'static str,
    kind: FaultKind,
}

static FAULT_NUMBERS: [FaultNumber; 31] = [
    FaultNumber {
        number: "1010105",
        kind: FaultKind::Address,
    },
    FaultNumber {
        number: "1011105",
        kind: FaultKind::Address,
    },
    FaultNumber {
        number: "1011150",
        kind: FaultKind::Address,
    },
    FaultNumber {
        number: "1017105",
        kind: FaultKind::Address,
    },
    FaultNumber {
        number: "1017150",
        kind: FaultKind::Address,
    },
    FaultNumber {
        number: "1010102",
        kind: FaultKind::Key,
    },
    FaultNumber {
        number: "1011102",
        kind: FaultKind::Key,
    },
    FaultNumber {
        number: "1030408",
        kind: FaultKind::Key,
    },
    FaultNumber {
        number: "1050900",
        kind: FaultKind::Key,
    },
    FaultNumber {
        number: "1010101",
        kind: FaultKind::User,
    },
    FaultNumber {
        number: "1016103",
        kind: FaultKind::User,
    },
    FaultNumber {
        number: "1017101",
        kind: FaultKind::User,
    },
    FaultNumber {
        number: "1017103",
        kind: FaultKind::User,
    },
    FaultNumber {
        number: "1019103",
        kind: FaultKind::User,
    },
    FaultNumber {
        number: "500000",
        kind: FaultKind::Rate,
    },
    FaultNumber {
        number: "1017411",
        kind: FaultKind::Rate,
    },
    FaultNumber {
        number: "1017410",
        kind: FaultKind::Funds,
    },
    FaultNumber {
        number: "2011331",
        kind: FaultKind::Status,
    },
    FaultNumber {
        number: "3028330",
        kind: FaultKind::Status,
    },
    FaultNumber {
        number: "4011331",
        kind: FaultKind::Status,
    },
    FaultNumber {
        number: "2010294",
        kind: FaultKind::Certificate,
    },
    FaultNumber {
        number: "2011294",
        kind: FaultKind::Certificate,
    },
    FaultNumber {
        number: "2013294",
        kind: FaultKind::Certificate,
    },
    FaultNumber {
        number: "2011330",
        kind: FaultKind::Certificate,
    },
    FaultNumber {
        number: "2016330",
        kind: FaultKind::Certificate,
    },
    FaultNumber {
        number: "4011294",
        kind: FaultKind::Certificate,
    },
    FaultNumber {
        number: "4028294",
        kind: FaultKind::Certificate,
    },
    FaultNumber {
        number: "2010301",
        kind: FaultKind::Product,
    },
    FaultNumber {
        number: "2011301",
        kind: FaultKind::Product,
    },
    FaultNumber {
        number: "2012301",
        kind: FaultKind::Product,
    },
    FaultNumber {
        number: "2013301",
        kind: FaultKind::Product,
    },
];

/// Returns what an error is about.
#[must_use]
pub(crate) fn fault_kind(fault: &NamecheapFault) -> FaultKind {
    let message = fault.message.to_ascii_lowercase();
    if message.contains("insufficient") {
        return FaultKind::Funds;
    }
    let mut known = FAULT_NUMBERS.iter();
    if let Some(row) = known.find(|row| row.number == fault.number) {
        return row.kind;
    }
    // The first digit says who has refused.
    match fault.number.as_bytes().first() {
        Some(b'3') => FaultKind::Provider,
        Some(b'4' | b'5') => FaultKind::Server,
        _ => FaultKind::Other,
    }
}
