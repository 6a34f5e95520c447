use super::*;

#[test]
fn neither_records_nor_bytes_exceed_their_bound_and_places_come_back() {
    let in_flight = InFlight::new(Bounds { messages: 3, bytes: 100 });
    let large = in_flight.take(90).unwrap();
    assert!(in_flight.take(11).is_none(), "too many bytes");
    let small = [in_flight.take(5).unwrap(), in_flight.take(5).unwrap()];
    assert!(in_flight.take(0).is_none(), "too many records");
    drop(small);
    assert!(in_flight.take(11).is_none(), "a refused record leaves nothing behind");
    drop(large);
    assert!(in_flight.take(100).is_some());
}
