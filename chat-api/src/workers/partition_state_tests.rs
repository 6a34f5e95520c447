use super::*;

fn begin(position: i64, lost: bool, start: i64, end: i64) -> Option<i64> {
    let at = |raw| Position::from_raw(raw).unwrap();
    let state = PartitionState {
        partition: Partition::from_number(0).unwrap(),
        progress: Progress { position: at(position), lost },
        range: Range { start: at(start), end: at(end) },
    };
    state.begin().map(Position::raw)
}

#[test]
fn reading_goes_on_right_after_progress_or_not_at_all() {
    assert_eq!(begin(-1, false, 0, 0), Some(0));
    assert_eq!(begin(-1, false, 7, 9), Some(7), "never begun: at the start of the log");
    assert_eq!(begin(4, false, 0, 9), Some(5));
    assert_eq!(begin(8, false, 0, 9), Some(9), "nothing is left to read");
    assert_eq!(begin(6, false, 7, 9), Some(7));
    assert_eq!(begin(5, false, 7, 9), None, "the log was cut behind progress");
    assert_eq!(begin(9, false, 0, 9), None, "the log is another one");
    assert_eq!(begin(9, true, 0, 99), None, "it stays lost when the log grows past it");
}
