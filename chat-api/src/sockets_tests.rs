use super::*;

fn person(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

#[test]
fn the_eleventh_socket_of_a_person_replaces_the_oldest_that_is_open() {
    let sockets = Arc::new(Sockets::default());
    let open = |name: &str| {
        let mut seat = sockets.admit();
        seat.belongs_to(&person(name));
        seat
    };
    let mut adas: Vec<Seat> = (0..10).map(|_| open("ada")).collect();
    let bob = open("bob");
    adas.remove(0);
    adas.push(open("ada"));
    assert!(adas.iter().all(|seat| seat.command().is_none()), "ten are open");
    adas.push(open("ada"));
    assert_eq!(adas[0].command(), Some(SocketCommand::Replace));
    assert!(adas[1..].iter().all(|seat| seat.command().is_none()));
    assert_eq!(bob.command(), None);
    drop((adas, bob));
    let state = sockets.lock();
    assert!(state.open.is_empty() && state.people.is_empty());
}

#[test]
fn a_command_reaches_those_who_are_there_and_those_who_come_until_it_is_taken_back() {
    let sockets = Arc::new(Sockets::default());
    let early = sockets.admit();
    sockets.tell_all(SocketCommand::Resync);
    let late = sockets.admit();
    assert_eq!(
        (early.command(), late.command()),
        (Some(SocketCommand::Resync), Some(SocketCommand::Resync))
    );
    sockets.withdraw(SocketCommand::Resync);
    assert_eq!(sockets.admit().command(), None);
    sockets.tell_all(SocketCommand::Drain);
    sockets.withdraw(SocketCommand::Resync);
    assert_eq!(
        sockets.admit().command(),
        Some(SocketCommand::Drain),
        "only what was said is taken back"
    );
    assert_eq!(early.command(), Some(SocketCommand::Drain));
    sockets.tell_all(SocketCommand::Resync);
    assert_eq!(early.command(), Some(SocketCommand::Drain), "the gravest command stays");
}
