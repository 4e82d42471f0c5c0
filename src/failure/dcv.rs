//! Advice for `dcv`.
