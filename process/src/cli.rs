//! The command line and the environment, parsed and validated before anything is bound. Which
//! options there are is said by each service, and by the module that an option is for.

mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};

pub use values::{Item, item, up_to};

use crate::exit;

/// Parses the command line and the environment of this process into `C`.
///
/// Returns the code to leave with when there is nothing to run: success after `--help` and
/// `--version`, [`exit::CONFIG`] after an error, whose text names the option and was printed.
///
/// A variable that is empty is as one that is not set, and so is the variable of a switch that says
/// no (`false`, `no`, `off`, `0`): a template that fills in nothing, or "no", asks for nothing.
///
/// An option declared with `hide_env_values = true` holds a secret. It is accepted from its
/// variable only, because arguments can be read by every user of the machine.
pub fn parse_or_exit<C: CommandFactory + FromArgMatches>() -> Result<C, ExitCode> {
    parse_from(std::env::args_os()).map_err(|error| {
        // Printing fails only when the terminal is gone; the exit code still tells.
        let _ = error.print();
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
            _ => ExitCode::from(exit::CONFIG),
        }
    })
}

fn parse_from<C, I>(arguments: I) -> Result<C, clap::Error>
where
    C: CommandFactory + FromArgMatches,
    I: IntoIterator<Item = OsString>,
{
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let mut command = without_idle_variables(C::command());
    let mut matches =
        command.try_get_matches_from_mut(&arguments).map_err(|error| match error.kind() {
            // The help names every variable, idle ones too.
            ErrorKind::DisplayHelp => {
                C::command().try_get_matches_from(&arguments).err().unwrap_or(error)
            }
            // The parser does not say which of them it is.
            ErrorKind::InvalidUtf8 => not_text(C::command()).unwrap_or(error),
            _ => error,
        })?;
    refuse_secret_arguments(&C::command(), &matches)?;
    C::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// For clap an option is given as soon as its variable is there, whatever that holds: the empty text
/// is a value to it, and `false` conflicts with what `true` conflicts with (clap-rs/clap#5591). So it
/// gets to see no variable that asks for nothing.
fn without_idle_variables(command: Command) -> Command {
    command
        .mut_args(
            |argument| {
                if is_idle(&argument) { argument.env(None::<&'static str>) } else { argument }
            },
        )
        .mut_subcommands(without_idle_variables)
}

fn is_idle(argument: &Arg) -> bool {
    let Some(value) = argument.get_env().and_then(std::env::var_os) else { return false };
    let says_no = || {
        let parsed = BoolishValueParser::new().parse_ref(&Command::new("a switch"), None, &value);
        matches!(parsed, Ok(false))
    };
    value.is_empty() || (is_switch(argument) && says_no())
}

/// Whether an option is on or off and has no value of its own.
fn is_switch(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::SetTrue)
}

/// An error that names the variables of this program that are no text.
fn not_text(mut command: Command) -> Option<clap::Error> {
    let mut variables = Vec::new();
    collect_not_text(&command, &mut variables);
    let text = (!variables.is_empty()).then(|| variables.join(", "))?;
    Some(command.error(ErrorKind::InvalidUtf8, format!("not valid UTF-8: {text}")))
}

fn collect_not_text(command: &Command, named: &mut Vec<String>) {
    for variable in command.get_arguments().filter_map(Arg::get_env) {
        let is_text = std::env::var_os(variable).is_none_or(|value| value.to_str().is_some());
        let variable = variable.to_string_lossy().into_owned();
        if !is_text && !named.contains(&variable) {
            named.push(variable);
        }
    }
    command.get_subcommands().for_each(|command| collect_not_text(command, named));
}

fn refuse_secret_arguments(command: &Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    for argument in command.get_arguments() {
        let given_as_argument = matches
            .value_source(argument.get_id().as_str())
            .is_some_and(|source| source == ValueSource::CommandLine);
        if argument.is_hide_env_values_set() && given_as_argument {
            let variable = argument.get_env().unwrap_or_default().to_string_lossy();
            return Err(command.clone().error(
                ErrorKind::ValueValidation,
                format!(
                    "--{} holds a secret: set the variable {variable} instead, \
                     arguments are visible to every user of the machine",
                    argument.get_long().unwrap_or_default()
                ),
            ));
        }
    }
    let Some((name, matches)) = matches.subcommand() else {
        return Ok(());
    };
    match command.find_subcommand(name) {
        Some(command) => refuse_secret_arguments(command, matches),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;
