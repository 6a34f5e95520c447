//! What the roles of a process share. It is made once: with a second hashing pool or second limits a
//! process would let in twice as much as it promises.

use std::num::{NonZero, NonZeroU32};

use service_process::lifecycle::Tasks;
use service_process::proxies::TrustedProxies;
use service_process::sources::Sources;

use crate::guard::Guard;
use crate::keys::MacKey;
use crate::limits::{LimitSettings, Limits, Spraying};
use crate::lockout::Lockout;
use crate::password::{Calibration, Cost, Parking, Peppers, Pool};
use crate::store::Store;
use crate::trail::Trail;

/// What the shared parts are made from: settings checked, files read.
#[derive(Debug)]
pub struct CoreSettings {
    /// The peppers: that for new hashes first, then those of old ones.
    pub peppers: Peppers,
    /// bcrypt cost of new hashes.
    pub cost: Cost,
    /// The key under which what was typed is counted and compared without being kept.
    pub key: MacKey,
    /// How many failures close an account, and for how long.
    pub lockout: Lockout,
    /// Attempts per network and name.
    pub limits: LimitSettings,
    /// Names with which one network may fail in an hour.
    pub sprayed_names: NonZeroU32,
    /// Networks of the proxies before Dex.
    pub proxies: TrustedProxies,
    /// Refuse accounts whose e-mail address is not proved.
    pub require_verified_email: bool,
    /// The id that the connector has in Dex's configuration.
    pub connector_id: String,
}

/// The parts that the roles of a process share: `login`, and the accounts pages.
#[derive(Debug)]
pub struct Core {
    /// The database.
    pub store: Store,
    /// Lets attempts in and counts how they end.
    pub guard: Guard,
    /// The threads that hash passwords, and the queue before them.
    pub pool: Pool,
    /// Where refusals wait until they are due.
    pub parking: Parking,
    /// Attempts per network and name.
    pub limits: Limits,
    /// Networks that try many names.
    pub spraying: Spraying,
    /// The networks of the proxies before Dex: no person calls from their addresses.
    pub proxies: TrustedProxies,
    /// The key under which what was typed is counted and compared without being kept.
    pub key: MacKey,
    /// The time, and ids of charges, of due work and of audit lines.
    pub sources: Sources,
    /// The audit trail.
    pub trail: Trail,
    /// Refuse accounts whose e-mail address is not proved.
    pub require_verified_email: bool,
    /// The id that the connector has in Dex's configuration: tickets are made for it.
    pub connector_id: String,
    /// The tasks of the process.
    pub tasks: Tasks,
}

impl Core {
    /// Measures how fast this machine hashes, which takes about 0.3 s, and puts the parts together.
    /// There is a hasher for each processor that this process may use.
    pub async fn open(
        settings: CoreSettings,
        store: Store,
        sources: Sources,
        tasks: Tasks,
    ) -> Self {
        let processors = processors();
        let calibration = Calibration::measure(processors).await;
        let pool = Pool::new(processors, settings.cost, settings.peppers, calibration);
        Self {
            guard: Guard::new(store.clone(), settings.lockout),
            parking: Parking::default(),
            limits: Limits::new(&settings.limits, pool.hashes_per_minute()),
            spraying: Spraying::new(settings.sprayed_names),
            proxies: settings.proxies,
            key: settings.key,
            trail: Trail::start(store.clone(), sources, &tasks),
            require_verified_email: settings.require_verified_email,
            connector_id: settings.connector_id,
            pool,
            store,
            sources,
            tasks,
        }
    }
}

/// The processors that this process may use: the CPU quota of its container, if it has one.
#[must_use]
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}
