//! Where the archive is.

use clap::Args;
use secrecy::SecretString;

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
