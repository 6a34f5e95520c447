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
        for topic in all_topics(&setup) {
            let of_topic = text.split("topic ").find(|part| part.starts_with(&topic)).unwrap();
            for difference in [
                "3 partitions, expected 5",
                "replication factor 1, expected 2",
                "min.insync.replicas",
            ] {
                assert!(of_topic.contains(difference), "{text}");
            }
        }
    }
}

fn all_topics(setup: &Setup) -> [String; 4] {
    let log = &setup.log;
    [log.messages(), log.dead_letters(), log.presence(), log.ephemeral()]
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
async fn a_topic_that_is_missing_beside_the_others_is_made() {
    let setup = Setup::new().await;
    let [_, others @ ..] = all_topics(&setup);
    for topic in others {
        crate::setup::records::delete_topic(&setup, &topic).await;
        let topics = Topics::new(&setup.log, SHAPE).unwrap();
        crate::setup::eventually("it is gone", async || {
            let error = topics.check().await.err()?;
            error.to_string().contains(&topic).then_some(())
        })
        .await;
        topics.ensure().await.unwrap();
        topics.check().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_of_use_for_minutes_is_deleted_after_minutes() {
    let setup = Setup::new().await;
    let topics = Topics::new(&setup.log, SHAPE).unwrap();
    let admin = crate::setup::records::admin(&setup);
    for (topic, kept) in [(setup.log.presence(), "600000"), (setup.log.ephemeral(), "60000")] {
        let resource = ResourceSpecifier::Topic(&topic);
        let answers = admin.describe_configs([&resource], &AdminOptions::new()).await.unwrap();
        let settings = answers.into_iter().next().unwrap().unwrap();
        for key in ["retention.ms", "segment.ms"] {
            let value = settings.get(key).and_then(|entry| entry.value.clone());
            assert_eq!(value.as_deref(), Some(kept), "{key} of {topic}");
        }
        // A segment that is open for a week is kept for a week.
        let change = AlterConfig::new(resource).set("segment.ms", "604800000");
        for changed in admin.alter_configs([&change], &AdminOptions::new()).await.unwrap() {
            changed.unwrap();
        }
        crate::setup::eventually("it is named", async || {
            let text = topics.check().await.err()?.to_string();
            text.contains("segment.ms is \"604800000\", expected \"").then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_setting_that_may_lose_or_refuse_a_message_is_set_and_named() {
    let harmful = [
        ("cleanup.policy", "compact"),
        ("compression.type", "gzip"),
        ("retention.ms", "90000"),
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
    for topic in all_topics(&setup) {
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
async fn a_topic_that_would_forget_how_far_people_have_read_is_named() {
    let setup = Setup::new().await;
    let topics = Topics::new(&setup.log, SHAPE).unwrap();
    let admin = crate::setup::records::admin(&setup);
    let topic = setup.log.markers();
    let change = AlterConfig::new(ResourceSpecifier::Topic(&topic));
    let change = change.set("cleanup.policy", "delete");
    for result in admin.alter_configs([&change], &AdminOptions::new()).await.unwrap() {
        result.unwrap();
    }
    crate::setup::eventually("it is named", async || {
        let text = topics.check().await.err()?.to_string();
        let named = format!("topic {topic}: ");
        let (_, differences) = text.split_once(&named)?;
        differences.contains("cleanup.policy is \"delete\", expected \"compact\"").then_some(())
    })
    .await;
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
