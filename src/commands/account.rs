//! `certctl account`: the accounts at CAs, which all certificates of a CA share.

mod changes;
mod outcome;
mod shown;

use std::path::PathBuf;

use crate::acme::ca_table::AcmeChoice;
use crate::advice::account_command as advice;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::inputs::saved_trust;
use crate::install::request::{RunMode, refuse_at_option};
use crate::state::{AcmeAccount, StateFolder};

use self::changes::AccountChange;
pub(crate) use self::outcome::AccountOutcome;
use self::outcome::AccountVerdict;
use self::shown::{ShownAccount, parse_ca};

/// Show, move and secure the accounts at CAs
///
/// Examples:
///   sudo certctl account list
///   sudo certctl account rollover --ca letsencrypt
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct AccountArgs {
    /// What to do
    #[arg(value_enum)]
    pub action: AccountAction,
    /// CA, as in `order --ca` [default: the only one with an account]
    #[arg(long, value_name = "CA|URL")]
    pub ca: Option<AcmeChoice>,
    /// File with the key of the account to import (PEM)
    #[arg(long, value_name = "FILE", required_if_eq("action", "import"))]
    pub key: Option<PathBuf>,
    /// File to which the key of the account is exported (PEM, mode 0600)
    #[arg(long, value_name = "FILE", required_if_eq("action", "export"))]
    pub out: Option<PathBuf>,
    /// Trusted roots of the CA's API: mozilla, system, or a file of CA certificates [default:
    /// mozilla]
    #[arg(long, value_name = "mozilla|FILE", value_parser = crate::inputs::parse_trust)]
    pub trust: Option<String>,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum AccountAction {
    /// List all accounts, without asking their CAs
    List,
    /// Show one account, and what its CA says about it
    Show,
    /// Use an account that another program has created, by its key
    Import,
    /// Write the key of an account to a file, for another program
    Export,
    /// Give an account a new key
    Rollover,
}

/// Lists, shows or changes accounts.
///
/// # Errors
/// When there is no such account, the CA cannot be reached, or a file cannot be used.
pub(crate) fn run(context: &Context, args: &AccountArgs) -> Result<AccountOutcome, Failure> {
    let mode = if args.dry_run {
        RunMode::DryRun
    } else {
        RunMode::Run
    };
    refuse_at_option(context, mode)?;
    let listening = context.interrupt.listen();
    listening.map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    let state = StateFolder::find(context.root.as_deref())?;
    let accounts = state.list_accounts()?;
    if args.action == AccountAction::List {
        return list(context, &state, accounts);
    }
    let ca = match &args.ca {
        Some(ca) => ca.clone(),
        None => only_ca(&accounts)?,
    };
    let change = AccountChange {
        context,
        state: &state,
        ca,
        trust: saved_trust(args.trust.as_deref())?,
        mode,
    };
    match (args.action, &args.key, &args.out) {
        (AccountAction::Import, Some(key), _) => change.import(key),
        (AccountAction::Export, _, Some(out)) => change.export(out),
        (AccountAction::Rollover, ..) => change.roll_over(),
        _ => change.show(),
    }
}

/// All accounts, and the certificates that are ordered with them.
fn list(
    context: &Context,
    state: &StateFolder,
    accounts: Vec<AcmeAccount>,
) -> Result<AccountOutcome, Failure> {
    let mut outcome = AccountOutcome::new(AccountVerdict::Listed);
    for account in accounts {
        let shown = ShownAccount::find(context, state, account)?;
        outcome.accounts.push(shown);
    }
    Ok(outcome)
}

/// The CA of the only account.
fn only_ca(accounts: &[AcmeAccount]) -> Result<AcmeChoice, Failure> {
    match accounts {
        [only] => parse_ca(&only.directory),
        [] => Err(advice::no_account(None)),
        several => {
            let mut directories = Vec::new();
            for account in several {
                directories.push(account.directory.clone());
            }
            Err(advice::choose_account(&directories))
        }
    }
}
