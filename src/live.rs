//! Judges a handshake against what is installed.
