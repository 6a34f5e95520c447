//! What the forms take, and from whom

use reqwest::StatusCode;
use reqwest::header::{HeaderValue, ORIGIN as FROM};

use crate::setup::pages::{Browser, Pages};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_not_of_our_page_does_nothing() {
    let pages = Pages::without_mail(&[]).await;
    for origin in [None, Some("null"), Some("https://evil.example"), Some("http://localhost:5560")]
    {
        let mut browser = pages.browser();
        browser.headers.remove(FROM);
        if let Some(origin) = origin {
            browser.headers.insert(FROM, HeaderValue::from_static(origin));
        }
        let refused = browser.post("/accounts/sign-up", &[("email", "ada@example.com")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{origin:?}");
        assert_eq!(browser.cookie(), None);
    }
    assert_eq!(pages.number("select count(*) from account_flows").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_tabs_the_earlier_one_is_told_and_changes_nothing() {
    let pages = Pages::without_mail(&[]).await;
    let browser = pages.browser();
    browser.post("/accounts/sign-up", &[("email", "ada@example.com")]).await.leads_to();
    let earlier = browser.get("/accounts/confirm").await.flow();
    browser.post("/accounts/sign-up", &[("email", "bea@example.com")]).await.leads_to();
    let fields = [("flow", earlier.as_str()), ("code", "0000-0000")];
    let told = browser.post("/accounts/confirm", &fields).await;
    assert_eq!(told.status, StatusCode::CONFLICT);
    assert_eq!(pages.number("select sum(tries) from account_flows").await, 0, "no try is counted");
    let later = browser.submit("/accounts/confirm", &[("code", "0000-0000")]).await;
    assert_eq!(later.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(pages.number("select sum(tries) from account_flows").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_with_other_fields_than_the_page_s_are_refused() {
    let pages = Pages::without_mail(&[]).await;
    let browser = pages.browser();
    let large = format!("email={}", "a".repeat(17 * 1024));
    for (media_type, body, status) in [
        (FORM, "", 400),
        (FORM, "email=a%40b.example&admin=1", 400),
        (FORM, "email=a%40b.example&email=c%40d.example", 400),
        (FORM, "email=a%40b.example%FF", 400),
        (FORM, &large, 413),
        ("text/plain", "email=a%40b.example", 415),
        ("application/json", "{\"email\":\"a@b.example\"}", 415),
    ] {
        let refused = browser.raw("/accounts/sign-up", media_type, body.into()).await;
        assert_eq!(
            refused.status.as_u16(),
            status,
            "{media_type}: {}",
            &body[..body.len().min(60)]
        );
    }
    assert_eq!(pages.number("select count(*) from account_flows").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_address_is_told_and_shown_as_text() {
    let pages = Pages::without_mail(&[]).await;
    let browser = pages.browser();
    let long = format!("{}@example.com", "a".repeat(250));
    for typed in [
        "",
        "nobody",
        "a@b@c.example",
        "a b@example.com",
        "ada@example.com\r\nBcc: eve@evil.example",
        "\"><script>alert(1)</script>@example.com\u{0}",
        "\u{430}da@example.com\u{202e}",
        &long,
    ] {
        let told = browser.post("/accounts/sign-up", &[("email", typed)]).await;
        assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed:?}");
        assert!(!told.body.contains("<script"), "{}", told.body);
    }
    for typed in ["Ada+Tag@example.com", "ada@b\u{fc}cher.example"] {
        browser.post("/accounts/sign-up", &[("email", typed)]).await.leads_to();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_small_kept_by_nobody_framed_by_nobody_and_runs_no_script() {
    let pages = Pages::without_mail(&[]).await;
    let browser = pages.browser();
    let fresh = pages.browser();
    browser.post("/accounts/sign-up", &[("email", "ada@example.com")]).await.leads_to();
    for (browser, path, status) in [
        (&fresh, "/accounts/sign-up", 200),
        (&fresh, "/accounts/reset", 200),
        (&fresh, "/accounts/unlock", 200),
        (&fresh, "/accounts/invitation", 200),
        (&fresh, "/accounts/confirm", 410),
        (&fresh, "/accounts/sign-up/finish", 410),
        (&browser, "/accounts/confirm", 200),
        (&browser, "/accounts/reset/finish", 410),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status.as_u16(), status, "{path}: {}", page.body);
        assert!(page.body.len() <= 30_000 && !page.body.contains("<script"), "{path}");
        assert!(page.body.contains("<html lang=\"en\">"), "{path}");
        let header = |name: &str| page.headers[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "same-origin");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("x-content-type-options"), "nosniff");
    }
    let style = browser.get("/accounts/style.css").await;
    assert_eq!(
        (style.status, &style.headers["content-type"]),
        (StatusCode::OK, &HeaderValue::from_static("text/css; charset=utf-8"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_mail_speak_the_language_of_the_browser_where_they_can() {
    let pages = Pages::without_mail(&[]).await;
    for (wanted, lang) in [
        ("de-AT,en;q=0.5", "de"),
        ("fr, de;q=0.3", "de"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("", "en"),
    ] {
        let mut browser = pages.browser();
        browser.headers.insert("accept-language", HeaderValue::from_str(wanted).unwrap());
        let page = browser.get("/accounts/sign-up").await;
        assert!(page.body.contains(&format!("<html lang=\"{lang}\">")), "{wanted}: {}", page.body);
        assert_eq!(page.headers["content-language"], lang);
    }
    let mut browser = pages.browser();
    browser.headers.insert("accept-language", HeaderValue::from_static("de"));
    browser.post("/accounts/reset", &[("email", "ada@example.com")]).await.leads_to();
    let german = "select count(*) from account_flows where language = 'de'";
    assert_eq!(pages.number(german).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_begins_too_much_is_told_when_it_may_and_no_header_makes_it_another() {
    let pages = Pages::without_mail(&["--limit-flows-per-hour", "2"]).await;
    let mut browser = pages.browser();
    let begin = async |browser: &Browser| {
        browser.post("/accounts/sign-up", &[("email", "ada@example.com")]).await
    };
    begin(&browser).await.leads_to();
    browser.headers.insert("x-real-ip", HeaderValue::from_static("203.0.113.7"));
    browser.headers.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.7"));
    let told = begin(&browser).await;
    assert_eq!(told.status, StatusCode::TOO_MANY_REQUESTS);
    let after: u64 = told.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=1800).contains(&after), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_tells_whom_it_speaks_for() {
    let proxy = ["--limit-flows-per-hour", "2", "--trusted-proxy-cidrs", "127.0.0.0/8"];
    for (name, option) in [
        ("x-real-ip", &[][..]),
        ("x-envoy-external-address", &["--trusted-proxy-header", "X-Envoy-External-Address"]),
    ] {
        let pages = Pages::without_mail(&[&proxy[..], option].concat()).await;
        let begin = async |address: &[&str]| {
            let mut browser = pages.browser();
            // Nobody reads this one.
            browser.headers.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.7"));
            for address in address {
                browser.headers.append(name, HeaderValue::from_str(address).unwrap());
            }
            browser.post("/accounts/sign-up", &[("email", "ada@example.com")]).await.status
        };
        let (taken, throttled) = (StatusCode::SEE_OTHER, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(begin(&["203.0.113.7"]).await, taken);
        assert_eq!(begin(&["203.0.113.7"]).await, throttled);
        assert_eq!(begin(&["203.0.113.8"]).await, taken);
        // Nobody can tell who these are: they share nothing.
        for unknown in [
            &[][..],
            &["127.0.0.1"],
            &["what"],
            &["203.0.113.9", "203.0.113.10"],
            &["203.0.113.9, 203.0.113.10"],
        ] {
            assert_eq!(begin(unknown).await, taken, "{unknown:?}");
            assert_eq!(begin(unknown).await, taken, "{unknown:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_a_page_says_when_to_try_again() {
    let pages = Pages::without_mail(&[]).await;
    let mut held = pages.database.pool.begin().await.unwrap();
    sqlx::query("lock table account_flows in access exclusive mode")
        .execute(&mut *held)
        .await
        .unwrap();
    let browser = pages.browser();
    browser.set_cookie(Some(format!("__Host-Http-accounts-flow={}", "A".repeat(27))));
    let told = browser.get("/accounts/sign-up/finish").await;
    assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(told.headers["retry-after"], "5");
    held.rollback().await.unwrap();
}
