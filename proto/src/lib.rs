//! The wire contract between Dex and auth-connector, and the part of Dex's admin API that
//! auth-connector calls, as generated Rust.
//!
//! The sources are `proto/localaccounts/connector/v1/password_connector.proto` and
//! `proto/dex/api/v2/api.proto`; they document every field and the meaning of every status. The
//! generated code is checked in, so that a build needs no protocol compiler. After a change of a
//! source run `cargo run -p auth-proto --example generate`; a test compares.

/// What messages have in common: how they become bytes, and bytes become them.
pub use prost::Message;

/// Messages, client and server of package `localaccounts.connector.v1`.
pub mod connector {
    /// Version 1 of the contract.
    pub mod v1 {
        include!("generated/localaccounts.connector.v1.rs");

        /// The contract itself, as an encoded `google.protobuf.FileDescriptorSet`: what reflection
        /// shows.
        pub const FILE_DESCRIPTOR_SET: &[u8] = include!("generated/descriptor.rs");
    }
}

/// Messages and client of Dex's admin API, package `api`.
pub mod dex_api {
    include!("generated/api.rs");
}
