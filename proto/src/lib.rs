//! The wire contract between Dex and auth-connector, as generated Rust.
//!
//! The source is `proto/localaccounts/connector/v1/password_connector.proto`; it documents every
//! field and the meaning of every status. The generated code is checked in, so that a build needs
//! no protocol compiler. After a change of the source run
//! `cargo run -p auth-proto --example generate`; a test compares.

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
