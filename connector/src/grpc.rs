//! The wire: `PasswordConnector` over mutual TLS, and the standard health service.
//!
//! Parses a message into domain words, makes one domain call, maps the answer.

mod service;
pub mod tls;
mod wire;

pub use service::ConnectorService;

/// The name that the health service knows the connector by.
pub const SERVICE_NAME: &str = "localaccounts.connector.v1.PasswordConnector";
