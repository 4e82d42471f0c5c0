//! One argument that may be a file, a folder, a name known in the working directory, or a host.

use std::path::Path;

use super::host::{self, HostAnswers, HostArgument};
use crate::advice::inputs::name_a_mail_host;
use crate::context::Context;
use crate::delivery::{CaDelivery, FoundItem, IgnoredItem, ItemSource, UnusedContent};
use crate::failure::{Failure, FailureKind};

use crate::inputs::folder::{self, ArgumentMeaning, FolderContents};
use crate::inputs::reader::InputReader;
use crate::matching::MatchingError;
use crate::pki::certificate::Certificate;
use crate::probe::StartTls;
use crate::system::fs::folders;

/// Reads the file, folder, name or host `text`; for a host, also returns its answers.
///
/// # Errors
/// When it cannot be read, or no address of the host sends a certificate.
pub(crate) fn read_any_argument(
    context: &Context,
    reading: &InputReader,
    text: &str,
    starttls: Option<StartTls>,
) -> Result<(CaDelivery, Option<HostAnswers>), Failure> {
    match host_of_argument(context, text, starttls)? {
        Some(server) => {
            let answers = host::probe_host(&server, starttls, &server.name)?;
            Ok((delivery_of(&answers), Some(answers)))
        }
        None => Ok((read(context, reading, text)?, None)),
    }
}

/// Returns the host that `text` means if it is neither a file nor a name known in the working
/// directory; with `--starttls` it can only be a host.
fn host_of_argument(
    context: &Context,
    text: &str,
    starttls: Option<StartTls>,
) -> Result<Option<HostArgument>, Failure> {
    let default = starttls.map_or(443, StartTls::default_port);
    let named = HostArgument::parse(text, default);
    if starttls.is_some() {
        return named.map(Some).ok_or_else(|| {
            Failure::new(
                FailureKind::Usage,
                format!("{text} is not a host, and `--starttls` needs one"),
            )
            .with_step(name_a_mail_host())
        });
    }
    if ArgumentMeaning::from_path(text).is_some() {
        return Ok(None);
    }
    if let Some(host) = HostArgument::with_port(text) {
        return Ok(Some(host));
    }
    match ArgumentMeaning::resolve(text, &FolderContents::read(context)?) {
        Ok(_) => Ok(None),
        Err(MatchingError::Unknown { .. }) if named.is_some() => Ok(named),
        Err(error) => Err(error.into()),
    }
}

/// Reads a file, stdin, the files of a folder, or those of a name known here.
fn read(context: &Context, reading: &InputReader, text: &str) -> Result<CaDelivery, Failure> {
    let here = FolderContents::read(context)?;
    let name = match ArgumentMeaning::resolve(text, &here)? {
        ArgumentMeaning::Stdin => return reading.read_file(Path::new("-")),
        ArgumentMeaning::File(path) if folders::is_folder(&path) => {
            return reading.read_inputs(&folder::read_folder(&path)?);
        }
        ArgumentMeaning::File(path) => return reading.read_file(&path),
        ArgumentMeaning::Name(name) => name,
    };
    let inputs = here
        .paths_named(&name, context.now())
        .into_iter()
        .map(|path| folder::read_input(&path));
    reading.read_inputs(&inputs.collect::<Result<Vec<_>, _>>()?)
}

/// Returns the certificates that a host sends as if they were files; those that cannot be parsed
/// count as damaged.
fn delivery_of(answers: &HostAnswers) -> CaDelivery {
    let mut delivery = CaDelivery::default();
    for answer in &answers.answers {
        let source = ItemSource {
            input: answer.addresses_in_words(),
            entry: None,
        };
        let damaged = answer
            .sent
            .iter()
            .filter(|der| Certificate::from_der(der).is_err());
        delivery.ignored.extend(damaged.map(|_| IgnoredItem {
            content: UnusedContent::DamagedDer,
            source: source.clone(),
        }));
        let read = answer.certificates().into_iter().map(|value| FoundItem {
            value,
            source: source.clone(),
        });
        delivery.certificates.extend(read);
    }
    delivery
}
