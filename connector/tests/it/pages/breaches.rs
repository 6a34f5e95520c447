//! New passwords, and who knows them from a theft.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use reqwest::StatusCode;
use tokio::net::TcpListener;

use crate::setup::pages::{Browser, Pages};

const STOLEN: &str = "seven lanterns on a quiet pier";
/// How its SHA-1 goes on after `1C6FA`.
const REST: &str = "437F93E4B8073916DE83EA6DFD9430B0005";
const OWN: &str = "nine lanterns on a quiet pier";

/// How the service answers.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Truly,
    Never,
    WithAnError,
    WithAPage,
    WithAnother,
    WithoutEnd,
}

/// The service: how it answers, and what it was asked.
#[derive(Clone)]
struct Ranges {
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Ranges {
    async fn start() -> (Self, String) {
        let ranges = Self { manner: Arc::new(Mutex::new(Manner::Truly)), asked: Arc::default() };
        let router = Router::new().route("/range/{told}", get(answer)).with_state(ranges.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/range/", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (ranges, url)
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("nobody panicked with it"))
    }

    fn answers(&self, manner: Manner) {
        *self.manner.lock().expect("nobody panicked with it") = manner;
    }
}

async fn answer(
    State(ranges): State<Ranges>,
    Path(told): Path<String>,
    headers: HeaderMap,
) -> Response {
    assert_eq!(headers["add-padding"], "true");
    ranges.asked.lock().expect("nobody panicked with it").push(told.clone());
    let other = "0018A45C4D1DEF81644B54AB7F969B88D65:10";
    let manner = *ranges.manner.lock().expect("nobody panicked with it");
    match manner {
        Manner::Truly if told == "1C6FA" => format!("{other}\r\n{REST}:2\r\n").into_response(),
        // A line that only makes it longer.
        Manner::Truly => format!("{other}\r\n{REST}:0").into_response(),
        Manner::Never => std::future::pending().await,
        Manner::WithAnError => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Manner::WithAPage => format!("<html>\n{REST}:2\n</html>").into_response(),
        Manner::WithAnother => {
            (StatusCode::FOUND, [(header::LOCATION, "/range/1C6FB")]).into_response()
        }
        Manner::WithoutEnd => {
            let line = || Ok::<_, std::io::Error>(format!("{REST}:2\r\n"));
            let lines = futures_util::stream::repeat_with(line);
            Body::from_stream(lines).into_response()
        }
    }
}

async fn proved(pages: &Pages, email: &str, count: usize) -> Browser {
    let browser = pages.browser();
    browser.post("/accounts/sign-up", &[("email", email)]).await.leads_to();
    let code = pages.code(count).await;
    browser.submit("/accounts/confirm", &[("code", &code)]).await.leads_to();
    browser
}

async fn finish(browser: &Browser, password: &str) -> crate::setup::pages::Shown {
    let fields = [("full_name", "Ada"), ("password", password)];
    browser.submit("/accounts/sign-up/finish", &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_password_is_not_taken_and_five_digits_of_its_digest_are_told() {
    let (ranges, url) = Ranges::start().await;
    let pages = Pages::open_with(&["--password-ranges-url", &url]).await;
    let browser = proved(&pages, "ada@example.com", 1).await;
    let told = finish(&browser, STOLEN).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(told.body.contains("lists of stolen"), "{}", told.body);
    assert_eq!(ranges.asked(), ["1C6FA"]);
    // What is not taken anyway is nobody's business.
    finish(&browser, "too short").await;
    assert!(ranges.asked().is_empty());

    let made = finish(&browser, OWN).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert_eq!(ranges.asked().iter().map(String::len).collect::<Vec<_>>(), [5]);
    assert!(pages.lets_in("ada@example.com", OWN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_knows_stolen_passwords_and_does_not_say_keeps_nobody_from_choosing_one() {
    let (ranges, url) = Ranges::start().await;
    let pages = Pages::open_with(&["--password-ranges-url", &url]).await;
    let manners = [
        Manner::Never,
        Manner::WithAnError,
        Manner::WithAPage,
        Manner::WithAnother,
        Manner::WithoutEnd,
    ];
    for (n, manner) in (1..).zip(manners) {
        ranges.answers(manner);
        let browser = proved(&pages, &format!("ada{n}@example.com"), n).await;
        let made = finish(&browser, STOLEN).await;
        assert_eq!(made.status, StatusCode::OK, "{manner:?}: {}", made.body);
        assert_eq!(ranges.asked(), ["1C6FA"], "{manner:?}: asked once, and nobody else");
    }
}
