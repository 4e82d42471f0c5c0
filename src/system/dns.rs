//! dns: to come.
