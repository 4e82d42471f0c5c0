//! Decides the files of a web site: the server block that redirects to https, terminates TLS and
//! passes requests on or serves files. Pure: what exists is a value, and so is what is written.

pub(crate) mod adoption;
pub(crate) mod application;
pub(crate) mod content;
pub(crate) mod diff;
pub(crate) mod managed_file;
pub(crate) mod nginx_site;
pub(crate) mod plan;

pub(crate) use content::{SiteContent, UpstreamUrl};
