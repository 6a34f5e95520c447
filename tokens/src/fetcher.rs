//! Keeping the issuer's keys: when they are fetched, how long they are held.

use std::{
    error::Error,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, watch};

use crate::{
    Clock, ConfigError, TokenError, VerifierConfig,
    error::Reason,
    fetch::{FetchError, Fetched, Issuer},
    keys::{Key, KeysById},
};

/// Keys are used this long without the issuer confirming them. Longer than an outage over night, short enough that
/// a key withdrawn meanwhile does not live on.
const HELD: TimeDelta = TimeDelta::hours(24);
/// Between two fetches for unknown keys: anyone can make up a `kid`, so the issuer sees two requests a minute at most.
const SEARCH_PAUSE: TimeDelta = TimeDelta::seconds(30);
/// Between two attempts to renew keys that are still held.
const RENEW_PAUSE: TimeDelta = TimeDelta::seconds(30);
/// Between two attempts while no key is held: nobody can get in, so a service started before its issuer
/// must not stay shut for half a minute.
const EMPTY_PAUSE: TimeDelta = TimeDelta::seconds(2);

/// How many names of unknown keys are remembered. Anyone can make them up: beyond this many, some are
/// taken for new ones, and their tokens are put off instead of refused. Some 2 MiB when full.
const REMEMBERED_NAMES: u64 = 10_000;

/// All that is known of the issuer's keys at a moment.
#[derive(Default)]
struct State {
    held: Option<Held>,
    /// When the last fetch ended, for whatever reason it was made.
    attempted: Option<DateTime<Utc>>,
    /// When the last fetch for an unknown key ended.
    searched: Option<DateTime<Utc>>,
}

struct Held {
    keys: KeysById,
    /// The number of the fetch that brought them.
    fetch: u64,
    since: DateTime<Utc>,
    refresh_after: TimeDelta,
}

/// Why a fetch is asked for.
#[derive(Clone, Copy)]
enum Want {
    /// No keys are held, or they are old.
    Renewal,
    /// A token names a key that is not held.
    Search,
}

impl State {
    fn held(&self, now: DateTime<Utc>) -> Option<&Held> {
        self.held.as_ref().filter(|held| now - held.since < HELD)
    }

    fn due(&self, want: Want, now: DateTime<Utc>) -> bool {
        match (want, self.held(now)) {
            (_, None) => !within(self.attempted, EMPTY_PAUSE, now),
            (Want::Search, Some(_)) => !within(self.searched, SEARCH_PAUSE, now),
            (Want::Renewal, Some(held)) => {
                !within(Some(held.since), held.refresh_after, now)
                    && !within(self.attempted, RENEW_PAUSE, now)
            }
        }
    }
}

/// Whether `event` was less than `pause` ago. After a clock was set back it was not: no pause becomes longer by that.
fn within(event: Option<DateTime<Utc>>, pause: TimeDelta, now: DateTime<Utc>) -> bool {
    event.is_some_and(|event| (TimeDelta::zero()..pause).contains(&(now - event)))
}

/// Requests to the fetcher: each is remembered until it is looked at.
#[derive(Default)]
struct Wants {
    renewal: Notify,
    search: Notify,
}

/// Names of keys that were asked for and not held then, with the fetch that had begun last. Once a later one has
/// succeeded, a key that is still not held is none of the issuer's; until then it may be a new one.
#[derive(Clone)]
struct Unknown {
    heard: Cache<[u8; 32], u64>,
    /// How many fetches have begun.
    begun: Arc<AtomicU64>,
}

impl Unknown {
    fn new() -> Self {
        Self { heard: Cache::new(REMEMBERED_NAMES), begun: Arc::default() }
    }

    /// The fetch that had begun last when this name was first heard; the last one now, if that is not known.
    fn heard(&self, kid: &str) -> u64 {
        self.heard.get_with(Self::name(kid), || self.begun.load(Ordering::SeqCst))
    }

    /// A fetch begins: its number.
    fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// This fetch brought no such key any more.
    fn withdrawn(&self, kid: &str, fetch: u64) {
        self.heard.insert(Self::name(kid), fetch.saturating_sub(1));
    }

    /// The SHA-256 of a name: a name itself is as long as whoever makes it up likes.
    fn name(kid: &str) -> [u8; 32] {
        Sha256::digest(kid).into()
    }
}

/// The reading side, used by the verifier.
pub(crate) struct Keys {
    state: watch::Receiver<State>,
    wants: Arc<Wants>,
    unknown: Unknown,
}

