use super::*;

#[test]
fn a_subject_is_what_dex_makes_of_it() {
    // Both vectors are of Dex's own tests.
    let vector = IdTokenSubject { user_id: "foo".to_owned(), conn_id: "bar".to_owned() };
    assert_eq!(encode(&vector), "CgNmb28SA2Jhcg");

    let account = AccountId::parse("08a8684b-db88-4b73-90a9-3cd1661f5466").unwrap();
    let sub = "CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjYSBWxvY2Fs";
    assert_eq!(subject(account, "local"), sub);
}
