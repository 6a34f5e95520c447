use super::*;

fn faults(text: &str) -> Vec<(usize, String)> {
    let plan = Plan::parse(text, false).unwrap();
    plan.faults().iter().map(|fault| (fault.row, fault.field.to_string())).collect()
}

fn named(pairs: &[(usize, &str)]) -> Vec<(usize, String)> {
    pairs.iter().map(|(row, field)| (*row, (*field).to_owned())).collect()
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
  - { username: GOOD, is_active: 3 }
  - { username: bell, full_name: \"\\a\" }
  - { email: x@y.z, pasword: b, email_verified: 'yes', groups: staff, username: ~ }
  - { username: 7, id: nonsense, groups: [1], email: a@b.c, email: d@e.f }
  - somebody
  - [username]
  -
";
    let expected = [
        (2, "username"),
        (2, "email"),
        (2, "groups"),
        (3, "username"),
        (3, "password"),
        (4, "password_hash"),
        (5, "password"),
        (6, "is_active"),
        (6, "username"),
        (7, "full_name"),
        (8, "pasword"),
        (8, "username"),
        (8, "groups"),
        (8, "email_verified"),
        (9, "email"),
        (9, "username"),
        (9, "id"),
        (9, "groups"),
        (10, "username"),
        (11, "username"),
        (12, "username"),
    ];
    assert_eq!(faults(text), named(&expected));
}

#[test]
fn what_stands_in_two_rows_is_refused_whatever_else_is_wrong_with_them() {
    let text = "users: [{username: a, email: x@y.z}, {username: b, email: X@Y.z}]";
    assert_eq!(faults(text), named(&[(2, "email")]));
    let text = "users: [{username: a, groups: 1}, {username: A}]";
    assert_eq!(faults(text), named(&[(1, "groups"), (2, "username")]));
}

#[test]
fn a_field_without_a_value_is_as_one_that_is_not_there() {
    let fields = ["id", "email", "full_name", "groups", "is_active", "password", "password_hash"];
    for field in fields {
        assert_eq!(faults(&format!("users: [{{username: a, {field}: ~}}]")), [], "{field}");
    }
}

#[test]
fn a_full_name_of_blanks_is_none_and_blanks_around_one_do_not_count() {
    for (written, meant) in [("'  '", ""), ("' Ada L. '", "Ada L.")] {
        let plan = Plan::parse(&format!("users: [{{username: a, full_name: {written}}}]"), false);
        let plan = plan.unwrap();
        let (account, _) = plan.accounts[0].as_ref().unwrap();
        assert_eq!(account.full_name, meant, "{written}");
    }
}

#[test]
fn a_file_that_is_no_list_of_accounts_is_refused_with_the_reason() {
    for (text, named) in [
        ("accounts: []", "accounts"),
        ("[", "not usable"),
        ("", "users"),
        ("users: [{}, {groups: [!x a]}]", "users[1]: a value cannot be read at line 1 column "),
    ] {
        let error = Plan::parse(text, true).unwrap_err().to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
}

#[test]
fn no_error_repeats_a_password() {
    for text in [
        "users: [{username: '', password: canary}]",
        "users: [{username: '', password: [canary]}]",
        "users: [{username: a, password_hash: canary}]",
        "users: [{username: a, email_verified: canary}]",
        "users: canary",
        "users: [canary]",
        r#"users: [{username: a, email_verified: 'a"canary'}]"#,
        r#"users: [{username: a, email_verified: 'a\"canary'}]"#,
        "users: [{username: a, password:canary}]",
        "users: [{username: a, password, canary}]",
        "users: [{username: a, 'password: canary': x}]",
    ] {
        let shown = match Plan::parse(text, false) {
            Ok(plan) => format!("{plan:?} {:?}", plan.faults()),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!shown.contains("canary"), "{text}: {shown}");
    }
}
