//! The role `login`: the server that Dex calls.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use auth_proto::connector::v1::password_connector_server::PasswordConnectorServer;
use service_process::lifecycle::Tasks;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic_health::pb::health_server::{Health, HealthServer};
use tracing::{info, warn};

use crate::config::ServeArgs;
use crate::core::Core;
use crate::grpc::server::Server;
use crate::grpc::tls::{Handshakes, Tls};
use crate::grpc::{self, ConnectorService};
use crate::login::{Logins, Renewals};

/// The largest request that is read: name, password and ids have limits far below.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// The role, bound and not yet serving.
#[derive(Debug)]
pub(super) struct Login {
    listener: TcpListener,
    tls: Option<Tls>,
    prompt: String,
    reflection: bool,
    connection_age: Duration,
}

impl Login {
    /// The role on a port; without `tls` whoever reaches it may call.
    pub(super) fn new(listener: TcpListener, args: &ServeArgs, tls: Option<Tls>) -> Self {
        Self {
            listener,
            tls,
            prompt: args.connector_prompt.clone(),
            reflection: args.connector_reflection,
            connection_age: Duration::from_secs(args.connector_connection_age.into()),
        }
    }

    pub(super) fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Starts to answer Dex, and whoever asks for health.
    pub(super) fn serve(
        self,
        logins: Arc<Logins>,
        core: Arc<Core>,
        health: HealthServer<impl Health>,
        tasks: &Tasks,
    ) -> anyhow::Result<()> {
        let address = self.address()?;
        let sources = core.sources;
        let renewals = Arc::new(Renewals::new(core));
        let service = ConnectorService::new(logins, renewals, self.prompt, sources);
        let service =
            PasswordConnectorServer::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES);
        let mut routes = Routes::new(service).add_service(health);
        if self.reflection {
            routes = routes.add_service(grpc::reflection());
        }
        if self.tls.is_none() {
            warn!("serving without TLS: whoever reaches the port may guess passwords");
        }
        let handshakes = self.tls.map(|tls| Handshakes::follow(tls, tasks));
        Server { routes: routes.prepare(), handshakes, age: self.connection_age }
            .serve(self.listener, tasks);
        info!(%address, "auth-connector serves");
        Ok(())
    }
}
