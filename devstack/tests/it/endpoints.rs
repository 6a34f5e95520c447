use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use devstack::endpoints::{DemoUser, Endpoints};
use devstack::stack::{Source, Stack, StackOptions};

fn endpoints() -> Endpoints {
    Endpoints {
        sign_in_url: "http://localhost:1/dex/auth?x=y".into(),
        dex_issuer: "http://localhost:1/dex".into(),
        redirect_uri: "http://localhost:2/auth/callback".into(),
        chat_api: "http://localhost:3".into(),
        chat_replicas: vec!["http://localhost:3".into()],
        connector_grpc: None,
        app: None,
        accounts: None,
        postgres: "postgres://localhost/accounts".into(),
        kafka: "localhost:4".into(),
        kafka_topic_prefix: String::new(),
        mongodb: "mongodb://localhost:5".into(),
        mongodb_database: "chat".into(),
        mail: None,
        demo_users: vec![DemoUser { login: "alice".into(), password: "secret".into() }],
        email_user: DemoUser { login: "admin@example.com".into(), password: "secret".into() },
    }
}

#[test]
fn they_are_whole_or_absent_and_only_the_owners() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("endpoints.json");
    endpoints().write(&file).unwrap();
    let first = fs::File::open(&file).unwrap();
    endpoints().write(&file).unwrap();

    // A rename: who had the first file open still has it, untouched.
    let replaced = fs::metadata(&file).unwrap();
    assert_ne!(inode(&first.metadata().unwrap()), inode(&replaced));
    assert_eq!(replaced.permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing half-written stays");
    assert_eq!(Endpoints::read(&file).unwrap(), endpoints());
}

fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[test]
fn missing_endpoints_name_the_command_to_run() {
    let error = Endpoints::read(std::path::Path::new("/nowhere/endpoints.json")).unwrap_err();
    assert!(format!("{error:#}").contains("./dev up"));
}

#[test]
fn the_sign_in_address_is_a_complete_authorization_request() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = StackOptions::project(1).unwrap();
    options.state = dir.path().to_path_buf();
    options.postgres = Source::Given("postgres://postgres:x@127.0.0.1:1/postgres".into());
    options.kafka = Source::Given("127.0.0.1:1".into());
    options.mongodb = Source::Given("mongodb://127.0.0.1:1".into());
    let stack = Stack::prepare(options).unwrap();

    let url: url::Url = stack.endpoints().sign_in_url.parse().unwrap();
    let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert!(url.as_str().starts_with(&stack.endpoints().dex_issuer));
    assert_eq!(query["client_id"], "chat-app-frontend");
    assert_eq!(query["redirect_uri"], stack.endpoints().redirect_uri);
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["code_challenge_method"], "S256");
    // base64url of 32 bytes (RFC 7636, 4.2).
    assert_eq!(query["code_challenge"].len(), 43);
    assert!(query["scope"].contains("audience:server:client_id:chat-api"));
    assert!(!query["state"].is_empty());
}
