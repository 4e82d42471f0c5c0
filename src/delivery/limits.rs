//! The limits of a delivery, the remaining budget, and the errors when it is exceeded.

use super::source::ItemSource;

/// The longest RSA key of a certificate that is used, in bits: every client refuses longer ones.
pub(crate) const LONGEST_RSA: usize = 16_384;

/// Limits beyond which a delivery is treated as hostile. They apply to all inputs of one
/// [`CaDelivery::read`](super::CaDelivery::read) together, and to what is actually read, not to
/// what a header declares.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryLimits {
    /// Entries of zip files.
    pub entries: usize,
    /// Bytes inflated from zip files.
    pub inflated: u64,
    /// Nesting levels of zip files and emails.
    pub depth: usize,
    /// Certificates, requests, keys and other PEM blocks.
    pub blocks: usize,
    /// Iterations of key derivation for encrypted content, each one or two hashes; limits the time.
    pub derivation_iterations: u64,
}

impl Default for DeliveryLimits {
    /// The largest known delivery has about thirty files and 200 KiB. These limits are far above
    /// that, and the worst case within them (10,000 certificates with one name) takes a few
    /// seconds.
    fn default() -> Self {
        Self {
            entries: 1000,
            inflated: 16 * 1024 * 1024,
            depth: 3,
            blocks: 10_000,
            derivation_iterations: 10_000_000,
        }
    }
}

/// The remaining iterations of key derivation.
pub(super) struct KeyDerivationBudget(u64);

impl Default for KeyDerivationBudget {
    fn default() -> Self {
        Self(DeliveryLimits::default().derivation_iterations)
    }
}

impl KeyDerivationBudget {
    /// Spends `iterations` iterations; if fewer are left, spends none and returns `iterations` as
    /// the error.
    pub(super) fn spend(&mut self, iterations: u64) -> Result<(), u64> {
        self.0 = self.0.checked_sub(iterations).ok_or(iterations)?;
        Ok(())
    }
}

/// What remains of each limit.
pub(super) struct ReadBudget<'a> {
    limits: &'a DeliveryLimits,
    entries: usize,
    inflated: u64,
    blocks: usize,
    pub(super) work: KeyDerivationBudget,
}

impl<'a> ReadBudget<'a> {
    pub(super) fn new(limits: &'a DeliveryLimits) -> Self {
        Self {
            limits,
            entries: 0,
            inflated: 0,
            blocks: 0,
            work: KeyDerivationBudget(limits.derivation_iterations),
        }
    }

    pub(super) fn spend_block(&mut self, source: &ItemSource) -> Result<(), DeliveryError> {
        self.blocks += 1;
        let limit = self.limits.blocks;
        if self.blocks > limit {
            Err(DeliveryError::TooManyBlocks(source.clone(), limit))
        } else {
            Ok(())
        }
    }

    pub(super) fn spend_entries(
        &mut self,
        source: &ItemSource,
        count: usize,
    ) -> Result<(), DeliveryError> {
        self.entries = self.entries.saturating_add(count);
        let limit = self.limits.entries;
        if self.entries > limit {
            Err(DeliveryError::TooManyEntries(source.clone(), limit))
        } else {
            Ok(())
        }
    }

    pub(super) fn spend_inflated(
        &mut self,
        source: &ItemSource,
        bytes: usize,
    ) -> Result<(), DeliveryError> {
        self.inflated = self
            .inflated
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        let limit = self.limits.inflated;
        if self.inflated > limit {
            Err(DeliveryError::TooLarge(source.clone(), limit))
        } else {
            Ok(())
        }
    }

    pub(super) fn entries_left(&self) -> usize {
        self.limits.entries.saturating_sub(self.entries)
    }

    pub(super) fn inflated_left(&self) -> u64 {
        self.limits.inflated.saturating_sub(self.inflated)
    }

    pub(super) fn blocks_left(&self) -> usize {
        self.limits.blocks.saturating_sub(self.blocks)
    }

    pub(super) fn allow_depth(
        &self,
        source: &ItemSource,
        depth: usize,
    ) -> Result<(), DeliveryError> {
        let limit = self.limits.depth;
        if depth >= limit {
            Err(DeliveryError::TooDeep(source.clone(), limit))
        } else {
            Ok(())
        }
    }
}

/// Why a delivery cannot be read: the source, and the limit.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DeliveryError {
    /// Two entries of a zip file have the same name, so one hides the other.
    #[error("{0} contains two files with the same name, one of which hides the other")]
    DuplicateNames(ItemSource),
    /// An email with too many parts, nested emails or header fields.
    #[error("{0} is an email with too many parts")]
    MailTooLarge(ItemSource),
    /// Zip files and emails are nested too deeply.
    #[error("{0} contains zip files or emails nested more than {1} levels deep")]
    TooDeep(ItemSource, usize),
    /// The inflated content is too large; the limit is in bytes.
    #[error("{} unpacks to more than {} MiB", .0, .1 / 1024 / 1024)]
    TooLarge(ItemSource, u64),
    /// The delivery has too many blocks.
    #[error("{0} contains more than {1} certificates and other blocks")]
    TooManyBlocks(ItemSource, usize),
    /// The delivery has too many entries.
    #[error("{0} contains more than {1} files")]
    TooManyEntries(ItemSource, usize),
    /// The zip file cannot be read completely; holds the error of the library.
    #[error("the zip file {0} is damaged or truncated: {1}")]
    Zip(ItemSource, String),
}
