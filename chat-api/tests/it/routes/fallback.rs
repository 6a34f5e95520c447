//! Paths and methods that no route has

use crate::setup::{Setup, assert_problem};

#[tokio::test(flavor = "multi_thread")]
async fn other_paths_and_methods_are_problems_too() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    assert_problem(replica.get(&token, "/v1/nothing").await, 404, "no-such-path").await;
    let response = replica.http.delete(replica.url("/v1/messages")).send().await.unwrap();
    assert_problem(response, 405, "method-not-allowed").await;
}
