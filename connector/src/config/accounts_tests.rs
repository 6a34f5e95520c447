use super::*;

#[test]
fn the_pages_are_at_accounts_over_tls_or_on_localhost() {
    for (text, origin) in [
        ("https://chat.example/accounts", "https://chat.example"),
        ("https://Chat.Example:8443/accounts", "https://chat.example:8443"),
        ("http://localhost:5559/accounts", "http://localhost:5559"),
        ("http://127.0.0.1:5559/accounts", "http://127.0.0.1:5559"),
        ("http://[::1]:5559/accounts", "http://[::1]:5559"),
    ] {
        let url = PublicUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(url.origin(), origin);
    }
}

#[test]
fn what_cannot_be_their_address_is_refused() {
    for text in [
        "",
        "chat.example/accounts",
        "ftp://chat.example/accounts",
        "https://chat.example",
        "https://chat.example/accounts/",
        "https://chat.example/elsewhere/accounts",
        "https://chat.example/accounts?a=b",
        "https://chat.example/accounts#a",
        "https://me@chat.example/accounts",
    ] {
        assert_eq!(PublicUrl::parse(text), Err(InvalidPublicUrl::Form), "{text}");
    }
    for text in ["http://chat.example/accounts", "http://localhost.example/accounts"] {
        assert_eq!(PublicUrl::parse(text), Err(InvalidPublicUrl::PlainText), "{text}");
    }
}

#[test]
fn the_app_is_at_an_address_that_a_link_may_lead_to() {
    assert!(parse_app("http://localhost:5173/").is_ok());
    for text in ["", "/", "chat.example", "javascript:alert(1)", "https://me@chat.example/"] {
        assert_eq!(parse_app(text), Err(InvalidAppUrl), "{text}");
    }
}
