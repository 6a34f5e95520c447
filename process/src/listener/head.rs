//! How long the head of a request may take: its line and its headers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{self, Duration};

use hyper::rt;
use tokio::time::{Instant, Sleep, sleep_until};

use super::connection::Activity;

/// hyper knows one limit for a head, which also runs while nothing is asked. It sets it anew for each
/// head, through its timer: so the timer can tell a head that has begun from one that has not.
pub(super) struct HeadTimer {
    activity: Arc<Activity>,
    head: Duration,
}

impl HeadTimer {
    /// The timer of one connection. `head` is the limit for a head that has begun; that for one that has
    /// not is what hyper asks for.
    pub(super) fn new(activity: Arc<Activity>, head: Duration) -> Self {
        Self { activity, head }
    }
}

impl rt::Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: time::Instant) -> Pin<Box<dyn rt::Sleep>> {
        let (now, idle) = (Instant::now(), Instant::from_std(deadline));
        let has_begun = self.activity.wait(now);
        let until = if has_begun { now + self.head } else { idle };
        Box::pin(HeadSleep {
            activity: Arc::clone(&self.activity),
            head: self.head,
            idle: idle.saturating_duration_since(now),
            has_begun,
            sleep: Box::pin(sleep_until(until)),
        })
    }

    fn now(&self) -> time::Instant {
        Instant::now().into_std()
    }
}

/// Ready when one head was waited for long enough. hyper asks whenever something happened.
struct HeadSleep {
    activity: Arc<Activity>,
    head: Duration,
    idle: Duration,
    has_begun: bool,
    sleep: Pin<Box<Sleep>>,
}

impl rt::Sleep for HeadSleep {}

impl Future for HeadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if !self.has_begun && self.activity.has_begun() {
            self.has_begun = true;
            let until = Instant::now() + self.head;
            self.sleep.as_mut().reset(until);
        }
        loop {
            ready!(self.sleep.as_mut().poll(context));
            // Who still takes the answer before is not idle; the writes have a limit of their own.
            if !self.activity.is_stalled() {
                return Poll::Ready(());
            }
            let until = Instant::now() + self.idle;
            self.sleep.as_mut().reset(until);
        }
    }
}
