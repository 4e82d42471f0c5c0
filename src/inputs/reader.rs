//! Reads files for every command, and decrypts them with a password from a file or from the
//! terminal. certctl prompts only on a terminal, only if the password is needed, and at most three
//! times.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::advice::inputs as advice;
use crate::context::Context;
use crate::delivery::{
    CaDelivery, DecryptError, DeliveryInput, DeliveryLimits, EncryptedKey, FoundItem, ItemSource,
    Password, UnusedContent,
};
use crate::failure::{Failure, FailureKind};

use crate::inputs::folder;
use crate::matching::HeldFile;
use crate::pki::key::PrivateKey;
use crate::report;
use crate::system::fs::files::FileIdentity;
use crate::system::fs::stdin;
use crate::system::signals::InterruptSignal;
use crate::system::terminal;

/// How often certctl prompts for a password.
const TRIES: usize = 3;

/// The option for passwords of encrypted files.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct PasswordArgs {
    /// File whose first line is the password of encrypted files (zip, key, .pfx) [default: prompt
    /// on a terminal]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// Reads files, and remembers the password that was passed or typed.
#[derive(Debug)]
pub(crate) struct InputReader {
    /// The password, once one is known.
    password: RefCell<Option<Password>>,
    /// Whether the password is from `--password-file`; then the reader never prompts.
    is_from_file: bool,
    interrupt: InterruptSignal,
}

impl InputReader {
    /// Creates a reader with the password of `--password-file`, if that was passed.
    ///
    /// # Errors
    /// When that file cannot be read.
    pub(crate) fn new(context: &Context, args: &PasswordArgs) -> Result<Self, Failure> {
        let password = args.password_file.as_deref().map(first_line).transpose()?;
        let is_from_file = password.is_some();
        Ok(Self {
            password: RefCell::new(password),
            is_from_file,
            interrupt: context.interrupt.clone(),
        })
    }

