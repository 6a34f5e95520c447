//! Pages of other origins

use crate::setup::{ORIGIN, Setup, assert_problem};

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_origin_may_call_and_another_may_not() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    for (origin, allowed) in [(ORIGIN, true), ("https://evil.example", false), ("null", false)] {
        let preflight = replica
            .http
            .request(reqwest::Method::OPTIONS, replica.url("/v1/messages"))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,idempotency-key");
        let preflight = preflight.send().await.unwrap();
        let permission = preflight.headers().get("access-control-allow-origin");
        assert_eq!(permission.is_some(), allowed, "{origin}");
        if allowed {
            assert_eq!(permission.unwrap(), ORIGIN);
            let headers = preflight.headers()["access-control-allow-headers"].to_str().unwrap();
            for header in ["authorization", "content-type", "idempotency-key", "x-after"] {
                assert!(headers.contains(header), "{header} in {headers}");
            }
            let methods = preflight.headers()["access-control-allow-methods"].to_str().unwrap();
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                assert!(methods.contains(method), "{method} in {methods}");
            }
        }
        let answer = replica.http.get(replica.url("/v1/messages")).header("origin", origin);
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.headers().contains_key("access-control-allow-origin"), allowed);
        if allowed {
            let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap();
            for header in ["link", "retry-after", "x-cursor"] {
                assert!(exposed.contains(header), "{header} in {exposed}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_origin_is_listed_no_page_may_call() {
    let setup = Setup::new().await;
    let replica =
        setup.replica_with(|config| config.args.http.chat_allowed_origins = Vec::new()).await;
    for (method, path, status, code) in [
        (reqwest::Method::OPTIONS, "/v1/messages", 405, "method-not-allowed"),
        (reqwest::Method::OPTIONS, "/v1/nothing", 404, "no-such-path"),
        (reqwest::Method::GET, "/v1/messages", 401, "missing-token"),
        (reqwest::Method::GET, "/v1/nothing", 404, "no-such-path"),
    ] {
        let request = replica.http.request(method, replica.url(path));
        let request =
            request.header("origin", ORIGIN).header("access-control-request-method", "POST");
        let answer = request.send().await.unwrap();
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{path}");
        assert_problem(answer, status, code).await;
    }
}