/// Fetches the issuer's keys for one [`crate::Verifier`]. Without it running, no new keys come in; once it is
/// dropped, nobody waits for one.
#[must_use = "no key is ever fetched unless it runs"]
pub struct KeyFetcher {
    issuer: Issuer,
    age_check: Duration,
    clock: Arc<dyn Clock>,
    state: watch::Sender<State>,
    wants: Arc<Wants>,
    unknown: Unknown,
}

pub(crate) fn keys(
    config: VerifierConfig,
    clock: Arc<dyn Clock>,
) -> Result<(Keys, KeyFetcher), ConfigError> {
    let age_check = config.age_check;
    let issuer = Issuer::new(config)?;
    let (sender, receiver) = watch::channel(State::default());
    let wants = Arc::<Wants>::default();
    let unknown = Unknown::new();
    let keys = Keys { state: receiver, wants: Arc::clone(&wants), unknown: unknown.clone() };
    Ok((keys, KeyFetcher { issuer, age_check, clock, state: sender, wants, unknown }))
}

impl Keys {
    /// The key, if it is held. Asks for a renewal in the background when the keys are old.
    pub(crate) fn get(&self, kid: &str, now: DateTime<Utc>) -> Option<Arc<Key>> {
        let state = self.state.borrow();
        if state.due(Want::Renewal, now) {
            self.wants.renewal.notify_one();
        }
        state.held(now)?.keys.get(kid).cloned()
    }

    /// The key; if it is not held, waits for a fetch when one may be made.
    ///
    /// A key is said to be none of the issuer's only if the issuer was asked since the key was first heard of.
    /// Until then its token is neither accepted nor refused for good: the key may be newer than what is held, and
    /// the fetch that would tell is put off because others have asked for keys that they made up.
    pub(crate) async fn find(&self, kid: &str, clock: &dyn Clock) -> Result<Arc<Key>, TokenError> {
        let mut changes = self.state.clone();
        let mut running = true;
        let mut heard = None;
        loop {
            let now = clock.now();
            if let Some(key) = self.get(kid, now) {
                return Ok(key);
            }
            {
                let state = changes.borrow_and_update();
                let heard = *heard.get_or_insert_with(|| self.unknown.heard(kid));
                let (want, otherwise) = match state.held(now) {
                    Some(held) if held.keys.contains_key(kid) => continue,
                    Some(held) if held.fetch > heard => {
                        (&self.wants.search, Reason::UnknownKey.into())
                    }
                    Some(_) => (&self.wants.search, TokenError::Unavailable),
                    None => (&self.wants.renewal, TokenError::Unavailable),
                };
                if !running || !state.due(Want::Search, now) {
                    return Err(otherwise);
                }
                want.notify_one();
            }
            running = changes.changed().await.is_ok();
        }
    }
}

impl KeyFetcher {
    /// Fetches the keys now, and later whenever they are old or a token names an unknown one, until `stop` is done.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = stop => {}
            () = self.fetch_when_due() => {}
        }
    }

    async fn fetch_when_due(self) {
        let mut want = Want::Renewal;
        loop {
            if self.state.borrow().due(want, self.clock.now()) {
                self.fetch(want).await;
            } else {
                // Nobody waits for what will not happen: those who asked look again.
                self.state.send_modify(|_| {});
            }
            want = tokio::select! {
                () = self.wants.search.notified() => Want::Search,
                () = self.wants.renewal.notified() => Want::Renewal,
                () = tokio::time::sleep(self.age_check) => Want::Renewal,
            };
        }
    }

    async fn fetch(&self, want: Want) {
        let (since, fetch) = (self.clock.now(), self.unknown.begin());
        let fetched = self.issuer.fetch().await;
        let now = self.clock.now();
        let outcome = fetched.as_ref().map_or_else(FetchError::label, |_| "ok");
        metrics::counter!("dex_key_fetches_total", "outcome" => outcome).increment(1);
        if let Err(error) = &fetched {
            let source = error.source().map(ToString::to_string);
            tracing::warn!(%error, source, "the issuer's keys could not be fetched");
        }
        self.state.send_modify(|state| {
            state.attempted = Some(now);
            if let Want::Search = want {
                state.searched = Some(now);
            }
            if let Ok(Fetched { keys, refresh_after }) = fetched {
                let refresh_after = TimeDelta::from_std(refresh_after).unwrap_or(HELD);
                // A key that is gone is withdrawn, not new: its tokens need not wait to hear that.
                let before = state.held.iter().flat_map(|held| held.keys.keys());
                for kid in before.filter(|kid| !keys.contains_key(*kid)) {
                    self.unknown.withdrawn(kid, fetch);
                }
                state.held = Some(Held { keys, fetch, since, refresh_after });
            }
        });
    }
}
