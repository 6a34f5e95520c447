use super::*;

#[test]
fn a_return_path_is_of_this_origin() {
    for path in ["/", "/accounts/profile", "/rooms/1?since=2&x=%2F%2Fa", "/a//b", "/.//x"] {
        assert_eq!(ReturnPath::parse(path).map(|path| path.0).as_deref(), Some(path));
    }
    let long = format!("/{}", "a".repeat(1024));
    for path in [
        "",
        "accounts",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        " /accounts",
        "/a b",
        "/stra\u{df}e",
        "/a#b",
        &long,
    ] {
        assert_eq!(ReturnPath::parse(path), None, "{path:?}");
    }
}

#[test]
fn a_path_of_elsewhere_is_not_read_from_a_flow_either() {
    assert!(serde_json::from_str::<ReturnPath>("\"//evil.example\"").is_err());
}

#[test]
fn state_nonce_and_verifier_differ_and_are_long_enough() {
    let flow = Flow::new(ReturnPath::parse("/").unwrap(), Sources::system());
    let secrets = [&flow.state, &flow.nonce, &flow.verifier];
    assert!(secrets.iter().all(|secret| secret.len() == 54));
    assert!(flow.state != flow.nonce && flow.nonce != flow.verifier && flow.state != flow.verifier);
    assert_eq!(format!("{flow:?}"), "Flow(…)");
}
