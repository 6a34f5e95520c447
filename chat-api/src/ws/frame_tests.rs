use super::*;

#[test]
fn frames_are_understood() {
    let subscribe =
        Inbound::parse(r#"{"type":"subscribe","rooms":{"lobby":null,"b":"x"}}"#).unwrap();
    let Inbound::Subscribe(rooms) = subscribe else { panic!("{subscribe:?}") };
    assert_eq!(rooms["lobby"], None);
    assert_eq!(rooms["b"].as_deref(), Some("x"));
    assert!(matches!(Inbound::parse(r#"{"type":"ping"}"#), Ok(Inbound::Ping)));
    let auth = Inbound::parse(r#"{"type":"auth","token":"t"}"#);
    assert!(matches!(auth, Ok(Inbound::Auth(Credentials::Token(token))) if token == "t"));
    let auth = Inbound::parse(r#"{"type":"auth","guest":true}"#);
    assert!(matches!(auth, Ok(Inbound::Auth(Credentials::Guest))));
    let send = Inbound::parse(r#"{"type":"send","ref":"1","room_id":"lobby","content":"hi"}"#);
    assert!(matches!(send, Ok(Inbound::Send(send)) if send.content == "hi"));
}

#[test]
fn what_is_no_frame_is_refused_with_its_reason() {
    let cases = [
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "missing field: type"),
        (r#"{"type":7}"#, "type: expected a string"),
        (r#"{"type":"dance"}"#, "unknown frame type"),
        (r#"{"type":"ping","loud":true}"#, "unknown field: loud"),
        (r#"{"type":"subscribe","rooms":["lobby"]}"#, "rooms: expected an object"),
        (r#"{"type":"subscribe","rooms":{"lobby":1}}"#, "rooms: expected cursors or null"),
        (r#"{"type":"unsubscribe","rooms":[1]}"#, "rooms: expected a list of strings"),
        (r#"{"type":"send","room_id":"lobby","content":"hi"}"#, "missing field: ref"),
        (r#"{"type":"auth"}"#, "missing field: token"),
        (r#"{"type":"auth","guest":false}"#, "missing field: token"),
        (r#"{"type":"auth","guest":"yes"}"#, "guest: expected true or false"),
        (r#"{"type":"auth","guest":true,"token":"t"}"#, "a guest has no token"),
    ];
    for (text, reason) in cases {
        let error = Inbound::parse(text).unwrap_err().to_string();
        assert!(error.starts_with(reason), "{text}: {error}");
    }
    let long =
        format!(r#"{{"type":"send","ref":"{}","room_id":"a","content":"b"}}"#, "r".repeat(65));
    assert!(matches!(Inbound::parse(&long), Err(FrameError::Reference)));
}
