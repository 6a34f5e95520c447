//! The wire: `PasswordConnector` over mutual TLS, and the standard health service.
//!
//! Parses a message into domain words, makes one domain call, maps the answer.

mod deadline;
mod observe;
pub mod server;
mod service;
pub mod tls;
mod wire;

use auth_proto::connector::v1::FILE_DESCRIPTOR_SET;
use tonic_reflection::server::Builder;
use tonic_reflection::server::v1::{ServerReflection, ServerReflectionServer};

pub use service::ConnectorService;

/// The name that the health service knows the connector by.
pub const SERVICE_NAME: &str = "localaccounts.connector.v1.PasswordConnector";

/// The standard reflection service: shows the contract and that of the health service.
///
/// # Panics
/// When a descriptor that was compiled in is broken, which is a fault of the program.
#[must_use]
pub fn reflection() -> ServerReflectionServer<impl ServerReflection> {
    Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .expect("generated descriptors are whole")
}
