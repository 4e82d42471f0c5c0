//! Reads files for every command, with the password of what is encrypted, from a file or from the
//! terminal. It asks only on a terminal, only for what is needed, and at most three times.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::advice::inputs as advice;
use crate::context::Context;
use crate::delivery::{
    CaDelivery, DecryptError, DeliveryInput, DeliveryLimits, EncryptedKey, FoundItem, ItemSource,
    Passphrase, UnusedContent,
};
use crate::failure::{Failure, FailureKind};

use crate::inputs::folder;
use crate::matching::HeldFile;
use crate::pki::key::PrivateKey;
use crate::report;
use crate::system::fs::files;
use crate::system::signals::InterruptSignal;
use crate::system::terminal;

/// How often the user is asked for a password.
const TRIES: usize = 3;

/// How what is locked is opened.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct PasswordArgs {
    /// The password of what is locked (zip, key, .pfx) is the first line of this file [default:
    /// asked for on a terminal]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// Reads files, and keeps the password that was passed or typed.
#[derive(Debug)]
pub(crate) struct InputReader {
    /// None until one is known.
    passphrase: RefCell<Option<Passphrase>>,
    /// Whether the password is that of `--password-file`: then the user is not asked.
    given: bool,
    interrupt: InterruptSignal,
}

impl InputReader {
    /// With the password of `--password-file`, where it is given.
    ///
    /// # Errors
    /// When that file cannot be read.
    pub(crate) fn new(context: &Context, args: &PasswordArgs) -> Result<Self, Failure> {
        let passphrase = args.password_file.as_deref().map(first_line).transpose()?;
        let given = passphrase.is_some();
        Ok(Self {
            passphrase: RefCell::new(passphrase),
            given,
            interrupt: context.interrupt.clone(),
        })
    }

    /// Reads all inputs as one bag. For zips and `.pfx` files that are locked a password is asked
    /// for.
    ///
    /// # Errors
    /// As [`CaDelivery::read`], and a signal while a password was asked for.
    pub(crate) fn read_inputs(&self, inputs: &[DeliveryInput]) -> Result<CaDelivery, Failure> {
        let mut delivery = self.open_with_known_password(inputs)?;
        for _ in 0..TRIES {
            let locked = delivery.ignored.iter().find(|ignored| {
                ignored.content.is_locked() && ignored.content != UnusedContent::EncryptedKey
            });
            let Some(locked) = locked else {
                break;
            };
            if !self.ask_for_password(&locked.source.to_string())? {
                break;
            }
            delivery = self.open_with_known_password(inputs)?;
        }
        Ok(delivery)
    }

    fn open_with_known_password(&self, inputs: &[DeliveryInput]) -> Result<CaDelivery, Failure> {
        let passphrase = self.passphrase.borrow();
        let delivery = CaDelivery::read_with_passphrase(
            inputs,
            &DeliveryLimits::default(),
            passphrase.as_ref(),
        )?;
        Ok(delivery)
    }

    /// Reads one file, or stdin for `-`.
    ///
    /// # Errors
    /// When it cannot be read or exceeds a bound; holding nothing of use is no error.
    pub(crate) fn read_file(&self, path: &Path) -> Result<CaDelivery, Failure> {
        self.read_inputs(&[folder::read_input(path)?])
    }

    /// The same where its keys are what counts: what is locked in it is opened, or its password
    /// asked for.
    ///
    /// # Errors
    /// As [`Self::read_file`].
    pub(crate) fn read_key_file(
        &self,
        path: &Path,
    ) -> Result<(CaDelivery, Option<DecryptError>), Failure> {
        let mut delivery = self.read_file(path)?;
        let locked: Vec<_> = delivery
            .encrypted_keys
            .iter()
            .map(|one| HeldFile {
                path: path.to_owned(),
                value: one.value.clone(),
            })
            .collect();
        let (keys, why) = self.keys(&locked)?;
        if !keys.is_empty() {
            delivery
                .decrypted_key_ids
                .extend(keys.iter().map(|key| key.value.id()));
            let source = ItemSource {
                input: path.display().to_string(),
                entry: None,
            };
            delivery.keys.extend(keys.into_iter().map(|key| FoundItem {
                value: key.value,
                source: source.clone(),
            }));
            delivery.ignored.retain(|one| !one.content.is_locked());
        }
        Ok((delivery, why))
    }

