use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use chrono::DateTime;
use tokio_tungstenite::tungstenite::Bytes;

use super::*;
use crate::message::{Body, Content, Emoji, Envelope, UserId, UserName};

impl HubSizes {
    /// So much of events, of ids and of lanes, and all rooms that there are.
    pub(crate) fn of(ring_bytes: usize, span: i64, lanes: usize) -> Self {
        Self { ring_bytes, room_bytes: usize::MAX, span, lanes }
    }
}

impl Hub {
    /// Pushes what was made already, into the first partition.
    pub(crate) fn push(&self, entry: Arc<Entry>) {
        let (shard, next) = (&self.shards[0], entry.position.next());
        let room = entry.room.clone();
        shard.watched.push(&room, |state| state.ring.push(entry), |_| ());
        shard.head.send_replace(next);
    }

    /// Sweeps until there is nothing to do; how many events were put on lines.
    fn sweep_all(&self) -> u64 {
        let mut events = 0;
        for lane in self.lanes() {
            while let Some((partition, room)) = self.lanes[lane].take() {
                let mut swept = 0;
                let mut pass = pin!(self.sweep_room(lane, partition, &room, &mut swept));
                let mut context = Context::from_waker(Waker::noop());
                events += loop {
                    // It gives way from time to time.
                    if let std::task::Poll::Ready(events) = pass.as_mut().poll(&mut context) {
                        break events;
                    }
                };
            }
        }
        events
    }
}

/// Somebody who hears the lobby and takes all there is.
struct Reader {
    hub: Arc<Hub>,
    place: Mutex<Position>,
    heard: Mutex<Vec<Bytes>>,
    /// How often it was passed by.
    passes: AtomicUsize,
}

impl Reader {
    fn of(hub: &Arc<Hub>) -> Arc<Self> {
        let (place, heard) = (Mutex::new(hub.head(partition())), Mutex::default());
        Arc::new(Self { hub: Arc::clone(hub), place, heard, passes: AtomicUsize::new(0) })
    }

    /// One who listens, and how.
    fn listening(hub: &Arc<Hub>) -> (Arc<Self>, Listening) {
        let reader = Self::of(hub);
        let all = |_: Known<'_>, _| Ok::<(), ()>(());
        let listening = hub.listen(partition(), &RoomId::lobby(), Arc::clone(&reader) as _, all);
        let listening = listening.unwrap();
        (reader, listening)
    }

    fn passes(&self) -> usize {
        self.passes.load(Ordering::Relaxed)
    }
}

impl Listener for Reader {
    fn sweep(&self, memo: &mut Memo) {
        self.passes.fetch_add(1, Ordering::Relaxed);
        let mut place = self.place.lock().unwrap();
        let read = |budget| self.hub.read(partition(), &RoomId::lobby(), *place, budget);
        let (frames, _) = memo.read(*place, read).unwrap();
        *place = frames.next;
        memo.events += frames.count;
        self.heard.lock().unwrap().push(frames.bytes);
    }

    fn offer(&self, _: &dyn Offer) -> bool {
        true
    }
}

fn partition() -> Partition {
    Partition::from_number(1).unwrap()
}

fn hub(lanes: usize) -> Arc<Hub> {
    Arc::new(Hub::new(&[Position::FIRST; 2], HubSizes::of(1 << 20, SPAN, lanes)))
}

/// An event of the lobby, at this offset and with an id of its own.
fn event(offset: u8, text: &str) -> Event {
    let content = Content::parse(text).ok();
    let body = Body::Message { content, body_hash: None, reply_to: None };
    let envelope = Envelope {
        message_id: MessageId::new(DateTime::UNIX_EPOCH, [offset; 10]),
        room_id: RoomId::lobby(),
        user_id: UserId::parse("u").unwrap(),
        user_name: UserName::parse("Ada").unwrap(),
        timestamp: DateTime::UNIX_EPOCH,
        body,
    };
    let (partition, position) = (partition(), Position::new(0, i64::from(offset)).unwrap());
    Event { partition, position, envelope }
}

