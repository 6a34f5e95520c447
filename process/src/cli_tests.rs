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
