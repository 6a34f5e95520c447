//! The generated code that is checked in is the code of today's contracts.

use std::path::Path;
use std::process::Command;

#[test]
fn the_generated_rust_is_what_the_contracts_generate() {
    let tests = std::env::current_exe().expect("the path of this test");
    let generate = tests.ancestors().nth(2).expect("target/debug").join("examples/generate");
    let fresh = tempfile::tempdir().expect("a directory");
    let output = Command::new(generate).arg(fresh.path()).output().expect("the generator runs");
    assert!(
        output.status.success(),
        "{}\nIs protoc on the path? Debian: apt-get install protobuf-compiler",
        String::from_utf8_lossy(&output.stderr)
    );

    for name in ["localaccounts.connector.v1.rs", "descriptor.rs", "api.rs"] {
        let checked_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generated").join(name);
        let checked_in = std::fs::read_to_string(checked_in).expect("the checked-in code");
        let fresh = std::fs::read_to_string(fresh.path().join(name)).expect("the fresh code");
        assert!(
            checked_in == fresh,
            "{name}: its contract changed: run `cargo run -p auth-proto --example generate`"
        );
    }
}
