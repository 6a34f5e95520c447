use super::*;

#[test]
fn a_cell_is_cut_by_characters_and_only_when_it_is_too_long() {
    assert_eq!(cut("straße", 6), "straße");
    assert_eq!(cut("straßen", 6), "straß…");
}

#[test]
fn an_empty_cell_can_be_seen() {
    assert_eq!(shown(""), "–");
}
