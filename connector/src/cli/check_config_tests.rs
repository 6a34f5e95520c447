use super::*;

const LOCKOUT: Lockout = Lockout {
    first_at: 10,
    step: 5,
    closed_at: 60,
    first_pause: Duration::from_secs(90),
    longest_pause: Duration::from_hours(1),
    known_network: 5,
};

#[test]
fn the_ladder_is_told_in_words() {
    assert_eq!(
        strangers(&LOCKOUT),
        "10 failures close an account for 90 s, each 5 more for twice as long, at most 60 min; 60 \
         until it is unlocked"
    );
    let one_step = Lockout { first_at: 60, ..LOCKOUT };
    assert_eq!(strangers(&one_step), "60 failures close an account until it is unlocked");
    assert_eq!(
        known_networks(&LOCKOUT),
        "5 failures of their own each, 8 networks an account at most"
    );
}
