//! Every option of the program, as the table of docs/CONFIGURATION.md lists it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use auth_connector::cli::Cli;
use clap::CommandFactory as _;
use service_process_testing::options::EveryOption;

use crate::setup::commands::check;
use crate::setup::{program, text};

fn every_option() -> EveryOption<'static> {
    EveryOption {
        program: Cli::command(),
        example: "connector_options",
        variables: &[
            ("POSTGRES_DSN", "postgres://db/accounts"),
            ("SEED_FILE", "users.yaml"),
            ("TLS_CERT_FILE", "tls.pem"),
            ("TLS_KEY_FILE", "tls.key"),
            ("TLS_CA_FILE", "ca.pem"),
        ],
        arguments: &[("users invite", "somebody@example.com")],
    }
}

#[test]
fn an_empty_variable_is_as_one_that_is_not_set() {
    every_option().takes_an_empty_variable_for_none();
}

#[test]
fn a_switch_is_off_by_everything_that_says_no_and_on_by_what_says_yes() {
    every_option().switches_off_by_what_says_no();
}

#[test]
fn a_value_that_cannot_be_used_is_refused_with_the_name_of_its_option() {
    every_option().names_the_option_of_what_it_refuses();
}

#[test]
fn a_list_may_have_blanks_after_its_commas() {
    let insecure = ("CONNECTOR_INSECURE", "yes");
    let dsn = ("POSTGRES_DSN", "postgres://db/accounts");
    let variables = [dsn, insecure, ("ROLES", " login , accounts"), ("TLS_CLIENT_NAMES", "dex, b")];
    let (code, text) = check(&variables);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("login, accounts\n"), "{text}");
    let (code, text) = check(&[dsn, insecure, ("ROLES", "login,,accounts")]);
    assert_eq!(code, Some(64), "{text}");
    assert!(text.contains("--roles"), "{text}");
}

#[test]
fn a_variable_that_is_no_text_is_named_without_its_value() {
    let dsn = OsStr::from_bytes(b"postgres://u:canary\xff@db/accounts");
    let output = program().args(["users", "list"]).env("POSTGRES_DSN", dsn).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{}", text(&output));
    assert!(text(&output).contains("POSTGRES_DSN"), "{}", text(&output));
    assert!(!text(&output).contains("canary"), "{}", text(&output));
}
