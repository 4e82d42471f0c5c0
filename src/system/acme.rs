//! Talks to an ACME CA: the crate instant-acme over certctl's own HTTP client, which checks status and
//! content type first, bounds every answer and wait, and keeps what the crate drops: when the CA asks
//! to come back, and the error of an answer that is not JSON. Accounts are created here, because the
//! crate would make the key itself (see `acme::registration`).

mod directory;
mod error;
mod order;
mod transport;

pub(crate) use self::directory::{AcmeDirectory, NewAccountTerms};
pub(crate) use self::error::{AcmeError, AcmeProblem};
pub(crate) use self::order::{
    AcmeOrder, AcmeSession, ChallengeMethod, OrderStage, PendingChallenge,
};
