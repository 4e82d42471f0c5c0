//! The files that `bundle` gives out: which, where, how locked. All are made, written under
//! temporary names and read back before the first replaces anything.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::context::Context;
use crate::delivery::DeliveryInput;
use crate::export::{
    self, ExportError, ExportFormat, ExportSource, ExportTarget, OverwriteLoss, Pkcs12Protection,
    Pkcs12Strength,
};
use crate::failure::{Failure, FailureKind};
use crate::finding::{NextStep, shell_word};
use crate::inputs::folder::FILE_LIMIT;
use crate::inputs::{InputReader, MatchedCertificate};
use crate::pki::key::PublicKeyId;
use crate::system::fs::files::{self, StagedFile};
use crate::system::terminal::{self, AskError};

/// What is given out.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct OutputArgs {
    /// Where the one format goes; - is stdout [default: NAME.fullchain.pem and the like, in the
    /// directory]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// A format to write (may be repeated) [default: pem]
    #[arg(long = "format", value_name = "FORMAT")]
    pub formats: Vec<ExportFormat>,
    /// A server: its formats are written, and the lines of its configuration shown (may be
    /// repeated)
    #[arg(long = "for", value_name = "TARGET")]
    pub targets: Vec<ExportTarget>,
    /// A .pfx that old Windows and Java read: triple DES and SHA-1
    #[arg(long)]
    pub legacy: bool,
    /// The password of the .pfx is the first line of this file [default: asked for]
    #[arg(long, value_name = "FILE")]
    pub pfx_password_file: Option<PathBuf>,
    /// A .pfx with the empty password
    #[arg(long, conflicts_with = "pfx_password_file")]
    pub pfx_empty_password: bool,
}

impl OutputArgs {
    /// Each format once, in the order in which it was asked for.
    pub(super) fn wanted(&self) -> Vec<ExportFormat> {
        let asked = self
            .formats
            .iter()
            .chain(self.targets.iter().flat_map(|target| target.formats()));
        let mut wanted: Vec<ExportFormat> = Vec::new();
        for format in asked {
            if !wanted.contains(format) {
                wanted.push(*format);
            }
        }
        if wanted.is_empty() {
            vec![ExportFormat::Pem]
        } else {
            wanted
        }
    }

    /// True when the private key is in one of them.
    pub(super) fn with_key(&self) -> bool {
        self.wanted().iter().any(|format| format.holds_key())
    }

    /// True when the one format goes to stdout.
    pub(super) fn printed(&self) -> bool {
        self.out.as_deref() == Some(Path::new("-"))
    }

    /// What all that is asked for can be locked with.
    fn strength(&self) -> Pkcs12Strength {
        let legacy = self
            .targets
            .iter()
            .any(|target| target.strength() == Pkcs12Strength::Legacy);
        if self.legacy || legacy {
            Pkcs12Strength::Legacy
        } else {
            Pkcs12Strength::Modern
        }
    }

    /// What cannot be meant.
    pub(super) fn check(&self, json: bool) -> Result<(), Failure> {
        let wanted = self.wanted();
        let usage = |message: String, step: &str| {
            Err(Failure::new(FailureKind::Usage, message).with(NextStep::say(step)))
        };
        match wanted.as_slice() {
            [one] if self.printed() && one.holds_key() => usage(
                format!(
                    "{} holds the private key, which goes only into files",
                    one.name()
                ),
                "name a file:  --out FILE",
            ),
            [_, _, ..] if self.out.is_some() => usage(
                format!("--out takes one format, and {} are asked for", wanted.len()),
                "leave --out away: each gets its own name in the directory",
            ),
            _ if self.printed() && json => usage(
                "--out - and --json both want stdout".into(),
                "name a file:  --out FILE",
            ),
            _ if self.legacy && !wanted.contains(&ExportFormat::Pfx) => usage(
                "--legacy is about a .pfx, and none is asked for".into(),
                "ask for one:  --format pfx --legacy",
            ),
            _ => Ok(()),
        }
    }

