use super::*;

fn range(start: i64, end: i64) -> Range {
    let [start, end] = [start, end].map(|raw| Position::from_raw(raw).unwrap());
    Range { start, end }
}

#[test]
fn a_ring_begins_a_span_after_the_first_id_that_is_known() {
    let start = |log| {
        let Start { read, ring, .. } = Start::of(log, 10);
        (read.raw(), ring.raw())
    };
    assert_eq!(start(range(0, 0)), (0, 0));
    assert_eq!(start(range(0, 20)), (0, 0), "nothing was before the first record");
    assert_eq!(start(range(0, 100)), (80, 90));
    assert_eq!(start(range(85, 100)), (85, 90), "what the log let go may have been a first");
    assert_eq!(start(range(95, 100)), (95, 95));
    assert_eq!(start(range(100, 100)), (100, 100));
}
