//! Pseudo-random numbers that are the same in every run with the same seed.

/// The variable that overrides the seed of a test.
const SEED: &str = "CERTCTL_TEST_SEED";

/// A linear congruential generator (Knuth's MMIX constants).
pub struct Generator {
    seed: u64,
    state: u64,
}

impl Generator {
    /// Starts with `CERTCTL_TEST_SEED`, or with `default` if that variable is not set.
    pub fn new(default: u64) -> Self {
        let given = std::env::var(SEED).ok();
        let parse = |text: String| {
            text.parse()
                .unwrap_or_else(|_| panic!("{SEED} is {text:?}, which is not a number"))
        };
        let seed = given.map_or(default, parse);
        Self { seed, state: seed }
    }

    /// Returns a number from 0 to `limit` - 1.
    pub fn below(&mut self, limit: usize) -> usize {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.state >> 33).unwrap() % limit
    }

    /// Returns the command that runs a test again with the same numbers, for the message of a
    /// failure.
    pub fn repeat(&self, file: &str, test: &str) -> String {
        format!(
            "seed {seed}; to repeat it:\n  {SEED}={seed} cargo test --locked --test {file} {test}",
            seed = self.seed
        )
    }
}
