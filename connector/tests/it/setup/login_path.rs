//! The login path of one replica, called as the wire calls it, at times that a test makes up.

use std::sync::Arc;

use auth_connector::app;
use auth_connector::audit::Origin;
use auth_connector::core::Core;
use auth_connector::login::{Attempt, Logins, Outcome, Purpose, Unavailable, Who};
use auth_connector::store::Store;
use chrono::{DateTime, Utc};
use service_process::lifecycle::Lifecycle;
use service_process::sources::Sources;

use crate::setup::{Database, serve_args};

/// The login path of one replica.
pub(crate) struct Path {
    pub(crate) logins: Arc<Logins>,
    _lifecycle: Lifecycle,
}

impl Path {
    pub(crate) async fn open(database: &Database, options: &[&str]) -> Self {
        Self::with_core(database, options).await.0
    }

    /// The path, and the parts that it is made of.
    pub(crate) async fn with_core(database: &Database, options: &[&str]) -> (Self, Arc<Core>) {
        Self::on(&database.dsn, options).await
    }

    /// The same, where a database is reached by another address than its own.
    pub(crate) async fn on(dsn: &str, options: &[&str]) -> (Self, Arc<Core>) {
        let args = serve_args(dsn, &[&["--insecure"], options].concat());
        let checked = app::check(&args).expect("usable files");
        let store = Store::open(&args.store.postgres_dsn).expect("a DSN");
        let lifecycle = Lifecycle::new(std::time::Duration::from_secs(10));
        let settings = checked.core.expect("the role login uses them");
        let core =
            Arc::new(Core::open(settings, store, Sources::system(), lifecycle.tasks()).await);
        let logins = Arc::new(Logins::new(Arc::clone(&core)));
        (Self { logins, _lifecycle: lifecycle }, core)
    }

    pub(crate) async fn attempt(
        &self,
        name: &str,
        password: &str,
        address: [u8; 4],
        now: DateTime<Utc>,
    ) -> Result<Outcome, Unavailable> {
        let origin = Origin {
            remote_ip: Some(address.into()),
            connector_id: "local-postgres".to_owned(),
            ..Origin::default()
        };
        let attempt = Attempt {
            who: Who::Typed(name.to_owned().into()),
            password: password.to_owned().into(),
            purpose: Purpose::SignIn { wants_groups: false },
            origin,
            deadline: None,
        };
        self.logins.attempt(attempt, now).await
    }
}

pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).expect("a time")
}
