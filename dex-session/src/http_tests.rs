use super::*;

fn reached(discovery: Option<&str>, named: &str) -> Option<String> {
    let url = |text: &str| Url::parse(text).unwrap();
    let http = Http::new(url("https://chat.example/dex"), discovery.map(url)).unwrap();
    http.address(&url(named)).ok().map(Into::into)
}

#[test]
fn dex_is_reached_at_its_own_address() {
    let address = "https://chat.example/dex/token";
    assert_eq!(reached(None, address).as_deref(), Some(address));
}

#[test]
fn dex_may_be_reached_at_an_internal_address() {
    for discovery in ["http://dex:5556/dex", "http://dex:5556/dex/.well-known/openid-configuration"]
    {
        let reached = |named| reached(Some(discovery), named);
        let document = "https://chat.example/dex/.well-known/openid-configuration";
        let inside = "http://dex:5556/dex/.well-known/openid-configuration";
        assert_eq!(reached(document).as_deref(), Some(inside));
        let token = reached("https://chat.example/dex/token?a=b");
        assert_eq!(token.as_deref(), Some("http://dex:5556/dex/token?a=b"));
    }
}

#[test]
fn nothing_is_sent_to_an_address_that_is_not_dex_s() {
    for named in [
        "https://evil.example/token",
        "http://chat.example/dex/token",
        "https://chat.example:8443/x",
    ] {
        assert_eq!(reached(None, named), None);
        assert_eq!(reached(Some("http://dex:5556/dex"), named), None);
    }
}
