//! `chat-api archive`

use mongodb::bson::doc;

use crate::setup::Setup;
use crate::setup::program::{program, run};
use crate::setup::records::{Putter, dead_letters};

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_stores_what_is_missing_and_changes_nothing_else() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut said = Vec::new();
    for number in 0..20 {
        replica.say(&token, &number.to_string()).await;
        said.push(number.to_string());
    }
    let putter = Putter::new(&setup);
    putter.put(Setup::lobby_partition(), None, Some(b"poison"));
    putter.flush();
    setup.stored_count(20).await;
    dead_letters(&setup, 1).await;
    let messages = setup.collection("messages").await;
    messages.delete_many(doc! { "pos": { "$lt": 5_i64 } }).await.unwrap();
    // An owner of the data changed one: it stays as it is.
    let change = doc! { "$set": { "content": "changed" } };
    messages.update_one(doc! { "pos": 10_i64 }, change).await.unwrap();
    said[10] = "changed".to_owned();

    let (code, text, _) = run(&setup, &["archive", "rebuild"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");
    let line = format!(
        "partition {}: 21 records from 0 to 21, 5 were missing, 1 cannot be stored",
        Setup::lobby_partition()
    );
    assert!(text.contains(&line), "{text}");
    assert_eq!(setup.stored().await, said);
    let (_, text, _) = run(&setup, &["archive", "rebuild"]).await;
    assert!(text.contains(", 0 were missing, 1 cannot"), "{text}");
    replica.say(&token, "and on").await;
    said.push("and on".to_owned());
    assert_eq!(setup.stored_count(21).await, said);
    dead_letters(&setup, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_checks_its_configuration_first() {
    let setup = Setup::new().await;
    let mut command = program(&setup);
    command.args(["archive", "rebuild"]).env("MONGODB_URI", "hunter2-is-secret");
    let output = command.output().await.unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{log}");
    assert!(log.contains("--mongodb-uri") && !log.contains("hunter2"), "{log}");
}
