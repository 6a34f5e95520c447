//! Where the archive is, and how it is read.

use std::num::NonZeroU32;

use clap::Args;
use secrecy::SecretString;
use service_process::cli::up_to;

use super::invalid::BadConfiguration;
use crate::archive;

/// Where the archive is.
#[derive(Debug, Clone, Args)]
pub struct MongoArgs {
    /// Connection string of MongoDB (secret).
    // Taken as it is: the parser of the command line would quote what it refuses.
    #[arg(long, env = "MONGODB_URI", hide_env_values = true)]
    pub mongodb_uri: SecretString,

    /// The database in MongoDB.
    #[arg(long, env = "MONGODB_DATABASE", default_value = "chat", value_parser = parse_database)]
    pub mongodb_database: String,
}

/// How the archive is read.
#[derive(Debug, Clone, Args)]
pub struct ReadsArgs {
    /// Connections to MongoDB for what people read, and with them reads at once, 1 to 1000; the archive's
    /// writer has its own. If left out, `maxPoolSize` of `MONGODB_URI`, or 10.
    #[arg(long, env = "MONGODB_READ_CONNECTIONS", value_parser = up_to(1_000))]
    pub mongodb_read_connections: Option<NonZeroU32>,
}

impl MongoArgs {
    /// Checks the address as far as that is possible without a network.
    pub fn check(&self) -> Result<(), BadConfiguration> {
        archive::check_address(&self.mongodb_uri)
            .map_err(|error| BadConfiguration::new("mongodb-uri", error.to_string()))
    }
}

/// MongoDB's rule for names of databases on every platform.
fn parse_database(text: &str) -> Result<String, String> {
    let forbidden = |c: char| "/\\. \"$*<>:|?\0".contains(c);
    if (1..64).contains(&text.len()) && !text.contains(forbidden) {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 63 bytes without / \\ . \" $ * < > : | ? and spaces".to_owned())
    }
}