    /// Reads all inputs together; prompts for the password of encrypted zip files and `.pfx` files.
    ///
    /// # Errors
    /// The same as [`CaDelivery::read`], and a signal during the prompt.
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
        let password = self.password.borrow();
        let delivery =
            CaDelivery::read_with_password(inputs, &DeliveryLimits::default(), password.as_ref())?;
        Ok(delivery)
    }

    /// Reads one file, or stdin for `-`.
    ///
    /// # Errors
    /// When it cannot be read or exceeds a limit. A file without usable content is not an error.
    pub(crate) fn read_file(&self, path: &Path) -> Result<CaDelivery, Failure> {
        self.read_inputs(&[folder::read_input(path)?])
    }

    /// Reads one file for its keys: encrypted keys in it are decrypted too. Also returns why the
    /// last key could not be decrypted, if none was.
    ///
    /// # Errors
    /// The same as [`Self::read_file`].
    pub(crate) fn read_key_file(
        &self,
        path: &Path,
    ) -> Result<(CaDelivery, Option<DecryptError>), Failure> {
        let (delivery, error, _) = self.read_key_file_identified(path)?;
        Ok((delivery, error))
    }

    /// Like [`Self::read_key_file`], but also returns which file was read; `None` for a pipe.
    ///
    /// # Errors
    /// The same as [`Self::read_file`].
    pub(super) fn read_key_file_identified(
        &self,
        path: &Path,
    ) -> Result<(CaDelivery, Option<DecryptError>, Option<FileIdentity>), Failure> {
        let (input, identity) = folder::read_identified(path)?;
        let (delivery, error) = self.read_input_with_keys(path, input)?;
        Ok((delivery, error, identity))
    }

    /// Like [`Self::read_key_file`], of a file that has been read.
    ///
    /// # Errors
    /// When it exceeds a limit.
    pub(super) fn read_input_with_keys(
        &self,
        path: &Path,
        input: DeliveryInput,
    ) -> Result<(CaDelivery, Option<DecryptError>), Failure> {
        let mut delivery = self.read_inputs(&[input])?;
        let locked: Vec<_> = delivery
            .encrypted_keys
            .iter()
            .map(|one| HeldFile {
                path: path.to_owned(),
                value: one.value.clone(),
            })
            .collect();
        let (keys, error) = self.keys(&locked)?;
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
        Ok((delivery, error))
    }

    /// Decrypts the keys in `locked`; prompts for the password if none can be decrypted. Also
    /// returns why the last one could not be decrypted.
    ///
    /// # Errors
    /// A signal during the prompt.
    pub(crate) fn keys(
        &self,
        locked: &[HeldFile<EncryptedKey>],
    ) -> Result<(Vec<HeldFile<PrivateKey>>, Option<DecryptError>), Failure> {
        let (mut keys, mut error) = self.decrypted(locked);
        let Some(first) = locked.first() else {
            return Ok((keys, error));
        };
        for _ in 0..TRIES {
            let needs_other_password = matches!(error, None | Some(DecryptError::Wrong));
            if !keys.is_empty()
                || !needs_other_password
                || !self.ask_for_password(&first.path.display().to_string())?
            {
                break;
            }
            (keys, error) = self.decrypted(locked);
        }
        Ok((keys, error))
    }

    /// Returns a password to encrypt `what` with: that of `--password-file`, else one that is typed
    /// twice.
    ///
    /// # Errors
    /// No terminal, two different passwords, an empty password, a signal.
    pub(crate) fn choose_password(&self, what: &str) -> Result<Password, Failure> {
        if let Some(known) = self
            .password
            .borrow()
            .as_ref()
            .filter(|_| self.is_from_file)
        {
            return Ok(known.clone());
        }
        if !stdin::stdin_is_terminal() {
            return Err(Failure::new(
                FailureKind::Usage,
                format!("{what} needs a password, and there is no terminal to prompt on"),
            )
            .with_step(advice::pass_password_file()));
        }
        self.listen_for_signals()?;
        let typed = terminal::ask_password(
            &format!("new password for {what} (not shown): "),
            &self.interrupt,
        )?;
        let again = terminal::ask_password("repeat the password: ", &self.interrupt)?;
        let problem = if typed.is_empty() {
            "the password is empty"
        } else if *typed != *again {
            "the two passwords differ"
        } else {
            return Ok(Password::new(typed.as_bytes().to_vec()));
        };
        Err(Failure::new(
            FailureKind::Malformed,
            format!("{problem}; nothing was written"),
        )
        .with_step(advice::pass_password_file()))
    }

    /// Makes a signal end the prompt for a password.
    fn listen_for_signals(&self) -> Result<(), Failure> {
        self.interrupt
            .listen()
            .map_err(|error| Failure::from_error(FailureKind::Internal, &error))
    }

    /// Decrypts keys with the known password; also returns why the last one could not be decrypted.
    fn decrypted(
        &self,
        locked: &[HeldFile<EncryptedKey>],
    ) -> (Vec<HeldFile<PrivateKey>>, Option<DecryptError>) {
        let password = self.password.borrow();
        let mut keys = Vec::new();
        let mut last_error = None;
        let Some(password) = password.as_ref() else {
            return (keys, last_error);
        };
        for held in locked {
            match held.value.decrypt(password) {
                Ok(value) => keys.push(HeldFile {
                    path: held.path.clone(),
                    value,
                }),
                Err(error) => last_error = Some(error),
            }
        }
        (keys, last_error)
    }

    /// Prompts for the password of `what`; returns true if one was typed.
    fn ask_for_password(&self, what: &str) -> Result<bool, Failure> {
        if self.is_from_file || !stdin::stdin_is_terminal() {
            return Ok(false);
        }
        let again = if self.password.borrow().is_some() {
            "wrong password; "
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
        *self.password.borrow_mut() = Some(Password::new(typed.as_bytes().to_vec()));
        Ok(true)
    }
}

/// Reads the first line of a file without its line end, whatever its mode.
fn first_line(path: &Path) -> Result<Password, Failure> {
    const LIMIT: u64 = 4096;
    let bytes = Zeroizing::new(stdin::read_named(path, LIMIT)?);
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
        .because("the password must be on the first line")
        .with_step(advice::write_password_first()));
    }
    Ok(Password::new(line.to_vec()))
}
