//! Connections that are kept between two requests give way to new ones before there is no place left: whoever keeps
//! many, and asks for nothing, keeps nobody out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::Id;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::Activity;

/// One place in so many is for new connections, and one at least.
const FOR_NEW: usize = 16;
/// How often it is looked for who gives way: that walks through all connections. Whoever is told to has closed within
/// as long as a connection is drained.
const EVERY: Duration = Duration::from_secs(1);

/// The connections of one listener, by their tasks.
pub(super) struct Kept {
    connections: HashMap<Id, (Arc<Activity>, CancellationToken)>,
    /// Fewer free places than this are too few.
    for_new: usize,
    looked: Option<Instant>,
}

impl Kept {
    /// Those of a listener with so many places.
    pub(super) fn new(places: usize) -> Self {
        Self { connections: HashMap::new(), for_new: (places / FOR_NEW).max(1), looked: None }
    }

    /// A connection has begun; it ends by this token as soon as nothing is asked by it.
    pub(super) fn add(&mut self, task: Id, activity: Arc<Activity>, leaving: CancellationToken) {
        self.connections.insert(task, (activity, leaving));
    }

    /// It has ended, or is its handler's.
    pub(super) fn forget(&mut self, task: Id) {
        self.connections.remove(&task);
    }

    /// If there are too few free places, as many connections end as there should be: those by which nothing has been
    /// asked for longest. Who asks, or is answered, goes on.
    pub(super) fn make_room(&mut self, free: usize) {
        if free >= self.for_new || self.looked.is_some_and(|looked| looked.elapsed() < EVERY) {
            return;
        }
        self.looked = Some(Instant::now());
        let idle = self.connections.values();
        let mut idle: Vec<(Instant, &CancellationToken)> = idle
            .filter_map(|(activity, leaving)| Some((activity.idle_since()?, leaving)))
            .collect();
        idle.sort_unstable_by_key(|(since, _)| *since);
        for (_, leaving) in idle.iter().take(self.for_new) {
            leaving.cancel();
        }
    }
}