    /// The password of the `.pfx`, where one is asked for: the file's first line, else typed twice.
    pub(super) fn password(&self, context: &Context) -> Result<Option<Zeroizing<String>>, Failure> {
        if !self.wanted().contains(&ExportFormat::Pfx) {
            return Ok(None);
        }
        if self.pfx_empty_password {
            return Ok(Some(Zeroizing::default()));
        }
        let password = match &self.pfx_password_file {
            Some(path) => first_line(path)?,
            None => typed_twice(context)?,
        };
        if password.is_empty() {
            return Err(Failure::new(
                FailureKind::Malformed,
                "the password for the new .pfx is empty",
            )
            .because("Windows and Java ask for one when they read it")
            .with(NextStep::say(
                "if that is what you want:  --pfx-empty-password",
            )));
        }
        Ok(Some(password))
    }

    /// What to do with the files, for each server that was named.
    pub(super) fn steps(
        &self,
        name: &str,
        written: &[OutputFile],
        key: Option<&Path>,
    ) -> Vec<NextStep> {
        let wanted = Cell::new(None);
        let path = |word: &str| {
            if word == "key" && key.is_none() {
                wanted.set(Some(format!("{name}.key")));
            }
            let path = match word {
                "key" => key.map(|path| path.display().to_string()),
                word => written
                    .iter()
                    .find(|one| one.format.name() == word)
                    .map(|one| one.path.display().to_string()),
            };
            shell_word(&path.unwrap_or_else(|| format!("{name}.key")))
        };
        let steps = self
            .targets
            .iter()
            .flat_map(|target| target.steps(name, path));
        let mut next: Vec<NextStep> = steps
            .map(|(text, lines)| NextStep::say(text).pasting(lines))
            .collect();
        if let Some(file) = wanted.take() {
            next.push(NextStep::say(format!(
                "{file} is its private key, which is not here; if it came with the certificate:  \
                    --extract-key"
            )));
        }
        next
    }
}

fn first_line(path: &Path) -> Result<Zeroizing<String>, Failure> {
    const LIMIT: u64 = 4096;
    let bytes = Zeroizing::new(files::read_named(path, LIMIT)?);
    let line = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|_| {
        Failure::new(
            FailureKind::Malformed,
            format!("the first line of {} is not UTF-8", path.display()),
        )
        .because("it is the password for the new .pfx (--pfx-password-file)")
        .with(NextStep::say("write the password anew, as UTF-8 text"))
    })?;
    Ok(Zeroizing::new(line.trim_end_matches('\r').to_owned()))
}

fn typed_twice(context: &Context) -> Result<Zeroizing<String>, Failure> {
    context
        .interrupt
        .listen()
        .map_err(|error| Failure::of(FailureKind::Internal, &error))?;
    let ask = |prompt: &str| match terminal::ask_password(prompt, &context.interrupt) {
        Err(AskError::NoTerminal) => Err(Failure::from(ExportError::NoPassword(ExportFormat::Pfx))),
        other => Ok(other?),
    };
    let password = ask("password for the new .pfx (not shown): ")?;
    if ask("the same again: ")? != password {
        return Err(Failure::new(
            FailureKind::Malformed,
            "the two passwords differ; nothing was written",
        )
        .with(NextStep::say(
            "run it again, or put the password into a file:  --pfx-password-file FILE",
        )));
    }
    Ok(password)
}

#[derive(Debug)]
pub(crate) struct OutputFile {
    pub format: ExportFormat,
    pub path: PathBuf,
    /// False when it was there already, the same.
    pub changed: bool,
}

/// What is given out of `taken`.
pub(super) fn pair(taken: &MatchedCertificate) -> ExportSource<'_> {
    let key = taken.key.as_ref().map(|(_, key)| key);
    ExportSource {
        name: &taken.stem,
        chain: &taken.assembly.chain,
        key,
        looked: &taken.looked,
    }
}