    /// The keys among `locked` that the password opens, and why the last one stays locked where
    /// none does.
    ///
    /// # Errors
    /// A signal while a password was asked for.
    pub(crate) fn keys(
        &self,
        locked: &[HeldFile<EncryptedKey>],
    ) -> Result<(Vec<HeldFile<PrivateKey>>, Option<DecryptError>), Failure> {
        let (mut keys, mut why) = self.opened(locked);
        let Some(first) = locked.first() else {
            return Ok((keys, why));
        };
        for _ in 0..TRIES {
            let locked_by_another = matches!(why, None | Some(DecryptError::Wrong));
            if !keys.is_empty()
                || !locked_by_another
                || !self.ask_for_password(&first.path.display().to_string())?
            {
                break;
            }
            (keys, why) = self.opened(locked);
        }
        Ok((keys, why))
    }

    /// A password to lock `what` with: that of `--password-file`, else typed twice.
    ///
    /// # Errors
    /// No terminal to ask on, two passwords that differ, an empty one, a signal.
    pub(crate) fn choose_password(&self, what: &str) -> Result<Passphrase, Failure> {
        if let Some(given) = self.passphrase.borrow().as_ref().filter(|_| self.given) {
            return Ok(given.clone());
        }
        if !files::stdin_is_terminal() {
            return Err(Failure::new(
                FailureKind::Usage,
                format!(
                    "{what} is to be locked, and there is no terminal to ask for a password on"
                ),
            )
            .with_step(advice::pass_password_file()));
        }
        self.listen_for_signals()?;
        let typed = terminal::ask_password(
            &format!("new password for {what} (not shown): "),
            &self.interrupt,
        )?;
        let again = terminal::ask_password("the same again: ", &self.interrupt)?;
        let problem = if typed.is_empty() {
            "the password is empty"
        } else if *typed != *again {
            "the two passwords differ"
        } else {
            return Ok(Passphrase::new(typed.as_bytes().to_vec()));
        };
        Err(Failure::new(
            FailureKind::Malformed,
            format!("{problem}; nothing was written"),
        )
        .with_step(advice::pass_password_file()))
    }

    /// Makes a signal end the question for a password.
    fn listen_for_signals(&self) -> Result<(), Failure> {
        self.interrupt
            .listen()
            .map_err(|error| Failure::from_error(FailureKind::Internal, &error))
    }

    /// The keys that the known password opens, and why the last one stays locked.
    fn opened(
        &self,
        locked: &[HeldFile<EncryptedKey>],
    ) -> (Vec<HeldFile<PrivateKey>>, Option<DecryptError>) {
        let passphrase = self.passphrase.borrow();
        let mut keys = Vec::new();
        let mut last_error = None;
        let Some(passphrase) = passphrase.as_ref() else {
            return (keys, last_error);
        };
        for held in locked {
            match held.value.decrypt(passphrase) {
                Ok(value) => keys.push(HeldFile {
                    path: held.path.clone(),
                    value,
                }),
                Err(error) => last_error = Some(error),
            }
        }
        (keys, last_error)
    }

    /// Asks for the password of `what`; returns whether one was typed.
    fn ask_for_password(&self, what: &str) -> Result<bool, Failure> {
        if self.given || !files::stdin_is_terminal() {
            return Ok(false);
        }
        let again = if self.passphrase.borrow().is_some() {
            "that was not it; "
        } else {
            ""
        };
        let what = report::escape(what, &[]);
        let prompt = format!("{again}password of {what} (not shown): ");
        self.listen_for_signals()?;
        let typed = terminal::ask_password(&prompt, &self.interrupt)?;
        if typed.is_empty() {
            return Ok(false);
        }
        *self.passphrase.borrow_mut() = Some(Passphrase::new(typed.as_bytes().to_vec()));
        Ok(true)
    }
}

/// The first line of a file without its line end, whatever its mode.
fn first_line(path: &Path) -> Result<Passphrase, Failure> {
    const LIMIT: u64 = 4096;
    let bytes = Zeroizing::new(files::read_named(path, LIMIT)?);
    let line = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(Failure::new(
            FailureKind::Malformed,
            format!("the first line of {} is empty", path.display()),
        )
        .because("it is where the password is looked for")
        .with_step(advice::write_password_first()));
    }
    Ok(Passphrase::new(line.to_vec()))
}
