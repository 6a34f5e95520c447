use std::path::Path;

use chat_api::cli::Cli;
use clap::CommandFactory as _;

#[test]
fn the_documented_options_are_those_of_the_program() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/CONFIGURATION.md");
    service_process_testing::reference::compare(&document, &Cli::command())
        .unwrap_or_else(|error| panic!("{error}"));
}
