//! What an operator decides. Everything is parsed before anything is bound.

mod archive;
mod guests;
mod http;
mod hub;
mod invalid;
mod limits;
mod log;
mod presence;
mod sockets;
mod timeouts;
mod tokens;
mod writes;

use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use service_process::listener::Limits;

use crate::hub::SPAN;
use crate::kafka::Bounds;
use crate::rate::Rate;

pub use archive::{MongoArgs, ReadsArgs};
pub use guests::GuestsArgs;
pub use http::HttpArgs;
pub use hub::HubArgs;
pub use invalid::BadConfiguration;
pub use limits::LimitsArgs;
pub use log::{LogArgs, SecurityArgs, SecurityProtocol, TopicArgs};
pub use presence::PresenceArgs;
pub use sockets::SocketsArgs;
pub use timeouts::Timeouts;
pub use tokens::TokensArgs;
pub use writes::WritesArgs;

/// What `serve` needs.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// The ports, and who may call.
    #[command(flatten)]
    pub http: HttpArgs,

    /// Where the log is.
    #[command(flatten)]
    pub log: LogArgs,

    /// What this replica calls itself in the records that it appends to the log, as their header
    /// `origin`, and to the other replicas: each needs a name of its own. Without one others know it by a
    /// name that it makes up at each start.
    #[arg(long, env = "CHAT_REPLICA", value_parser = NonEmptyStringValueParser::new())]
    pub chat_replica: Option<String>,

    /// Where the archive is.
    #[command(flatten)]
    pub mongodb: MongoArgs,

    /// How the archive is read.
    #[command(flatten)]
    pub reads: ReadsArgs,

    /// Whose tokens are accepted.
    #[command(flatten)]
    pub tokens: TokensArgs,

    /// Who comes without a token.
    #[command(flatten)]
    pub guests: GuestsArgs,

    /// How sockets are ended at a stop.
    #[command(flatten)]
    pub sockets: SocketsArgs,

    /// How people are counted as online.
    #[command(flatten)]
    pub presence: PresenceArgs,

    /// What is kept in memory of what was said.
    #[command(flatten)]
    pub hub: HubArgs,

    /// How often people and sockets may do something.
    #[command(flatten)]
    pub limits: LimitsArgs,

    /// What may be written besides messages.
    #[command(flatten)]
    pub writes: WritesArgs,
}

/// The whole configuration of a serving process.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the operator decided.
    pub args: ServeArgs,
    /// What the public port bears.
    pub listener: Limits,
    /// How long clients are waited for.
    pub timeouts: Timeouts,
    /// How fast one person may speak.
    pub rate: Rate,
    /// How fast one person may read of the archive.
    pub reads: Rate,
    /// What may be on its way to the log.
    pub in_flight: Bounds,
    /// Bytes of events kept in memory per partition.
    pub ring_bytes: usize,
    /// Offsets within which an id is a repeat. Twice as many are read back at the start.
    pub span: i64,
    /// One more kind of record that is read, as if it were a message. For tests only: it stands for a
    /// kind of a release to come, which the others do not know.
    pub extra_kind: Option<&'static str>,
}

impl ServeArgs {
    /// Checks what the parser of the command line cannot.
    pub fn check(&self) -> Result<(), BadConfiguration> {
        self.tokens.verifier()?;
        self.mongodb.check()?;
        self.log.log().map(|_| ())
    }
}

impl Config {
    /// The configuration of an operator's decisions.
    #[must_use]
    pub fn new(args: ServeArgs) -> Self {
        // A send may take so long: five seconds for what has its key already, five for the log.
        let shutdown = Duration::from_secs(10);
        let listener = Limits { shutdown, ..args.http.listener.limits() };
        Self {
            listener,
            timeouts: Timeouts::new(&args.sockets),
            rate: args.limits.sends(),
            reads: args.limits.reads(),
            in_flight: Bounds::default(),
            ring_bytes: args.hub.ring_bytes(),
            span: SPAN,
            extra_kind: None,
            args,
        }
    }
}
