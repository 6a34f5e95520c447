//! Changes of rooms and memberships that come into the log past the program, judged as a replica would.

use chat_api::message::{
    Body, Envelope, Event, MessageId, Partition, Position, RoomId, RoomName, UserId, UserName,
    Visibility,
};
use chat_api::rooms::{Actor, Command, RoomState, Verdict, judge};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::setup::records::partitioner;
use crate::setup::{HANG, Setup};

/// A room, and what was appended about it.
pub(crate) struct Changer {
    producer: FutureProducer,
    topic: String,
    pub(crate) room: RoomId,
    pub(crate) partition: Partition,
    /// As of the last proposal.
    pub(crate) state: RoomState,
    /// Every proposal where it stands, and whether it counts.
    pub(crate) told: Vec<(Event, Verdict)>,
}

pub(crate) fn person(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

impl Changer {
    /// Of a room that is not made yet.
    pub(crate) fn new(setup: &Setup, room: &str) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &setup.log.brokers).set("linger.ms", "0");
        let room = RoomId::parse(room).unwrap();
        Self {
            producer: config.create().unwrap(),
            topic: setup.log.messages(),
            partition: partitioner().of(&room),
            room,
            state: RoomState::default(),
            told: Vec::new(),
        }
    }

    /// One of a room that Ada has made, with these members.
    pub(crate) async fn made(
        setup: &Setup,
        room: &str,
        visibility: Visibility,
        members: &[&str],
    ) -> Self {
        let mut changer = Self::new(setup, room);
        let name = RoomName::parse("Attic").unwrap();
        changer.change("ada", &Command::Create { visibility, name }).await;
        for member in members {
            changer.change("ada", &Command::Invite(person(member))).await;
        }
        changer
    }

    /// Somebody does something, judged by the last state. It counts; where it stands.
    pub(crate) async fn change(&mut self, who: &str, command: &Command) -> Position {
        let judged_by = self.state.clone();
        let verdict = self.propose(who, command, &judged_by).await;
        assert_eq!(verdict, Some(Verdict::Accepted), "{who} {command:?}");
        self.told.last().unwrap().0.position
    }

    /// Somebody wants something, judged by that state. None if it is not appended.
    pub(crate) async fn propose(
        &mut self,
        who: &str,
        command: &Command,
        judged_by: &RoomState,
    ) -> Option<Verdict> {
        let by = person(who);
        let proposal = judge(judged_by, &self.room, command, Actor::Person(&by)).ok()?;
        let envelope = Envelope {
            message_id: MessageId::new(chrono::Utc::now(), rand::random()),
            room_id: self.room.clone(),
            user_name: UserName::shown(None, &by),
            user_id: by,
            timestamp: chrono::DateTime::from_timestamp_millis(1_700_000_000_000).unwrap(),
            body: Body::Proposal(Box::new(proposal)),
        };
        Some(self.append(envelope).await)
    }

    /// Appends a proposal, whether or not it was before.
    pub(crate) async fn append(&mut self, envelope: Envelope) -> Verdict {
        let value = chat_api::kafka::encode(&envelope);
        let key = self.room.as_str().as_bytes();
        let record = FutureRecord::to(&self.topic).partition(self.partition.number());
        let delivered = self.producer.send(record.key(key).payload(&value), HANG).await.unwrap();
        let position = Position::new(0, delivered.offset).unwrap();
        let Body::Proposal(proposal) = &envelope.body else { unreachable!() };
        let verdict = self.state.decide(position, &envelope.user_id, proposal);
        self.told.push((Event { partition: self.partition, position, envelope }, verdict));
        verdict
    }
}
