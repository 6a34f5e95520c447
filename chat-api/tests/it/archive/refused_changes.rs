//! Changes of messages that MongoDB refuses

use mongodb::bson::doc;
use serde_json::{Value, json};

use crate::setup::archive::{progress, refuse};
use crate::setup::program::run;
use crate::setup::records::{Putter, change, dead_letters, envelope};
use crate::setup::{Setup, eventually};

async fn progress_at(setup: &Setup, position: i64) {
    eventually("the archive is there", async || {
        (progress(setup, Setup::lobby_partition()).await == Some(position)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_makes_what_mongodb_refuses_is_a_dead_letter_and_holds_up_nothing() {
    let setup = Setup::new().await;
    let (replica, token) = (setup.replica().await, setup.issuer.token("ada"));
    let (first, second) = (envelope("lobby", "first"), envelope("lobby", "second"));
    let putter = Putter::new(&setup);
    for said in [&first, &second] {
        putter.write(said);
    }
    putter.flush();
    progress_at(&setup, 1).await;
    refuse(&setup, Some("forbidden")).await;
    let edit = |to: (&Value, i64), text: &str| {
        putter.write(&change("ada", "edit", to, &json!({ "content": text })));
    };
    edit((&first, 0), "forbidden");
    edit((&second, 1), "second, edited");
    putter.flush();
    progress_at(&setup, 3).await;
    let letters = dead_letters(&setup, 1).await;
    assert!(letters[0].headers["dlq-reason"].contains("DocumentValidationFailure"));
    let texts = async || {
        let shown = replica.history(&token, 2).await;
        shown.iter().map(|one| one["content"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(texts().await, ["first", "second, edited"]);
    let changes = setup.collection("changes").await;
    assert_eq!(changes.count_documents(doc! {}).await.unwrap(), 1, "it is no repeat later");

    // When the obstacle is gone it is taken back, at the end of its room.
    refuse(&setup, None).await;
    edit((&first, 0), "between");
    putter.flush();
    progress_at(&setup, 4).await;
    let (code, text, log) = run(&setup, &["dlq", "replay", "--all"]).await;
    assert_eq!(code, Some(0), "{text} {log}");
    progress_at(&setup, 5).await;
    assert_eq!(texts().await, ["forbidden", "second, edited"]);
}
