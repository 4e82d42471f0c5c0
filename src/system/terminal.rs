//! What the user's terminal is told to be like.

/// True when `NO_COLOR` is set to anything (no-color.org).
#[must_use]
pub fn refuses_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
