//! `chat-api topics`

use chat_api::kafka::{LogError, TopicShape, Topics};
use rdkafka::admin::{AdminOptions, AlterConfig, ResourceSpecifier};

use crate::setup::program::{finish, program};
use crate::setup::{SHAPE, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn ensuring_twice_changes_nothing() {
    let setup = Setup::new().await;
    let topics = Topics::new(&setup.log, SHAPE).unwrap();
    topics.ensure().await.unwrap();
    topics.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_names_every_difference_and_ensuring_does_not_hide_it() {
    let setup = Setup::new().await;
    let shape = TopicShape { partitions: 5, replication_factor: 2, min_insync_replicas: 2 };
    let topics = Topics::new(&setup.log, shape).unwrap();
    for error in [topics.check().await.unwrap_err(), topics.ensure().await.unwrap_err()] {
        let text = error.to_string();
        let topics = [setup.log.messages(), setup.log.dead_letters()];
        let (of_messages, of_dead_letters) = text.split_once(&topics[1]).unwrap();
        assert!(of_messages.contains(&topics[0]), "{text}");
        for difference in
            ["3 partitions, expected 5", "replication factor 1, expected 2", "min.insync.replicas"]
        {
            assert!(of_messages.contains(difference), "{text}");
            assert!(of_dead_letters.contains(difference), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_topic_is_named_with_the_command_that_makes_it() {
    let mut log = Setup::new().await.log.clone();
    log.prefix = format!("{}missing-", log.prefix);
    let error = Topics::new(&log, SHAPE).unwrap().check().await.unwrap_err();
    assert!(matches!(error, LogError::NoTopic(_)), "{error}");
    assert!(error.to_string().contains("chat-api topics ensure"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_missing_beside_the_other_is_made() {
    let setup = Setup::new().await;
    crate::setup::records::delete_topic(&setup, &setup.log.dead_letters()).await;
    let topics = Topics::new(&setup.log, SHAPE).unwrap();
    crate::setup::eventually("it is gone", async || {
        let error = topics.check().await.err()?;
        error.to_string().contains(&setup.log.dead_letters()).then_some(())
    })
    .await;
    topics.ensure().await.unwrap();
    topics.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_setting_that_may_lose_or_refuse_a_message_is_set_and_named() {
    let harmful = [
        ("cleanup.policy", "compact"),
        ("compression.type", "gzip"),
        ("retention.ms", "60000"),
        ("retention.bytes", "1000000"),
        ("unclean.leader.election.enable", "true"),
        ("max.message.bytes", "20000"),
        ("min.insync.replicas", "2"),
        ("message.timestamp.type", "CreateTime"),
    ];
    let setup = Setup::new().await;
    let topics = Topics::new(&setup.log, SHAPE).unwrap();
    topics.check().await.unwrap();
    // It has to live until it is answered.
    let admin = crate::setup::records::admin(&setup);
    for topic in [setup.log.messages(), setup.log.dead_letters()] {
        let change = harmful
            .iter()
            .fold(AlterConfig::new(ResourceSpecifier::Topic(&topic)), |change, (key, value)| {
                change.set(key, value)
            });
        let changed = admin.alter_configs([&change], &AdminOptions::new()).await.unwrap();
        for result in changed {
            result.unwrap();
        }
        crate::setup::eventually("each of them is named", async || {
            let text = topics.check().await.err()?.to_string();
            let differences = text.split("topic ").find(|part| part.starts_with(&topic))?;
            let is_named = |(key, value): &(&str, &str)| {
                differences.contains(&format!("{key} is \"{value}\", expected \""))
            };
            harmful.iter().all(is_named).then_some(())
        })
        .await;
    }
    assert!(topics.ensure().await.is_err(), "nothing that exists is changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_ensured_and_checked_from_the_command_line() {
    let setup = Setup::new().await;
    let shape = [
        "--kafka-partitions",
        "3",
        "--kafka-replication-factor",
        "1",
        "--kafka-min-insync-replicas",
        "1",
    ];
    for action in ["ensure", "check"] {
        let child = program(&setup).args(["topics", action]).args(shape).spawn().unwrap();
        let (code, text) = finish(child).await;
        assert_eq!(code, Some(0), "{text}");
    }
    let child = program(&setup).args(["topics", "check"]).spawn().unwrap();
    let (code, text) = finish(child).await;
    assert_eq!(code, Some(1));
    assert!(text.contains("3 partitions, expected 48"), "{text}");
}
