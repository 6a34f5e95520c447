//! The command line and the environment, parsed and validated before anything is bound.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::exit;

/// Parses the command line and the environment of this process into `C`.
///
/// Returns the code to leave with when there is nothing to run: success after `--help` and
/// `--version`, [`exit::CONFIG`] after an error, whose text names the option and was printed.
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
    I: IntoIterator<Item = std::ffi::OsString>,
{
    let mut command = C::command();
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    refuse_secret_arguments(&command, &matches)?;
    C::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
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
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Example {
        #[command(subcommand)]
        command: ExampleCommand,
    }

    #[derive(Debug, clap::Subcommand)]
    enum ExampleCommand {
        Serve {
            #[arg(long, hide_env_values = true, env = "EXAMPLE_SECRET_FOR_A_TEST")]
            secret: Option<String>,
            #[arg(long, default_value_t = 1)]
            size: u8,
        },
    }

    fn parse(arguments: &[&str]) -> Result<Example, clap::Error> {
        parse_from(arguments.iter().map(Into::into))
    }

    #[test]
    fn a_secret_as_an_argument_is_refused_without_repeating_it() {
        let error = parse(&["x", "serve", "--secret", "hunter2"]).unwrap_err().to_string();
        assert!(error.contains("EXAMPLE_SECRET_FOR_A_TEST"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn an_unusable_value_names_its_option() {
        let error = parse(&["x", "serve", "--size", "300"]).unwrap_err().to_string();
        assert!(error.contains("--size"), "{error}");
    }

    #[test]
    fn an_option_that_is_no_secret_is_accepted() {
        let Example { command: ExampleCommand::Serve { secret, size } } =
            parse(&["x", "serve", "--size", "3"]).unwrap();
        assert_eq!((secret, size), (None, 3));
    }
}