#[test]
fn whoever_reads_after_an_event_was_replaced_gets_the_other_one_in_its_place() {
    let (hub, room) = (hub(1), RoomId::lobby());
    let (listener, _listening) = Reader::listening(&hub);
    let [first, second] = [event(0, "first"), event(1, "second")];
    assert_eq!([hub.take(&first), hub.take(&second)], [Taken::New; 2]);
    assert_eq!(hub.sweep_all(), 2);

    let blank = || Entry::of(&event(0, "blank"), None);
    let other = Partition::from_number(0).unwrap();
    assert!(!hub.replace(other, blank()), "another partition holds nothing there");
    assert!(hub.replace(partition(), blank()));
    hub.sweep_all();
    assert_eq!(listener.passes(), 1, "it is no event of its own");
    let page = hub.read(partition(), &room, Position::FIRST, usize::MAX).unwrap();
    let frames: Vec<_> = page.entries.iter().map(|entry| entry.frame()).collect();
    let previous = Some(first.position);
    assert_eq!(frames, [blank().frame(), Entry::of(&second, previous).frame()]);
    assert_eq!((page.next, page.head), (second.position.next(), second.position.next()));
    let recalled = hub.recall(partition(), first.envelope.message_id).unwrap();
    assert_eq!(recalled.position, first.position, "its id is known as before");
}

/// Something that is done to the event of an offset.
fn done(offset: u8, to: u8, act: Act) -> Event {
    let said = event(to, "said");
    let target = Target { message_id: said.envelope.message_id, position: said.position };
    let mut event = event(offset, "done");
    event.envelope.body = Body::Change(Change { target, act });
    event
}

fn edit(text: &str) -> Act {
    Act::Edit { content: Content::parse(text).ok() }
}

/// What is sent of the lobby from the beginning on.
fn sent(hub: &Hub) -> Vec<serde_json::Value> {
    let page = hub.read(partition(), &RoomId::lobby(), Position::FIRST, usize::MAX).unwrap();
    assert_eq!(page.bytes, page.entries.iter().map(|entry| entry.bytes()).sum::<usize>());
    let text = |frame: &[u8]| frame.iter().position(|byte| *byte == b'{').unwrap();
    page.entries
        .iter()
        .map(|entry| serde_json::from_slice(&entry.frame()[text(entry.frame())..]).unwrap())
        .collect()
}

#[test]
fn what_a_deleted_message_said_is_sent_no_more_whatever_came_first() {
    let hub = hub(1);
    let (reader, _listening) = Reader::listening(&hub);
    let long = "long ".repeat(100);
    let react = || Act::React { emoji: Emoji::parse("👍").unwrap(), on: true };
    let events = [
        event(0, &long),
        event(1, "another"),
        done(2, 0, edit("edited")),
        done(3, 1, edit("another, too")),
        done(4, 0, react()),
        done(5, 0, Act::Delete),
        done(6, 0, edit("late")),
        done(7, 0, Act::Delete),
    ];
    let bytes = |hub: &Hub| {
        let page = hub.read(partition(), &RoomId::lobby(), Position::FIRST, usize::MAX).unwrap();
        page.bytes
    };
    for event in &events[..5] {
        assert_eq!(hub.take(event), Taken::New);
    }
    let (before, held) = (sent(&hub), bytes(&hub));
    assert_eq!(before[2]["event"]["content"], "edited");
    for event in &events[5..] {
        assert_eq!(hub.take(event), Taken::New);
    }
    let after = sent(&hub);
    let frame = |offset: usize| Entry::of(&events[offset], None).bytes();
    assert!(bytes(&hub) < held + frame(5) + frame(6) + frame(7), "the bytes follow");
    assert_eq!(after.len(), events.len(), "every event keeps its place");
    for (offset, (now, event)) in after.iter().zip(&events).enumerate() {
        let expected = if [0, 2, 6].contains(&offset) {
            let body = event.envelope.body.blank();
            Envelope { body, ..event.envelope.clone() }
        } else {
            event.envelope.clone()
        };
        assert_eq!(now["event"], serde_json::to_value(expected).unwrap(), "{offset}");
        assert_eq!(now["cur"], event.cursor().to_string());
        assert_eq!(now.get("prev").is_some(), offset > 0);
    }
    assert_eq!(hub.sweep_all(), 8);
    assert_eq!(reader.passes(), 1);
}

