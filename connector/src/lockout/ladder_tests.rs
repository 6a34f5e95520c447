use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

fn ladder() -> Lockout {
    Lockout {
        first_at: 10,
        step: 5,
        closed_at: 60,
        first_pause: Duration::from_mins(1),
        longest_pause: Duration::from_hours(1),
        known_network: 5,
    }
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn failed(failures: u32, last: DateTime<Utc>) -> History {
    History { failures, last_failure_at: Some(last), pending: Vec::new() }
}

#[test]
fn ten_failures_close_for_a_minute_and_each_further_five_for_twice_as_long_up_to_an_hour() {
    let minutes: Vec<(u32, u64)> = (0..=60)
        .map(|failures| (failures, ladder().pause_after(failures).as_secs()))
        .filter(|(_, pause)| *pause > 0)
        .map(|(failures, pause)| (failures, pause / 60))
        .collect();
    let expected = [
        (10, 1),
        (15, 2),
        (20, 4),
        (25, 8),
        (30, 16),
        (35, 32),
        (40, 60),
        (45, 60),
        (50, 60),
        (55, 60),
        (60, 60),
    ];
    assert_eq!(minutes, expected);
}

#[test]
fn a_pause_ends_when_it_is_over_and_at_sixty_it_does_not() {
    let at = start();
    assert_eq!(ladder().verdict(&failed(9, at), at), Verdict::Open(1));
    let minute = TimeDelta::minutes(1);
    assert_eq!(ladder().verdict(&failed(10, at), at), Verdict::Paused(at + minute));
    let almost = at + minute - TimeDelta::milliseconds(1);
    assert_eq!(ladder().verdict(&failed(10, at), almost), Verdict::Paused(at + minute));
    assert_eq!(ladder().verdict(&failed(10, at), at + minute), Verdict::Open(5));
    assert_eq!(ladder().verdict(&failed(14, at), at), Verdict::Open(1));
    assert_eq!(ladder().verdict(&failed(60, at), at + TimeDelta::hours(23)), Verdict::Closed);
}

#[test]
fn a_day_without_a_failure_begins_anew_for_strangers_and_not_for_known_networks() {
    let at = start();
    let day = at + TimeDelta::hours(24);
    assert_eq!(ladder().verdict(&failed(60, at), day), Verdict::Open(10));
    assert_eq!(ladder().known_verdict(&failed(5, at), day + TimeDelta::days(89)), Verdict::Closed);
    assert_eq!(ladder().known_verdict(&failed(4, at), day), Verdict::Open(1));
}

#[test]
fn attempts_under_way_take_the_room_of_failures() {
    let at = start();
    let history = |pending| History { pending: vec![at; pending], ..failed(7, at) };
    assert_eq!(ladder().verdict(&history(2), at), Verdict::Open(1));
    assert_eq!(ladder().verdict(&history(3), at), Verdict::Busy);
    let pair = |pending| History { pending: vec![at; pending], ..History::default() };
    assert_eq!(ladder().known_verdict(&pair(4), at), Verdict::Open(1));
    assert_eq!(ladder().known_verdict(&pair(5), at), Verdict::Busy);
}

#[test]
fn a_charge_that_outlived_its_life_is_a_failure_of_the_time_it_ended() {
    let at = start();
    let history = History { pending: vec![at, at + TimeDelta::seconds(1)], ..failed(8, at) };
    let later = at + TimeDelta::seconds(31);
    // However late it is noticed, the pause began when the life of the last charge was over.
    for noticed in [later, later + TimeDelta::seconds(29)] {
        assert_eq!(history.at(noticed, Some(MEMORY)), failed(10, later));
        assert_eq!(
            ladder().verdict(&history, noticed),
            Verdict::Paused(later + TimeDelta::minutes(1))
        );
    }
}

#[test]
fn settings_that_make_no_ladder_or_one_that_the_standard_forbids_are_refused() {
    let with = |change: fn(&mut Lockout)| {
        let mut lockout = ladder();
        change(&mut lockout);
        lockout.checked()
    };
    assert!(with(|_| {}).is_ok(), "60 + 8 × 5 = 100");
    assert_eq!(with(|l| l.first_at = 61), Err(InvalidLockout::Order));
    assert_eq!(with(|l| l.first_pause = Duration::from_secs(3601)), Err(InvalidLockout::Pauses));
    assert_eq!(with(|l| l.closed_at = 61), Err(InvalidLockout::TooMany));
    assert_eq!(with(|l| l.known_network = 6), Err(InvalidLockout::TooMany));
}

/// What one row of the guard does, by the rules of the ladder alone.
#[derive(Default)]
struct GuardRow {
    history: History,
    /// Verified guesses with the time at which each was let in.
    verified: Vec<DateTime<Utc>>,
}

impl GuardRow {
    fn reserve(&mut self, lockout: &Lockout, now: DateTime<Utc>) -> bool {
        let open = matches!(lockout.verdict(&self.history, now), Verdict::Open(_));
        if open {
            self.history = self.history.at(now, Some(MEMORY));
            self.history.pending.push(now);
        }
        open
    }

    fn fail(&mut self, charge: DateTime<Utc>, now: DateTime<Utc>) {
        let Some(place) = self.history.pending.iter().position(|begun| *begun == charge) else {
            return;
        };
        self.history.pending.swap_remove(place);
        self.history = self.history.at(now, Some(MEMORY));
        self.history.failures += 1;
        self.history.last_failure_at = self.history.last_failure_at.max(Some(now));
    }
}

/// Any number of guesses at once, in any order, answered, dropped before they were verified, or
/// held by a process that dies: no more are verified than the ladder allows.
#[test]
fn a_hundred_thousand_random_interleavings_never_exceed_the_ladder() {
    let lockout = ladder();
    let mut random = StdRng::seed_from_u64(4);
    let (mut most, mut locked) = (0, 0);
    for _ in 0..100_000 {
        let mut row = GuardRow::default();
        let mut under_way: Vec<DateTime<Utc>> = Vec::new();
        let mut now = start();
        for _ in 0..60 {
            // Every moment is different, so that a charge is known by its time.
            now += TimeDelta::milliseconds(1 + random.random_range(0..40_000));
            match random.random_range(0..10) {
                0..6 if row.reserve(&lockout, now) => {
                    row.verified.push(now);
                    under_way.push(now);
                }
                6..9 if !under_way.is_empty() => {
                    let charge = under_way.swap_remove(random.random_range(0..under_way.len()));
                    row.fail(charge, now);
                }
                // Its process dies: nobody settles it.
                9 if !under_way.is_empty() => {
                    under_way.swap_remove(random.random_range(0..under_way.len()));
                }
                _ => {}
            }
            let total = row.history.failures + u32::try_from(row.history.pending.len()).unwrap();
            assert!(total <= lockout.limit_after(row.history.failures));
        }
        // 10 at once, then 5 after each pause, which the ladder begins at the earliest moment.
        for (index, at) in row.verified.iter().enumerate() {
            let index = u32::try_from(index).unwrap();
            let earliest: Duration =
                (0..=index).map(|failures| lockout.pause_after(failures)).sum();
            assert!(*at - start() >= TimeDelta::from_std(earliest).unwrap(), "guess {index}");
        }
        most = most.max(row.verified.len());
        locked += usize::from(row.verified.len() >= 10);
    }
    assert!(most > 15 && locked > 1_000, "the pauses were reached: {most}, {locked}");
}
