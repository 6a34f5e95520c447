use super::*;

#[test]
fn an_issuer_is_an_address_over_tls_or_on_localhost() {
    for text in ["https://chat.example/dex", "https://id.example", "http://localhost:5556/dex/"] {
        assert_eq!(Issuer::parse(text).map(|issuer| issuer.to_string()), Ok(text.to_owned()));
    }
    for text in [
        "",
        "chat.example/dex",
        "ftp://chat.example/dex",
        "https://a@b.example/",
        "https://b.example/?a",
    ] {
        assert_eq!(Issuer::parse(text), Err(InvalidIssuer::Form), "{text}");
    }
    assert_eq!(Issuer::parse("http://chat.example/dex"), Err(InvalidIssuer::PlainText));
}

#[test]
fn from_here_it_is_at_a_base_address_or_at_its_document() {
    for text in ["http://dex:5556/dex", "http://dex:5556/dex/.well-known/openid-configuration"] {
        assert_eq!(
            parse_inside(text).map(String::from),
            Ok("http://dex:5556/dex".to_owned()),
            "{text}"
        );
    }
}

#[test]
fn an_origin_has_no_path_and_nothing_that_would_be_another_directive() {
    for (text, origin) in [
        ("https://Chat.Example", "https://chat.example"),
        ("https://chat.example/", "https://chat.example"),
        ("http://localhost:5173", "http://localhost:5173"),
    ] {
        assert_eq!(parse_origin(text).as_deref(), Ok(origin));
    }
    for text in [
        "",
        "chat.example",
        "https://chat.example/app",
        "https://chat.example; script-src *",
        "https://*.example",
        "javascript:alert(1)",
        "null",
    ] {
        assert_eq!(parse_origin(text), Err(InvalidOrigin), "{text}");
    }
}

#[test]
fn without_an_issuer_no_token_is_taken() {
    let args = |issuer: Option<&str>, inside: Option<&str>| DexLoginArgs {
        dex_issuer_url: issuer.map(|text| Issuer::parse(text).expect("an issuer")),
        dex_discovery_url: inside.map(|text| parse_inside(text).expect("an address")),
        accounts_app_origins: Vec::new(),
    };
    assert!(args(None, None).verifier().expect("usable").is_none());
    let issuer = Some("https://chat.example/dex");
    assert!(args(issuer, None).verifier().expect("usable").is_some());
    assert!(args(issuer, Some("http://dex:5556/dex")).verifier().expect("usable").is_some());
}