#[test]
fn a_change_that_stands_in_the_log_twice_is_taken_once() {
    let hub = hub(1);
    assert_eq!(hub.take(&event(0, "said")), Taken::New);
    let first = done(1, 0, edit("edited"));
    assert_eq!(hub.take(&first), Taken::New);
    let again = Event { position: Position::new(0, 2).unwrap(), ..first };
    assert_eq!(hub.take(&again), Taken::Repeat);
    assert_eq!(sent(&hub).len(), 2);
}

#[test]
fn each_pass_reads_anew_and_what_it_reads_is_shared() {
    let hub = hub(1);
    let (one, _listening) = Reader::listening(&hub);
    let (other, _listening) = Reader::listening(&hub);
    for offset in [0, 1] {
        assert_eq!(hub.take(&event(offset, "said")), Taken::New);
    }
    assert_eq!(hub.sweep_all(), 4);
    let first = one.heard.lock().unwrap()[0].clone();
    assert_eq!(first.as_ptr(), other.heard.lock().unwrap()[0].as_ptr(), "one page for both");

    hub.replace(partition(), Entry::of(&event(0, "blank"), None));
    *one.place.lock().unwrap() = Position::FIRST;
    assert_eq!(hub.take(&event(2, "more")), Taken::New);
    assert_eq!(hub.sweep_all(), 4);
    let again = one.heard.lock().unwrap()[1].clone();
    assert!(again.windows(5).any(|bytes| bytes == b"blank"), "not what the pass before has read");
}

#[test]
fn one_pass_is_enough_for_whatever_came_before_it_and_every_lane_has_its_own() {
    let hub = hub(3);
    let all: Vec<_> = (0..100).map(|_| Reader::listening(&hub)).collect();
    for offset in 0..10 {
        assert_eq!(hub.take(&event(offset, "said")), Taken::New);
    }
    assert_eq!(hub.sweep_all(), 1_000);
    assert!(all.iter().all(|(reader, _)| reader.passes() == 1));
}

#[test]
fn whoever_has_left_is_passed_by_no_more_and_holds_nothing() {
    let hub = hub(2);
    let (reader, listening) = Reader::listening(&hub);
    let (other, _listening) = Reader::listening(&hub);
    assert_eq!(hub.take(&event(0, "said")), Taken::New);
    drop(listening);
    assert_eq!(hub.sweep_all(), 1);
    assert_eq!((reader.passes(), other.passes()), (0, 1));
    assert_eq!(Arc::strong_count(&reader), 1);
}

/// More than there are descriptors for in a test: these have no socket.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_room_of_ten_thousand_is_torn_down_in_the_middle_of_its_sweeps() {
    let hub = hub(4);
    let (stays, _listening) = Reader::listening(&hub);
    let mut leaving: Vec<_> = (0..10_000).map(|_| Reader::listening(&hub)).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for lane in hub.lanes() {
        let hub = Arc::clone(&hub);
        tasks.spawn(async move { match hub.sweep(lane, |_| ()).await {} });
    }
    for offset in 0..20 {
        assert_eq!(hub.take(&event(offset, "said")), Taken::New);
        // Five hundred go with each event, and one comes and goes.
        leaving.truncate(leaving.len() - 500);
        let again = Reader::listening(&hub);
        tokio::task::yield_now().await;
        drop(again);
    }
    assert!(leaving.is_empty());
    while *stays.place.lock().unwrap() < hub.head(partition()) {
        tokio::task::yield_now().await;
    }
    tasks.shutdown().await;
    assert_eq!(stays.heard.lock().unwrap().concat().len(), {
        let page = hub.read(partition(), &RoomId::lobby(), Position::FIRST, usize::MAX).unwrap();
        page.entries.iter().map(|entry| entry.frame().len()).sum::<usize>()
    });
}
