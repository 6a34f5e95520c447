//! What is stored

mod changes;
mod faults;
mod refused_changes;
mod rooms;
mod unreadable;

use mongodb::bson::doc;

use crate::setup::Setup;
use crate::setup::archive::indexes_are_there;

#[tokio::test(flavor = "multi_thread")]
async fn a_document_carries_the_messages_id_and_its_place() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let accepted = replica.say(&setup.issuer.token("ada"), "hi").await;
    setup.stored_count(1).await;
    let messages = setup.collection("messages").await;
    let document = messages.find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!(document.get_str("_id").unwrap(), accepted["message_id"].as_str().unwrap());
    assert_eq!(document.get_str("room_id").unwrap(), "lobby");
    assert_eq!(document.get_i64("pos").unwrap(), 0);
    assert_eq!(document.get_str("user_id").unwrap(), "ada");
    assert_eq!(document.get_str("content").unwrap(), "hi");
    assert!(document.get_datetime("timestamp").is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_read_by_index_and_time_has_one_too() {
    let setup = Setup::new().await;
    setup.replica().await;
    indexes_are_there(&setup).await;

    let explain = doc! {
        "explain": { "find": "messages", "filter": { "room_id": "lobby", "pos": { "$lt": 9_i64 } }, "sort": { "pos": -1 }, "limit": 50 },
        "verbosity": "queryPlanner",
    };
    let client = mongodb::Client::with_uri_str(&setup.mongodb_uri).await.unwrap();
    let plans = client.database(&setup.database).run_command(explain).await.unwrap();
    let plans = plans.get_document("queryPlanner").unwrap();
    let plan = plans.get_document("winningPlan").unwrap().to_string();
    assert!(plan.contains("room_pos_user") && !plan.contains("\"SORT\""), "{plan}");
}
