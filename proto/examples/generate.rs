//! Writes the generated Rust of the contract: `generate [DIRECTORY]`, by default into this crate.
//! Needs `protoc` on the path (Debian package protobuf-compiler).

use std::path::PathBuf;

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let crate_dir = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let into = std::env::args_os().nth(1).map_or(crate_dir.join("src/generated"), PathBuf::from);
    tonic_prost_build::configure()
        .out_dir(&into)
        .compile_protos(
            &[crate_dir.join("localaccounts/connector/v1/password_connector.proto")],
            &[crate_dir],
        )
        .with_context(|| format!("generating into {} failed", into.display()))
}
