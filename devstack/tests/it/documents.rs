//! The documents of the repository against what they tell about.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use devstack::checkout::root;
use devstack::ports::NAMED;

/// Every Markdown file that is ours.
fn documents() -> Vec<PathBuf> {
    let folders = ["", "dex", "docs", "docs/adr", "helm/chatapp"];
    let files = folders.iter().flat_map(|folder| files(&root().join(folder), "md"));
    let files: Vec<PathBuf> = files.collect();
    assert!(files.len() > 10, "{files:?}: are the documents found at all?");
    files
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("an entry of a folder").path())
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let wanted = |path: &PathBuf| path.extension().is_some_and(|found| found == extension);
    entries(folder).filter(wanted).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let inner = entries(folder).filter(|path| path.is_dir());
    let inner = inner.flat_map(|folder| sources(&folder));
    files(folder, "rs").into_iter().chain(inner).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text without what stands between code fences.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let prose = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    prose.collect::<Vec<_>>().join("\n")
}

/// The anchors that GitHub makes of the headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    let anchor = |line: &str| {
        let text: String = line.trim_start_matches('#').trim().chars().filter(kept).collect();
        text.to_lowercase().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        let text = prose(&read(&document));
        for (_, rest) in text.match_indices("](").map(|(at, mark)| (at, &text[at + mark.len()..])) {
            let link = rest.split(')').next().unwrap_or_default();
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => document.clone(),
                path => document.parent().unwrap().join(path),
            };
            let found = target.exists()
                && (anchor.is_empty() || anchors(&prose(&read(&target))).contains(anchor));
            if !found {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_readme_names_every_port() {
    let readme = read(&root().join("README.md"));
    for port in &NAMED {
        let row = format!("| {} | `{}` | {}", port.default, port.variable, port.part);
        assert!(readme.contains(&row), "README.md lacks: {row}");
    }
    assert_eq!(readme.matches("| `DEV_PORT_").count(), NAMED.len(), "a port that is none");
}

#[test]
fn every_metric_is_described_and_no_other() {
    let services = ["process", "tokens", "connector", "chat-api"];
    let sources = services.iter().flat_map(|name| sources(&root().join(name).join("src")));
    let mut recorded = BTreeSet::new();
    for source in sources.map(|path| read(&path)) {
        let recording = ["metrics::counter!(", "metrics::gauge!(", "metrics::histogram!("];
        let describing = ["Metric::counter(", "Metric::gauge(", "Metric::histogram("];
        for opening in recording.into_iter().chain(describing) {
            let calls = source.split(opening).skip(1);
            let names =
                calls.filter_map(|call| call.trim_start().strip_prefix('"')?.split('"').next());
            recorded.extend(names.map(str::to_owned));
        }
    }
    // Both services count under constants; a value without `_` is that of a label.
    for service in ["connector", "chat-api"] {
        let constants = read(&root().join(service).join("src/metrics.rs"));
        let values = constants.lines().filter_map(|line| line.split_once(": &str = \""));
        let names = values.filter_map(|(_, value)| value.strip_suffix("\";"));
        recorded.extend(names.filter(|name| name.contains('_')).map(str::to_owned));
    }
    let operations = read(&root().join("docs/OPERATIONS.md"));
    let table = operations.split_once("## Metrics").unwrap().1.split_once("\n## ").unwrap().0;
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let described: BTreeSet<String> =
        rows.map(|row| row.split('`').next().unwrap().to_owned()).collect();
    assert_eq!(described, recorded);
}
