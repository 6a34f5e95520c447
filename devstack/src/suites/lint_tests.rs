use super::*;

const USER: &str = r#"[workspace]

[package]
name = "user"
version = "0.1.0"
edition = "2024"

[dependencies]
idle = { path = "../idle" }
"#;

const IDLE: &str = r#"[package]
name = "idle"
version = "0.1.0"
edition = "2024"
"#;

const LOCK: &str = r#"version = 4

[[package]]
name = "idle"
version = "0.1.0"

[[package]]
name = "user"
version = "0.1.0"
dependencies = [
 "idle",
]
"#;

/// Whether a crate passes that has a dependency and says this, and what is said of it.
async fn shorn(source: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("user/Cargo.toml", USER),
        ("user/Cargo.lock", LOCK),
        ("user/src/lib.rs", source),
        ("idle/Cargo.toml", IDLE),
        ("idle/src/lib.rs", "pub struct Idle;"),
    ];
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let [output, log] = ["output", "log"].map(|name| folder.path().join(name));
    let process = shear(&folder.path().join("user")).start_split(&output, &log).unwrap();
    let passed = process.ended().await.success();
    (passed, fs::read_to_string(output).unwrap() + &fs::read_to_string(log).unwrap())
}

#[tokio::test]
async fn a_dependency_that_nobody_uses_is_told_with_its_manifest_and_line() {
    let (passed, said) = shorn("pub struct User;").await;
    assert!(!passed, "{said}");
    for word in ["idle", "Cargo.toml:9"] {
        assert!(said.contains(word), "no {word}: {said}");
    }
}

#[tokio::test]
async fn a_dependency_that_somebody_uses_passes() {
    let (passed, said) = shorn("pub use idle::Idle;").await;
    assert!(passed, "{said}");
}
