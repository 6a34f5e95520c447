//! `Refresh`

use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use auth_proto::connector::v1::{Identity, RefreshRequest, Scopes};
use tonic::Code;

use crate::setup::program::Program;
use crate::setup::{Connector, Database, PASSWORD, eventually, origin};

struct Session {
    database: Database,
    connector: Connector,
    identity: Identity,
}

impl Session {
    async fn of_alice() -> Self {
        let database = Database::with_people().await;
        let connector = Connector::start(&database.dsn).await;
        let identity = connector.login("alice", PASSWORD).await.identity.expect("she logs in");
        Self { database, connector, identity }
    }

    fn request(&self) -> RefreshRequest {
        RefreshRequest {
            user_id: self.identity.user_id.clone(),
            connector_data: self.identity.connector_data.clone(),
            scopes: Some(Scopes { offline_access: true, groups: true }),
            origin: Some(origin()),
            of_code: false,
        }
    }

    async fn refresh(&self, request: RefreshRequest) -> Result<Identity, Code> {
        match self.connector.client().refresh(request).await {
            Ok(answer) => Ok(answer.into_inner().identity.expect("an identity")),
            Err(status) => Err(status.code()),
        }
    }

    async fn sql(&self, statement: &'static str) {
        sqlx::query(statement).execute(&self.database.pool).await.expect(statement);
    }
}

#[tokio::test]
async fn a_refresh_reads_the_claims_afresh_and_keeps_the_subject() {
    let session = Session::of_alice().await;
    session.sql("update users set full_name = 'Alice Baker', username = 'al', username_key = 'al' where username_key = 'alice'").await;
    session.sql("delete from user_groups where group_name = 'admins'").await;
    let now = session.refresh(session.request()).await.unwrap();
    assert_eq!(now.user_id, session.identity.user_id);
    assert_eq!((now.username.as_str(), now.preferred_username.as_str()), ("Alice Baker", "al"));
    assert_eq!(now.groups, ["staff"]);
    session.database.audited("refresh.ok", None).await;
}

#[tokio::test]
async fn a_refresh_may_be_repeated() {
    let session = Session::of_alice().await;
    let first = session.refresh(session.request()).await.unwrap();
    assert_eq!(session.refresh(session.request()).await.unwrap(), first);
}

#[tokio::test]
async fn a_disabled_account_may_not_go_on() {
    let session = Session::of_alice().await;
    session.sql("update users set is_active = false where username_key = 'alice'").await;
    assert_eq!(session.refresh(session.request()).await, Err(Code::PermissionDenied));
    session.database.audited("refresh.denied", Some("disabled")).await;
}

#[tokio::test]
async fn a_deleted_account_may_not_go_on() {
    let session = Session::of_alice().await;
    session.sql("delete from users where username_key = 'alice'").await;
    assert_eq!(session.refresh(session.request()).await, Err(Code::PermissionDenied));
    session.database.audited("refresh.denied", Some("deleted")).await;
}

#[tokio::test]
async fn a_raised_epoch_ends_earlier_sessions() {
    let session = Session::of_alice().await;
    session.sql("update users set auth_epoch = auth_epoch + 1 where username_key = 'alice'").await;
    assert_eq!(session.refresh(session.request()).await, Err(Code::PermissionDenied));
    session.database.audited("refresh.denied", Some("old_epoch")).await;
}

#[tokio::test]
async fn a_forged_session_is_refused() {
    let session = Session::of_alice().await;
    for connector_data in [vec![], vec![0; 7], vec![0; 9], vec![255; 8]] {
        let request = RefreshRequest { connector_data, ..session.request() };
        assert_eq!(session.refresh(request).await, Err(Code::PermissionDenied));
    }
    let request = RefreshRequest { user_id: uuid::Uuid::nil().to_string(), ..session.request() };
    assert_eq!(session.refresh(request).await, Err(Code::PermissionDenied));
    let request = RefreshRequest { user_id: "alice".to_owned(), ..session.request() };
    assert_eq!(session.refresh(request).await, Err(Code::InvalidArgument));
}

#[tokio::test]
async fn an_id_in_any_but_the_one_form_that_is_answered_is_refused() {
    let session = Session::of_alice().await;
    let id = session.identity.user_id.clone();
    for other in [
        id.to_uppercase(),
        id.replace('-', ""),
        format!("{{{id}}}"),
        format!("urn:uuid:{id}"),
        format!(" {id}"),
        String::new(),
    ] {
        let request = RefreshRequest { user_id: other.clone(), ..session.request() };
        assert_eq!(session.refresh(request).await, Err(Code::InvalidArgument), "{other}");
    }
    assert_eq!(session.refresh(session.request()).await.unwrap().user_id, id);
}

#[tokio::test]
async fn a_caller_that_breaks_the_contract_is_told_which_field_and_so_is_the_log() {
    let database = Database::with_people().await;
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = database.command(&["serve", "--insecure"]);
    command.stderr(log.reopen().unwrap());
    let program = Program::start(&mut command).await;
    let request = RefreshRequest {
        user_id: "canary-id".to_owned(),
        connector_data: vec![0; 8],
        scopes: None,
        of_code: false,
        origin: Some(origin()),
    };
    let status = eventually("an answer", async || {
        let call = PasswordConnectorClient::new(program.channel()).refresh(request.clone()).await;
        call.err().filter(|status| status.code() == Code::InvalidArgument)
    })
    .await;
    assert!(status.message().starts_with("user_id: "), "{status}");
    program.stop().await;
    let log = std::fs::read_to_string(log.path()).unwrap();
    let line = log.lines().find(|line| line.contains("a call breaks the contract")).expect(&log);
    assert!(line.contains("user_id") && line.contains("request-1"), "{line}");
    assert!(!log.contains("canary") && !status.message().contains("canary"), "{log}");
}
