//! One id more than once in the log

use serde_json::json;

use crate::setup::Setup;
use crate::setup::records::Putter;

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_reaches_nobody_live_resumed_or_stored() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let token = setup.issuer.token("ada");
    let (mut at_one, mut at_two) = (one.socket(&token).await, two.socket(&token).await);
    at_one.subscribe(None).await;
    at_two.subscribe(None).await;
    let ids = [1, 2, 1, 3, 2, 1, 4];
    let texts: Vec<String> =
        ids.iter().enumerate().map(|(place, id)| format!("{id} at {place}")).collect();
    Putter::new(&setup).say_as(ids.into_iter().zip(texts.iter().map(String::as_str)));

    let expected = ["1 at 0", "2 at 1", "3 at 3", "4 at 6"];
    assert_eq!(at_one.contents(4).await, expected);
    assert_eq!(at_two.contents(4).await, expected);
    assert_eq!(setup.stored_count(4).await, expected);
    let late = setup.replica().await;
    let mut resumed = late.socket(&token).await;
    let beginning = chat_api::message::Cursor {
        partition: Setup::lobby_partition(),
        position: chat_api::message::Position::BEFORE_ALL,
    };
    let (events, _) = resumed.subscribe(Some(&beginning.to_string())).await;
    let contents: Vec<_> = events.iter().map(|event| event["event"]["content"].clone()).collect();
    assert_eq!(contents, expected.map(|text| json!(text)));
    assert_eq!(events[2]["prev"], events[1]["cur"], "a repeat is nobody's predecessor");
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_began_at_different_places_decide_alike() {
    let setup = Setup::new().await;
    let span = |config: &mut chat_api::config::Config| config.span = 10;
    // Ids that come again within the span, at its edge and beyond.
    let ids: Vec<u32> = (0..200).map(|n| if n % 3 == 0 { n } else { n - n % 7 }).collect();
    let texts: Vec<String> = (0..ids.len()).map(|place| place.to_string()).collect();
    let say = |from: usize, to: usize| {
        let said = (from..to).map(|place| (ids[place], texts[place].as_str()));
        Putter::new(&setup).say_as(said);
    };
    let early = setup.replica_with(span).await;
    let token = setup.issuer.token("ada");
    let mut all = early.socket(&token).await;
    all.subscribe(None).await;
    say(0, 150);
    setup.stored_count(50).await;
    let late = setup.replica_with(span).await;
    let mut rest = late.socket(&token).await;
    rest.subscribe(None).await;
    say(150, 200);

    // The rule, on the whole log.
    let is_first = |place: &usize| !ids[place.saturating_sub(10)..*place].contains(&ids[*place]);
    let firsts: Vec<usize> = (0..200).filter(is_first).collect();
    let (before, after): (Vec<usize>, Vec<usize>) = firsts.iter().partition(|place| **place < 150);
    let texts = |places: &[usize]| places.iter().map(usize::to_string).collect::<Vec<_>>();
    assert_eq!(all.contents(firsts.len()).await, texts(&firsts));
    assert_eq!(rest.contents(after.len()).await, texts(&after));
    assert!(!before.is_empty() && after.len() < 50, "there were repeats");
}
