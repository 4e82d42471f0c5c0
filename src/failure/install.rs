//! Advice for `install`.
