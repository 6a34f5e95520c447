use super::*;

#[derive(Serialize)]
struct Problem {
    r#type: ProblemType,
    status: u16,
}

fn answered(status: StatusCode) -> Response {
    let r#type = ProblemType { service: "example", name: "no-such-path" };
    response(status, &Problem { r#type, status: status.as_u16() })
}

#[tokio::test]
async fn a_problem_has_its_status_its_media_type_and_its_service_in_its_type() {
    let response = answered(StatusCode::NOT_FOUND);
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert!(!response.headers().contains_key(header::CONNECTION));
    let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
    let body = std::str::from_utf8(&body).unwrap();
    assert_eq!(body, r#"{"type":"urn:problem-type:example:no-such-path","status":404}"#);
}

#[test]
fn what_took_too_long_closes_the_connection() {
    let response = answered(StatusCode::REQUEST_TIMEOUT);
    assert_eq!(response.headers()[header::CONNECTION], "close");
}
