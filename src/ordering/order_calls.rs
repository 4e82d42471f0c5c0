//! What an order is, at a CA with ACME and at a reseller: five calls, and one state that decides which
//! of them is next.

use crate::failure::Failure;

/// Where an order is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OrderPhase {
    /// The CA or reseller does not have it.
    Unstarted,
    /// It waits for what proves control of the names.
    Validating,
    /// The CA issues, or its answer is on the way.
    Processing,
    Issued,
    /// It will not be issued.
    Closed,
}

/// The calls of one order.
pub(super) trait OrderCalls {
    /// The record or file of a name, as this API describes it.
    type Proof;

    /// Places the order: a reseller is sent the request, and ACME the names.
    fn start(&mut self) -> Result<(), Failure>;

    /// Returns what proves control of the names.
    fn records(&mut self) -> Result<Vec<Self::Proof>, Failure>;

    /// Makes the CA look for it.
    fn poke(&mut self) -> Result<(), Failure>;

    /// Asks for the state.
    fn poll(&mut self) -> Result<OrderPhase, Failure>;

    /// Downloads the certificate with its intermediates, as PEM.
    fn chain(&mut self) -> Result<String, Failure>;
}
