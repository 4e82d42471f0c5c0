//! Advice for `delivery`.
