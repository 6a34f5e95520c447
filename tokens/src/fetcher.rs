//! Keeping the issuer's keys: when they are fetched, how long they are held.

use std::{error::Error, future::Future, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
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

/// The reading side, used by the verifier.
pub(crate) struct Keys {
    state: watch::Receiver<State>,
    wants: Arc<Wants>,
}

/// Fetches the issuer's keys for one [`crate::Verifier`]. Without it running, no new keys come in; once it is
/// dropped, tokens whose key is not held are refused at once.
#[must_use = "no key is ever fetched unless it runs"]
pub struct KeyFetcher {
    issuer: Issuer,
    age_check: Duration,
    clock: Arc<dyn Clock>,
    state: watch::Sender<State>,
    wants: Arc<Wants>,
}

pub(crate) fn keys(
    config: VerifierConfig,
    clock: Arc<dyn Clock>,
) -> Result<(Keys, KeyFetcher), ConfigError> {
    let age_check = config.age_check;
    let issuer = Issuer::new(config)?;
    let (sender, receiver) = watch::channel(State::default());
    let wants = Arc::<Wants>::default();
    let keys = Keys { state: receiver, wants: Arc::clone(&wants) };
    Ok((keys, KeyFetcher { issuer, age_check, clock, state: sender, wants }))
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
    pub(crate) async fn find(&self, kid: &str, clock: &dyn Clock) -> Result<Arc<Key>, TokenError> {
        let mut changes = self.state.clone();
        let mut running = true;
        loop {
            let now = clock.now();
            if let Some(key) = self.get(kid, now) {
                return Ok(key);
            }
            {
                let state = changes.borrow_and_update();
                let (want, otherwise) = match state.held(now) {
                    Some(held) if held.keys.contains_key(kid) => continue,
                    Some(_) => (&self.wants.search, Reason::UnknownKey.into()),
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
        let since = self.clock.now();
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
                state.held = Some(Held { keys, since, refresh_after });
            }
        });
    }
}
