//! Where things are installed, what an install plans, and how it is done or undone.

pub mod nginx;
pub mod server;
