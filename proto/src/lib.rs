//! The wire contract between Dex and auth-connector, as generated Rust.
