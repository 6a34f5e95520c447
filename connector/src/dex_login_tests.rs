use super::*;

fn logins(issuer: &str, inside: Option<&str>) -> DexLogins {
    let url = |text: &str| Url::parse(text).expect("an address");
    let (issuer, inside) = (url(issuer), inside.map(url));
    let connector_id = "local-postgres".to_owned();
    DexLogins::open(&DexLoginSettings { issuer, inside, connector_id }).expect("a client")
}

#[test]
fn the_form_is_at_the_issuer_and_asked_for_where_dex_is_from_here() {
    let state = DexState::parse("abcdefghijklmnopqrstuvw27").expect("a state");
    for (issuer, inside, outside_form, inside_form) in [
        (
            "https://chat.example/dex",
            Some("http://dex:5556/dex"),
            "https://chat.example/dex/auth/local-postgres/login?state=abcdefghijklmnopqrstuvw27",
            "http://dex:5556/dex/auth/local-postgres/login?state=abcdefghijklmnopqrstuvw27",
        ),
        (
            "https://id.example/",
            None,
            "https://id.example/auth/local-postgres/login?state=abcdefghijklmnopqrstuvw27",
            "https://id.example/auth/local-postgres/login?state=abcdefghijklmnopqrstuvw27",
        ),
    ] {
        let logins = logins(issuer, inside);
        assert_eq!(form(&logins.pages, &state).as_str(), outside_form);
        assert_eq!(form(&logins.inside, &state).as_str(), inside_form);
    }
    assert_eq!(logins("https://chat.example:8443/dex", None).origin(), "https://chat.example:8443");
}
