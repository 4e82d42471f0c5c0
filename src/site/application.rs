//! A Python application behind a site: which object of which module answers requests, how gunicorn
//! runs it, and the service that starts it.

pub(crate) mod account;
pub(crate) mod argument;
pub(crate) mod python_source;
pub(crate) mod recognition;
pub(crate) mod service_file;

pub(crate) use account::ApplicationAccount;
pub(crate) use argument::ApplicationArgument;
pub(crate) use recognition::{Recognition, RecognizedObject, SourceModule, WebInterface};
pub(crate) use service_file::{GunicornCommand, ServiceFile, ServiceManager};
