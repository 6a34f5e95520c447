use super::*;

const NAME: CookieName = CookieName::new("__Host-Http-test");

fn read(cookies: &[&str]) -> Result<Option<String>, BadCookie> {
    let mut headers = HeaderMap::new();
    for cookie in cookies {
        headers.append(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
    }
    NAME.read(&headers).map(|value| value.map(str::to_owned))
}

#[test]
fn a_cookie_is_found_among_others_by_its_whole_name() {
    assert_eq!(read(&[]), Ok(None));
    assert_eq!(read(&["a=b; __Host-Http-test=x1.y_-; c=d"]), Ok(Some("x1.y_-".into())));
    assert_eq!(read(&["a=b", "__Host-Http-test=x"]), Ok(Some("x".into())));
    let others =
        "__Host-Http-test2=x; X__Host-Http-test=x; __host-http-test=x; __Host-Http-test; test=x";
    assert_eq!(read(&[others]), Ok(None));
}

#[test]
fn of_two_cookies_with_the_name_neither_counts() {
    assert_eq!(read(&["__Host-Http-test=x; __Host-Http-test=x"]), Err(BadCookie::Twice));
    assert_eq!(read(&["__Host-Http-test=x", "a=b; __Host-Http-test=y"]), Err(BadCookie::Twice));
    assert_eq!(read(&["__Host-Http-test=; __Host-Http-test=y"]), Err(BadCookie::Twice));
}

#[test]
fn a_value_that_none_of_ours_has_is_not_read() {
    for value in ["", "\"x\"", "x y", "x=y", "x,y", "x%41", "x/y", "x+y"] {
        let cookie = format!("__Host-Http-test={value}");
        assert_eq!(read(&[&cookie]), Err(BadCookie::Characters), "{value:?}");
    }
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, HeaderValue::from_bytes(b"__Host-Http-test=\xff\xfe").unwrap());
    assert_eq!(NAME.read(&headers), Err(BadCookie::Characters));
}

#[test]
fn a_value_has_four_kibibytes_at_most() {
    let cookie = |bytes: usize| format!("__Host-Http-test={}", "x".repeat(bytes));
    assert_eq!(read(&[&cookie(4096)]), Ok(Some("x".repeat(4096))));
    assert_eq!(read(&[&cookie(4097)]), Err(BadCookie::TooLong));
    assert_eq!(read(&[&cookie(10 * 1024)]), Err(BadCookie::TooLong));
}

#[test]
fn what_others_put_beside_it_does_not_hide_it() {
    let mut headers = HeaderMap::new();
    let cookies = b"\xff=\xfe; ; =; __Host-Http-test=x ;y";
    headers.insert(header::COOKIE, HeaderValue::from_bytes(cookies).unwrap());
    assert_eq!(NAME.read(&headers), Ok(Some("x")));
}

#[test]
fn browsers_are_told_to_keep_it_for_us_alone() {
    let kept = NAME.keep("abc.d", TimeDelta::minutes(15));
    let expected = "__Host-Http-test=abc.d; Max-Age=900; Path=/; Secure; HttpOnly; SameSite=Lax";
    assert_eq!(kept, expected);
    let gone = "__Host-Http-test=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax";
    assert_eq!(NAME.forget(), gone);
}

#[test]
#[should_panic(expected = "the name begins with __Host-Http-")]
fn a_name_without_the_prefix_is_refused() {
    let _ = CookieName::new("__Host-accounts-something");
}
