//! Talks to an ACME CA: the crate instant-acme over certctl's own HTTP client, which checks status and
//! content type first, bounds every answer and wait, and keeps what the crate drops: when the CA asks
//! to come back, and the error of an answer that is not JSON. Accounts are created here, because the
//! crate would make the key itself (see `acme::registration`).
//!
//! What was found in instant-acme 0.8.5, and is handled here:
//!
//! * it ends the process if `Retry-After` is a huge number: `transport` bounds the header;
//! * it drops the wait that an error asks for: `transport` keeps it;
//! * it reports a page of a load balancer as a JSON error without the status: the HTTP client
//!   checks status and content type before the crate sees the answer;
//! * it does not check tokens, which become file names: `acme::token` does;
//! * it drops the terms of service and the need for an external account: `directory` reads them;
//! * its waits cannot be interrupted: it is only asked for single steps, and `ordering` waits.

mod directory;
mod error;
mod order;
mod requests;
mod transport;

pub(crate) use self::directory::AcmeDirectory;
pub(crate) use self::error::{AcmeError, AcmeProblem};
pub(crate) use self::order::{
    AcmeOrder, AcmeSession, ChallengeMethod, OrderStage, PendingChallenge, WantedOrder,
};
pub(crate) use self::requests::{NONCE_TRIES, NewAccountTerms, RevocationRequest, SigningAccount};
