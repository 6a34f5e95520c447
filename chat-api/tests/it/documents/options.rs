//! Every option of the program, as the table of docs/CONFIGURATION.md lists it.

use chat_api::cli::Cli;
use clap::CommandFactory as _;
use service_process_testing::options::EveryOption;

fn every_option() -> EveryOption<'static> {
    EveryOption {
        program: Cli::command(),
        example: "chat_options",
        variables: &[
            ("KAFKA_BROKERS", "kafka:9092"),
            ("MONGODB_URI", "mongodb://db"),
            ("DEX_ISSUER_URL", "https://chat.example/dex"),
        ],
        arguments: &[("topics raise", "1"), ("dlq replay", "--all"), ("dlq take", "3 4711")],
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
