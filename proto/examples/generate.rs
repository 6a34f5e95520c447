//! Writes the generated Rust of both contracts: `generate [DIRECTORY]`, by default into this crate.
//! Needs `protoc` on the path (Debian package protobuf-compiler).

use std::path::PathBuf;

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let crate_dir = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let into = std::env::args_os().nth(1).map_or(crate_dir.join("src/generated"), PathBuf::from);
    // Of Dex's admin API we are a client only.
    for (source, serve) in [
        ("localaccounts/connector/v1/password_connector.proto", true),
        ("dex/api/v2/api.proto", false),
    ] {
        tonic_prost_build::configure()
            .build_server(serve)
            .out_dir(&into)
            .compile_protos(&[crate_dir.join(source)], std::slice::from_ref(&crate_dir))
            .with_context(|| format!("generating into {} failed", into.display()))?;
    }
    Ok(())
}
