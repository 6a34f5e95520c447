use super::*;

const STATE: &str = "abcdefghijklmnopqrstuvw27";

const REQUEST: &str = "client_id=app&redirect_uri=https%3A%2F%2Fchat.example%2Fcallback&response_type=code\
                       &scope=openid+email&state=of+the+app&nonce=n&code_challenge=c&code_challenge_method=S256";

#[test]
fn dex_s_state_is_25_signs_of_base_32_and_anything_else_leads_nowhere() {
    let login = HandBack::parse(&format!("lang=de&state={STATE}")).expect("a state");
    assert_eq!(login.query(), format!("state={STATE}"));
    let long = format!("{STATE}a");
    for state in ["", &STATE[1..], &long, "abcdefghijklmnopqrstuvw21", "ABCDEFGHIJKLMNOPQRSTUVW27"]
    {
        assert_eq!(HandBack::parse(&format!("state={state}")), None, "{state}");
    }
    for query in [
        String::new(),
        format!("stat={STATE}"),
        format!("state={STATE}&state={STATE}"),
        format!("state={STATE}%00"),
        format!("state={STATE}%0d%0a"),
        format!("state=https://evil.example/{STATE}"),
        "redirect_uri=a&state=of+the+app".to_owned(),
    ] {
        assert_eq!(HandBack::parse(&query), None, "{query}");
    }
}

#[test]
fn with_a_client_id_it_is_an_app_s_request_of_known_parameters() {
    let request = HandBack::parse(&format!("{REQUEST}&prompt=none&connector_id=other&back=x"));
    assert_eq!(request.expect("a request").query(), REQUEST);
    let read = |query: &str| HandBack::parse(query).map(|request| request.query());
    assert_eq!(
        read("state=of+the+app&client_id=app").as_deref(),
        Some("client_id=app&state=of+the+app")
    );
    let longest = format!("client_id={}", "a".repeat(MAX_QUERY_BYTES - "client_id=".len()));
    assert_eq!(read(&longest), Some(longest.clone()));
    for query in [
        format!("{longest}a"),
        format!("{REQUEST}&client_id=other"),
        format!("{REQUEST}%00"),
        "client_id=app&redirect_uri=a%0d%0aSet-Cookie:b".to_owned(),
        "client_id=app&scope=%FF".to_owned(),
        "client_id=".to_owned(),
    ] {
        assert_eq!(read(&query), None, "{query}");
    }
}

#[test]
fn neither_is_shown() {
    for query in [format!("state={STATE}"), REQUEST.to_owned()] {
        let shown = format!("{:?}", HandBack::parse(&query));
        assert!(!shown.contains(STATE) && !shown.contains("app"), "{shown}");
    }
}
