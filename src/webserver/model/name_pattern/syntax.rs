//! The parts of a regular expression, and sets of bytes.

/// Whether upper and lower case letters are equal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LetterCase {
    Matters,
    Ignored,
}

/// A part of a regular expression.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// One byte of a set.
    Set(ByteSet),
    /// A position.
    At(Anchor),
    /// One after the other.
    Sequence(Vec<Self>),
    /// Any of them.
    Alternatives(Vec<Self>),
    Repeat {
        node: Box<Self>,
        least: usize,
        most: Option<usize>,
    },
    /// What follows matches this.
    Ahead(Box<Self>),
    /// What follows does not match this.
    NotAhead(Box<Self>),
}

/// A position in a host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Anchor {
    Start,
    End,
    WordBoundary,
    NoWordBoundary,
}

/// A set of byte values, or of positions in a host.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct ByteSet([u128; 2]);

impl ByteSet {
    pub(super) fn of(value: u8) -> Self {
        let mut set = Self::default();
        set.insert(value);
        set
    }

    pub(super) fn insert(&mut self, value: u8) {
        self.0[usize::from(value >> 7)] |= 1 << (value & 127);
    }

    pub(super) fn contains(&self, value: u8) -> bool {
        self.0[usize::from(value >> 7)] & (1 << (value & 127)) != 0
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    pub(super) fn complement(self) -> Self {
        Self([!self.0[0], !self.0[1]])
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The values in ascending order; takes as long as there are values.
    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let half = usize::from(left[0] == 0);
            let lowest = u8::try_from(left[half].trailing_zeros()).ok()?;
            // Clears the lowest bit; there is none when both halves are empty.
            left[half] &= left[half].checked_sub(1)?;
            Some(if half == 0 { lowest } else { lowest + 128 })
        })
    }
}

/// Returns whether `\w` matches a byte.
pub(super) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
