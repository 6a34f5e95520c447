//! The ports of a stack: the project's own, or any that are free.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};

/// A port with the part that listens on it and the variable that moves it.
pub struct Named {
    /// What listens there, as `./dev help` shows it.
    pub part: &'static str,
    /// The variable that overrides it.
    pub variable: &'static str,
    /// The project's own port.
    pub default: u16,
}

/// Every port of the local stack.
pub const NAMED: [Named; 14] = [
    named("Dex", "DEV_PORT_DEX", 5556),
    named("auth-connector gRPC", "DEV_PORT_CONNECTOR", 5557),
    named("Dex telemetry", "DEV_PORT_DEX_TELEMETRY", 5558),
    named("accounts pages", "DEV_PORT_ACCOUNTS", 5559),
    named("Dex admin gRPC", "DEV_PORT_DEX_ADMIN", 5560),
    named("chat-api (replica 1)", "DEV_PORT_CHAT", 8080),
    named("auth-connector admin", "DEV_PORT_CONNECTOR_ADMIN", 9101),
    named("chat-api admin (replica 1)", "DEV_PORT_CHAT_ADMIN", 9102),
    named("app", "DEV_PORT_WEB", 5173),
    named("PostgreSQL", "DEV_PORT_POSTGRES", 54329),
    named("Kafka", "DEV_PORT_KAFKA", 19092),
    named("MongoDB", "DEV_PORT_MONGODB", 27117),
    named("mail sink SMTP", "DEV_PORT_SMTP", 1025),
    named("mail sink inbox", "DEV_PORT_MAIL", 1080),
];

const fn named(part: &'static str, variable: &'static str, default: u16) -> Named {
    Named { part, variable, default }
}

/// The ports one stack listens on.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each field is named for what listens there")]
pub struct Ports {
    pub dex: u16,
    pub connector: u16,
    pub dex_telemetry: u16,
    pub accounts: u16,
    pub dex_admin: u16,
    pub connector_admin: u16,
    /// The app, where there is one: its origin is known to Dex.
    pub web: u16,
    pub postgres: u16,
    pub kafka: u16,
    pub mongodb: u16,
    pub smtp: u16,
    pub mail: u16,
    /// Per chat-api replica: its API and its admin port.
    pub chat: Vec<(u16, u16)>,
}

impl Ports {
    /// The project's own ports, each moved by its variable; further replicas take any.
    pub fn project(chat_replicas: usize) -> Result<Self> {
        let mut chat = vec![(from_env("DEV_PORT_CHAT")?, from_env("DEV_PORT_CHAT_ADMIN")?)];
        while chat.len() < chat_replicas {
            chat.push((free()?, free()?));
        }
        Ok(Self {
            dex: from_env("DEV_PORT_DEX")?,
            connector: from_env("DEV_PORT_CONNECTOR")?,
            dex_telemetry: from_env("DEV_PORT_DEX_TELEMETRY")?,
            accounts: from_env("DEV_PORT_ACCOUNTS")?,
            dex_admin: from_env("DEV_PORT_DEX_ADMIN")?,
            connector_admin: from_env("DEV_PORT_CONNECTOR_ADMIN")?,
            web: from_env("DEV_PORT_WEB")?,
            postgres: from_env("DEV_PORT_POSTGRES")?,
            kafka: from_env("DEV_PORT_KAFKA")?,
            mongodb: from_env("DEV_PORT_MONGODB")?,
            smtp: from_env("DEV_PORT_SMTP")?,
            mail: from_env("DEV_PORT_MAIL")?,
            chat,
        })
    }

    /// Ports nobody listens on, so that stacks run side by side.
    pub fn any(chat_replicas: usize) -> Result<Self> {
        Ok(Self {
            dex: free()?,
            connector: free()?,
            dex_telemetry: free()?,
            accounts: free()?,
            dex_admin: free()?,
            connector_admin: free()?,
            // The redirect address is a name in Dex's configuration; nothing listens there, unless a test wants the app.
            web: 5173,
            postgres: free()?,
            kafka: free()?,
            mongodb: free()?,
            smtp: free()?,
            mail: free()?,
            chat: (0..chat_replicas).map(|_| Ok((free()?, free()?))).collect::<Result<_>>()?,
        })
    }
}

impl Ports {
    /// Where browsers find the accounts pages.
    pub(crate) fn accounts_url(&self) -> String {
        format!("http://localhost:{}/accounts", self.accounts)
    }
}

/// Fails when something listens on the port already, naming the port, the part and the variable.
pub fn require_free(variable: &str, port: u16) -> Result<()> {
    let listener =
        NAMED.iter().find(|named| named.variable == variable).map_or(variable, |named| named.part);
    TcpListener::bind(local(port))
        .map(drop)
        .with_context(|| format!("port {port} ({listener}) is taken: free it, or set {variable}"))
}

/// From here on ports are given; the kernel gives those from 32768 on to whoever connects, and one of
/// these could be taken before it is listened on.
const FIRST: u16 = 20_000;
/// How many ports may be given.
const COUNT: u16 = 12_000;

/// A port nobody listens on, never given twice by this process.
pub fn free() -> Result<u16> {
    static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Processes at the same time begin at different places.
    let start = std::process::id().wrapping_mul(997) % u32::from(COUNT);
    let start = u16::try_from(start).unwrap_or_default();
    let candidates = (start..COUNT).chain(0..start).map(|offset| FIRST + offset);
    let unnamed = |port: &u16| NAMED.iter().all(|named| named.default != *port);
    for port in candidates.filter(unnamed) {
        if !given.contains(&port) && TcpListener::bind(local(port)).is_ok() {
            given.insert(port);
            return Ok(port);
        }
    }
    bail!("no port from {FIRST} on is free")
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn from_env(variable: &str) -> Result<u16> {
    match std::env::var(variable) {
        Ok(text) => match text.parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => bail!("{variable}={text} is no port (1 to 65535)"),
        },
        Err(_) => NAMED
            .iter()
            .find(|named| named.variable == variable)
            .map(|named| named.default)
            .with_context(|| format!("{variable} names no port")),
    }
}
