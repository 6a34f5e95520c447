//! Transactions, in which nobody writes here but strangers

use crate::setup::Setup;
use crate::setup::archive::archive_detail;
use crate::setup::records::{Putter, held};
use chat_api::message::RoomId;

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_a_stranger_leaves_open_holds_nobody_up() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    socket.subscribe(None).await;
    let stranger = Putter::with(&setup, &[("transactional.id", &setup.database)]);
    tokio::task::block_in_place(|| stranger.begin_transaction());
    stranger.say(&RoomId::lobby(), "in a transaction");
    tokio::task::block_in_place(|| stranger.flush());
    replica.say(&token, "meanwhile").await;
    let said = ["in a transaction", "meanwhile"];
    assert_eq!(socket.contents(2).await, said);
    assert_eq!(setup.stored_count(2).await, said);

    // What was heard is not taken back: live and stored stay the same.
    tokio::task::block_in_place(|| stranger.abort_transaction());
    replica.say(&token, "after").await;
    assert_eq!(socket.contents(1).await, ["after"]);
    replica.stop().await;
    let replica = setup.replica().await;
    replica.say(&token, "later").await;
    assert_eq!(setup.stored_count(4).await, [said[0], said[1], "after", "later"]);
    assert_eq!(archive_detail(&replica).await, None);
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
}