/// Everything that is asked for, of every pair: made, staged and read back first, then put in
/// place.
pub(super) fn write(
    context: &Context,
    args: &OutputArgs,
    all: &[MatchedCertificate],
    reading: &InputReader,
) -> Result<Vec<Vec<OutputFile>>, Failure> {
    let password = args.password(context)?;
    let strength = args.strength();
    let protection = password
        .as_deref()
        .map(|password| Pkcs12Protection { password, strength });
    let mut staged = Vec::new();
    for taken in all {
        let one = |&format: &ExportFormat| {
            let own = || context.here(format!("{}.{}", taken.stem, format.extension()));
            stage(
                args.out.clone().unwrap_or_else(own),
                format,
                pair(taken),
                protection,
                reading,
            )
        };
        staged.push(
            args.wanted()
                .iter()
                .map(one)
                .collect::<Result<Vec<_>, _>>()?,
        );
    }
    let place = |(output, staged): (OutputFile, Option<StagedFile>)| {
        staged.map_or(Ok(()), |staged| staged.replace())?;
        Ok(output)
    };
    staged
        .into_iter()
        .map(|outputs| outputs.into_iter().map(place).collect())
        .collect()
}

/// Nothing is staged where the same is there already.
fn stage(
    path: PathBuf,
    format: ExportFormat,
    pair: ExportSource<'_>,
    protection: Option<Pkcs12Protection<'_>>,
    reading: &InputReader,
) -> Result<(OutputFile, Option<StagedFile>), Failure> {
    let bytes = export::render(format, pair, protection)?;
    let mode = format.mode();
    if files::occupied(&path) {
        let before = Zeroizing::new(files::read(&path, FILE_LIMIT)?);
        // A .pfx is another each time: what counts is what is in it, and how it is locked.
        let same = before == bytes
            || format == ExportFormat::Pfx
                && export::read_back(format, &before, pair, protection).is_ok();
        if same && (files::mode(&path)? == mode || !format.holds_key()) {
            return Ok((
                OutputFile {
                    format,
                    path,
                    changed: false,
                },
                None,
            ));
        }
        let kept = pair.key.filter(|_| format.holds_key()).map(|key| key.id());
        match export::loss(
            &before,
            kept,
            protection.map(|protection| protection.password),
        ) {
            OverwriteLoss::Nothing => {}
            OverwriteLoss::Key => return Err(stays(&path, "holds a private key")),
            OverwriteLoss::Unknown => replaceable(&path, &before, kept, reading)?,
        }
    }
    let staged = files::stage(&path, &bytes, mode)?;
    let written = Zeroizing::new(staged.read_back(FILE_LIMIT)?);
    export::read_back(format, &written, pair, protection)?;
    Ok((
        OutputFile {
            format,
            path,
            changed: true,
        },
        Some(staged),
    ))
}

/// What is locked with another password than the new one is opened with that, given or asked for,
/// to see its key.
fn replaceable(
    path: &Path,
    before: &[u8],
    kept: Option<PublicKeyId>,
    reading: &InputReader,
) -> Result<(), Failure> {
    let found = reading.open(&[DeliveryInput::new(
        path.display().to_string(),
        before.to_vec(),
    )])?;
    match export::loss_of(&found, kept) {
        OverwriteLoss::Nothing => Ok(()),
        OverwriteLoss::Key => Err(stays(path, "holds a private key")),
        OverwriteLoss::Unknown => Err(stays(path, "is locked with another password")
            .because("the key in it may be the only one of its kind")
            .with(NextStep::say(
                "to replace it if it holds the same key, give its password:  --password-file FILE",
            ))),
    }
}

fn stays(path: &Path, why: &str) -> Failure {
    let word = shell_word(&path.display().to_string());
    Failure::new(
        FailureKind::Exists,
        format!("{} {why} and is not overwritten", path.display()),
    )
    .with(NextStep::say(format!(
        "name another file:  --out FILE  or move this one away:  mv {word} {}",
        shell_word(&format!("{}.old", path.display()))
    )))
}
