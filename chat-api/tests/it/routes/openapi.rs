//! The OpenAPI document against the one the system was commissioned with (§4.1 of the source).

use serde_json::{Map, Value};

use crate::setup::Setup;

/// The section as it stands in the source, without its Markdown escapes.
const SECTION_4_1: &str = include_str!("section_4_1.yaml");

/// What differs on purpose. Descriptions may say more; the server is where this one is reached; an
/// optional string of OpenAPI 3.1 is `["string", "null"]`.
fn is_refined(path: &str, asked: &Value, given: &Value) -> bool {
    let says_more = path.rsplit('.').next() == Some("description") && given.is_string();
    let version = path == ".openapi" && given == "3.1.0";
    let server = path == ".servers[0].url" && given == "/v1";
    let nullable = path.rsplit('.').next() == Some("type")
        && given.as_array().is_some_and(|types| types.contains(asked));
    says_more || version || server || nullable
}

/// Everything that is asked for must be given; more may be given.
fn compare(path: &str, asked: &Value, given: &Value, missing: &mut Vec<String>) {
    match (asked, given) {
        (Value::Object(asked), Value::Object(given)) => {
            compare_members(path, asked, given, missing);
        }
        (Value::Array(asked), Value::Array(given)) if asked.len() <= given.len() => {
            for (index, (asked, given)) in asked.iter().zip(given).enumerate() {
                compare(&format!("{path}[{index}]"), asked, given, missing);
            }
        }
        _ if asked == given || is_refined(path, asked, given) => {}
        _ => missing.push(format!("{path}: asked for {asked}, given {given}")),
    }
}

fn compare_members(
    path: &str,
    asked: &Map<String, Value>,
    given: &Map<String, Value>,
    missing: &mut Vec<String>,
) {
    for (name, value) in asked {
        let path = format!("{path}.{name}");
        match given.get(name) {
            Some(given) => compare(&path, value, given, missing),
            None => missing.push(format!("{path}: missing")),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_the_source_document_asks_for_is_there() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let given: Value = replica
        .http
        .get(replica.url("/v1/openapi.json"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let asked: Value = serde_yaml_ng::from_str(SECTION_4_1).unwrap();
    let mut missing = Vec::new();
    compare("", &asked, &given, &mut missing);
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn the_document_has_these_operations_and_no_other() {
    let given = serde_json::to_value(chat_api::http::description()).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in given["paths"].as_object().unwrap() {
        operations.extend(methods.as_object().unwrap().keys().map(|name| format!("{name} {path}")));
    }
    operations.sort();
    let all = [
        "delete /messages/{id}",
        "delete /messages/{id}/reactions/{emoji}",
        "delete /rooms/{room_id}",
        "delete /rooms/{room_id}/members/{user_id}",
        "delete /rooms/{room_id}/pins/{message_id}",
        "get /messages",
        "get /messages/{id}",
        "get /messages/{id}/history",
        "get /rooms",
        "get /rooms/{room_id}",
        "get /rooms/{room_id}/markers",
        "get /rooms/{room_id}/members",
        "get /rooms/{room_id}/presence",
        "get /users",
        "get /users/me",
        "get /users/online",
        "patch /messages/{id}",
        "patch /rooms/{room_id}",
        "post /messages",
        "post /rooms",
        "put /direct/{user_id}",
        "put /messages/{id}/reactions/{emoji}",
        "put /rooms/{room_id}/marker",
        "put /rooms/{room_id}/members/{user_id}",
        "put /rooms/{room_id}/pins/{message_id}",
    ];
    assert_eq!(operations, all);
}

#[test]
fn the_comparison_sees_what_is_missing() {
    let asked: Value = serde_yaml_ng::from_str(SECTION_4_1).unwrap();
    let mut given = serde_json::to_value(chat_api::http::description()).unwrap();
    given["paths"]["/messages"]["post"]["operationId"] = "other".into();
    given["components"]["securitySchemes"] = serde_json::json!({});
    let mut missing = Vec::new();
    compare("", &asked, &given, &mut missing);
    assert_eq!(missing.len(), 2, "{missing:#?}");
}
