use std::path::Path;

use auth_connector::cli::Cli;
use clap::CommandFactory as _;

use crate::connector::{Database, text};

#[test]
fn the_documented_options_are_those_of_the_program() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/CONFIGURATION.md");
    service_process::reference::compare(&document, &Cli::command())
        .unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn the_documented_seed_file_is_accepted() {
    let document = include_str!("../../../docs/CONFIGURATION.md");
    let example = document.split("```yaml\n").find(|block| block.starts_with("users:"));
    let (yaml, _) = example.expect("an example").split_once("```").expect("its end");
    let output = Database::create().await.seed(yaml, &[]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("2 created"), "{}", text(&output));
}
