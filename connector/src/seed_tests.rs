use super::*;

fn faults(text: &str) -> Vec<(usize, &'static str)> {
    match Plan::parse(text, false) {
        Err(InvalidFile::Rows(rows)) => rows.iter().map(|row| (row.row, row.field)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fault_of_every_row_is_named() {
    let text = "
users:
  - { username: good }
  - { username: a@b, email: nowhere, groups: [''] }
  - { username: '', password: plain }
  - { username: hashed, password_hash: $2b$04$abc }
  - { username: both, password: a, password_hash: b }
  - { username: GOOD }
  - { username: bell, full_name: \"\\a\" }
";
    assert_eq!(
        faults(text),
        [
            (2, "username"),
            (2, "email"),
            (2, "groups"),
            (3, "username"),
            (3, "password"),
            (4, "password_hash"),
            (5, "password"),
            (6, "username"),
            (7, "full_name"),
        ]
    );
}

#[test]
fn one_address_in_two_rows_is_refused() {
    let text = "users: [{username: a, email: x@y.z}, {username: b, email: X@Y.z}]";
    assert_eq!(faults(text), [(2, "email")]);
}

#[test]
fn unknown_and_missing_fields_are_named() {
    for (text, named) in [
        ("users: [{username: a, pasword: b}]", "pasword"),
        ("users: [{email: a@b}]", "username"),
        ("accounts: []", "accounts"),
        ("users: [{username: a, is_active: 3}]", "is_active"),
        ("[", "not usable"),
    ] {
        let error = Plan::parse(text, true).unwrap_err().to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
}

#[test]
fn no_error_repeats_a_password() {
    for text in [
        "users: [{username: '', password: canary}]",
        "users: [{username: a, password_hash: canary}]",
        "users: [{username: a, email_verified: canary}]",
        "users: canary",
        r#"users: [{username: a, email_verified: 'a"canary'}]"#,
        r#"users: [{username: a, email_verified: 'a\"canary'}]"#,
        "users: [{username: a, password:canary}]",
        "users: [{username: a, 'password: canary': x}]",
    ] {
        let error = Plan::parse(text, false).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{text}: {error}");
    }
}
