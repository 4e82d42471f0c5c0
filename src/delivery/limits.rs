//! The limits of a delivery, the remaining budget, and the errors when it is exceeded.

use super::source::ItemSource;

/// The longest RSA key of a certificate that is used, in bits: every client refuses longer ones.
pub(crate) const LONGEST_RSA: usize = 16_384;

/// Limits beyond which a delivery is treated as hostile. They apply to each input of
/// [`CaDelivery::read`](super::CaDelivery::read), and to what is actually read, not to what a
/// header declares. All inputs of one call together may have [`INPUTS_TOGETHER`] times as much.
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
    /// Iterations of key derivation for encrypted content of all inputs together, each one or two
    /// hashes; limits the time.
    pub derivation_iterations: u64,
}

/// How many times the limits of one input all inputs together may reach: enough for the zip files
/// of 10,000 sites in one run, each with ten files.
pub(crate) const INPUTS_TOGETHER: u32 = 100;

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

/// An amount that was read, of the current input and of all inputs so far.
struct SpentAmount {
    here: u64,
    total: u64,
    /// The limit for one input.
    limit: u64,
}

/// Which limit an amount exceeds.
enum ExceededLimit {
    OfInput,
    OfAllInputs,
}

impl SpentAmount {
    fn new(limit: u64) -> Self {
        Self {
            here: 0,
            total: 0,
            limit,
        }
    }

    fn spend(&mut self, amount: u64) -> Result<(), ExceededLimit> {
        self.here = self.here.saturating_add(amount);
        self.total = self.total.saturating_add(amount);
        if self.here > self.limit {
            return Err(ExceededLimit::OfInput);
        }
        if self.total > self.limit_of_all() {
            return Err(ExceededLimit::OfAllInputs);
        }
        Ok(())
    }

    fn limit_of_all(&self) -> u64 {
        self.limit.saturating_mul(INPUTS_TOGETHER.into())
    }

    /// What the current input may still have.
    fn left(&self) -> u64 {
        self.limit.saturating_sub(self.here)
    }
}

/// What remains of each limit.
pub(super) struct ReadBudget<'a> {
    limits: &'a DeliveryLimits,
    entries: SpentAmount,
    inflated: SpentAmount,
    blocks: SpentAmount,
    pub work: KeyDerivationBudget,
}

impl<'a> ReadBudget<'a> {
    pub(super) fn new(limits: &'a DeliveryLimits) -> Self {
        Self {
            limits,
            entries: SpentAmount::new(count(limits.entries)),
            inflated: SpentAmount::new(limits.inflated),
            blocks: SpentAmount::new(count(limits.blocks)),
            work: KeyDerivationBudget(limits.derivation_iterations),
        }
    }

    /// Starts an input, which has the whole limit of one input.
    pub(super) fn start_input(&mut self) {
        for amount in [&mut self.entries, &mut self.inflated, &mut self.blocks] {
            amount.here = 0;
        }
    }

    pub(super) fn spend_block(&mut self, source: &ItemSource) -> Result<(), DeliveryError> {
        self.blocks.spend(1).map_err(|exceeded| match exceeded {
            ExceededLimit::OfInput => {
                DeliveryError::TooManyBlocks(source.clone(), self.limits.blocks)
            }
            ExceededLimit::OfAllInputs => {
                let limit = self.blocks.limit_of_all();
                DeliveryError::TooMuchTogether(format!("{limit} certificates and other blocks"))
            }
        })
    }

    pub(super) fn spend_entries(
        &mut self,
        source: &ItemSource,
        entries: usize,
    ) -> Result<(), DeliveryError> {
        let spent = self.entries.spend(count(entries));
        spent.map_err(|exceeded| match exceeded {
            ExceededLimit::OfInput => {
                DeliveryError::TooManyEntries(source.clone(), self.limits.entries)
            }
            ExceededLimit::OfAllInputs => {
                let limit = self.entries.limit_of_all();
                DeliveryError::TooMuchTogether(format!("{limit} archived files"))
            }
        })
    }

    pub(super) fn spend_inflated(
        &mut self,
        source: &ItemSource,
        bytes: usize,
    ) -> Result<(), DeliveryError> {
        let spent = self.inflated.spend(count(bytes));
        spent.map_err(|exceeded| match exceeded {
            ExceededLimit::OfInput => DeliveryError::TooLarge(source.clone(), self.limits.inflated),
            ExceededLimit::OfAllInputs => {
                let limit = self.inflated.limit_of_all() / 1024 / 1024;
                DeliveryError::TooMuchTogether(format!("{limit} MiB of unpacked data"))
            }
        })
    }

    pub(super) fn entries_left(&self) -> usize {
        usize::try_from(self.entries.left()).unwrap_or(usize::MAX)
    }

    pub(super) fn inflated_left(&self) -> u64 {
        self.inflated.left()
    }

    pub(super) fn blocks_left(&self) -> usize {
        usize::try_from(self.blocks.left()).unwrap_or(usize::MAX)
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

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
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
    /// All inputs together have too much of something, although none of them has; says how much is
    /// allowed.
    #[error("this run would read more than {0}, all files together")]
    TooMuchTogether(String),
    /// The zip file cannot be read completely; holds the error of the library.
    #[error("the zip file {0} is damaged or truncated: {1}")]
    Zip(ItemSource, String),
}
