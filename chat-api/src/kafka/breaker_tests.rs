use std::time::Duration;

use super::*;

/// A breaker and a clock that is a second later at each look.
struct Scene {
    breaker: Breaker,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        let now = Instant::now();
        Self { breaker: Breaker::new(now), now }
    }

    fn tick(&mut self) -> Instant {
        self.now += Duration::from_secs(1);
        self.now
    }

    /// The time of an append that was admitted.
    fn admit(&mut self) -> Instant {
        let now = self.tick();
        assert!(self.breaker.admit(now), "{:?}", self.breaker);
        now
    }

    fn refuse(&mut self) {
        let now = self.tick();
        assert!(!self.breaker.admit(now), "{:?}", self.breaker);
    }

    fn ended(&mut self, admitted: Instant, outcome: Outcome) -> BreakerState {
        let now = self.tick();
        self.breaker.ended(admitted, outcome, now);
        self.breaker.state()
    }

    fn found(&mut self) {
        let now = self.tick();
        self.breaker.found(now);
    }

    fn open() -> Self {
        let mut scene = Self::new();
        let append = scene.admit();
        assert_eq!(scene.ended(append, Outcome::Outage), BreakerState::Open);
        scene
    }
}

#[test]
fn one_outage_opens_it_and_other_ends_do_not() {
    let mut scene = Scene::new();
    let appends = [scene.admit(), scene.admit(), scene.admit()];
    assert_eq!(scene.ended(appends[0], Outcome::Answered), BreakerState::Closed);
    assert_eq!(scene.ended(appends[1], Outcome::Unclear), BreakerState::Closed);
    assert_eq!(scene.ended(appends[2], Outcome::Outage), BreakerState::Open);
    scene.refuse();
}

#[test]
fn after_a_probe_one_append_at_a_time_is_tried() {
    let mut scene = Scene::open();
    scene.refuse();
    scene.found();
    let trial = scene.admit();
    scene.refuse();
    assert_eq!(scene.ended(trial, Outcome::Outage), BreakerState::Open);
    scene.refuse();
    scene.found();
    let trial = scene.admit();
    assert_eq!(scene.ended(trial, Outcome::Answered), BreakerState::Closed);
    scene.admit();
}

#[test]
fn a_trial_that_tells_nothing_leaves_the_trial_to_the_next_append() {
    let mut scene = Scene::open();
    scene.found();
    let trial = scene.admit();
    assert_eq!(scene.ended(trial, Outcome::Unclear), BreakerState::HalfOpen);
    let trial = scene.admit();
    assert_eq!(scene.ended(trial, Outcome::Answered), BreakerState::Closed);
}

#[test]
fn what_was_admitted_before_the_present_state_does_not_change_it() {
    let mut scene = Scene::new();
    let late: Vec<Instant> = (0..4).map(|_| scene.admit()).collect();
    assert_eq!(scene.ended(late[0], Outcome::Outage), BreakerState::Open);
    assert_eq!(scene.ended(late[1], Outcome::Answered), BreakerState::Open);
    scene.found();
    let trial = scene.admit();
    assert_eq!(scene.ended(late[2], Outcome::Outage), BreakerState::Trying);
    assert_eq!(scene.ended(trial, Outcome::Answered), BreakerState::Closed);
    assert_eq!(scene.ended(late[3], Outcome::Outage), BreakerState::Closed);
    let fresh = scene.admit();
    assert_eq!(scene.ended(fresh, Outcome::Outage), BreakerState::Open);
}

#[test]
fn a_probe_changes_only_what_is_open() {
    let mut scene = Scene::new();
    scene.found();
    assert_eq!(scene.breaker.state(), BreakerState::Closed);
    let mut scene = Scene::open();
    scene.found();
    scene.admit();
    scene.found();
    assert_eq!(scene.breaker.state(), BreakerState::Trying);
}

/// Every course of six events: it admits only in the two states that let something through, and
/// a probe and an answered trial always close it.
#[test]
fn no_course_of_events_leaves_it_shut() {
    use Outcome::{Answered, Outage, Unclear};
    const LENGTH: u32 = 6;
    for course in 0..6_u32.pow(LENGTH) {
        let mut scene = Scene::new();
        let mut under_way: Vec<Instant> = Vec::new();
        for event in (0..LENGTH).map(|place| course / 6_u32.pow(place) % 6) {
            let now = scene.tick();
            let (latest, outcome) = match event {
                0 => {
                    let lets = matches!(
                        scene.breaker.state(),
                        BreakerState::Closed | BreakerState::HalfOpen
                    );
                    assert_eq!(scene.breaker.admit(now), lets);
                    under_way.extend(lets.then_some(now));
                    continue;
                }
                1 => {
                    scene.breaker.found(now);
                    continue;
                }
                2 => (true, Answered),
                3 => (true, Outage),
                4 => (true, Unclear),
                _ => (false, Outage),
            };
            let end = if latest { under_way.len().checked_sub(1) } else { Some(0) };
            if let Some(index) = end.filter(|index| *index < under_way.len()) {
                scene.ended(under_way[index], outcome);
                under_way.remove(index);
            }
        }
        for one in under_way {
            scene.ended(one, Outage);
        }
        scene.found();
        let trial = scene.admit();
        assert_eq!(scene.ended(trial, Answered), BreakerState::Closed);
    }
}
