//! The tables of docs/CONFIGURATION.md and docs/LOGGING.md

use std::collections::BTreeSet;
use std::path::Path;

use auth_connector::audit::Event;
use auth_connector::cli::Cli;
use clap::CommandFactory as _;

use crate::setup::commands::{done, json_lines};
use crate::setup::{Database, text};

#[test]
fn the_documented_options_are_those_of_the_program() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/CONFIGURATION.md");
    service_process_testing::reference::compare(&document, &Cli::command())
        .unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn the_documented_seed_file_is_accepted() {
    let document = include_str!("../../../../docs/CONFIGURATION.md");
    let example = document.split("```yaml\n").find(|block| block.starts_with("users:"));
    let (yaml, _) = example.expect("an example").split_once("```").expect("its end");
    let output = Database::create().await.seed(yaml, &[]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("2 created"), "{}", text(&output));
}

#[tokio::test]
async fn the_documented_fields_of_json_are_those_of_the_program() {
    fn keys(value: &serde_json::Value, found: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                found.insert(key.clone());
                keys(value, found);
            }),
            serde_json::Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
            _ => {}
        }
    }
    let document = include_str!("../../../../docs/CONFIGURATION.md");
    let (_, section) = document.split_once("### Commands for operators").expect("the section");
    let (section, _) = section.split_once("\n### ").expect("its end");
    let quoted = |text: &str| -> BTreeSet<String> {
        text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let fields: BTreeSet<_> =
        rows.flat_map(|row| quoted(row.split('|').nth(2).expect("a cell"))).collect();

    let database = Database::with_people().await;
    done(&database, &["users", "groups", "alice", "--add", "new"]);
    sqlx::query("insert into known_networks select id, '203.0.113.7', now() from users")
        .execute(&database.pool)
        .await
        .expect("it is written");
    let mut written = BTreeSet::new();
    for command in [["users", "list"], ["users", "show"], ["audit", "tail"]] {
        let name = (command[1] == "show").then_some("alice");
        let arguments: Vec<_> = command.into_iter().chain(name).chain(["--json"]).collect();
        for line in json_lines(&database, &arguments) {
            keys(&line, &mut written);
        }
    }
    let undocumented: Vec<_> = written.difference(&quoted(section)).cloned().collect();
    assert!(undocumented.is_empty(), "{undocumented:?}");
    let gone: Vec<_> = fields
        .difference(&written)
        .filter(|field| !["null", "audit tail"].contains(&field.as_str()))
        .collect();
    assert!(gone.is_empty(), "{gone:?}");
}

const LOGGING: &str = include_str!("../../../../docs/LOGGING.md");

/// The cells of the rows of a section of docs/LOGGING.md.
fn rows(section: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = LOGGING.split_once(&format!("\n## {section}\n")).expect(section);
    let section = rest.split("\n## ").next().expect("a section");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn the_documented_events_of_the_trail_are_those_of_the_program() {
    let documented: BTreeSet<(&str, Option<&str>)> = rows("The audit trail")
        .iter()
        .filter(|row| row[0].contains('.'))
        .map(|row| (row[0].trim_matches('`'), (row[1] != "–").then(|| row[1].trim_matches('`'))))
        .collect();
    let written = Event::all().into_iter().map(|event| (event.name(), event.reason())).collect();
    assert_eq!(documented, written);
}

#[test]
fn the_documented_log_lines_are_in_the_programs() {
    fn read(folder: &Path, source: &mut String) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                read(&path, source);
            } else {
                *source += &std::fs::read_to_string(path).expect("a source");
            }
        }
    }
    for (section, crates) in [
        ("auth-connector", vec!["connector", "tokens"]),
        ("Both services", vec!["process"]),
        ("chat-api", vec!["chat-api", "tokens"]),
    ] {
        let mut source = String::new();
        for name in crates {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
            read(&root.join("src"), &mut source);
        }
        let rows = rows(section);
        assert!(!rows.is_empty(), "{section}");
        for row in rows {
            let message = row[0].trim_matches('`');
            assert!(source.contains(&format!("\"{message}\"")), "{section}: {message}");
            let fields = row[2].split(['`', ',', ' ']).filter(|field| !field.is_empty());
            for field in fields.filter(|field| !["=", "tls.reject"].contains(field)) {
                assert!(source.contains(field), "{section}: {field} of {message}");
            }
        }
    }
}
