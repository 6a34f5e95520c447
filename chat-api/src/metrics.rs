//! What the program counts: every name, once, with its meaning.
//!
//! [`ALL`] describes them to Prometheus, and tests compare it with the dashboard, the alerts and the
//! documents.

use service_process::listener;
use service_process::metrics::{Metric, OutcomeCounter};

/// What became of what people sent.
pub const SENDS: &str = "chat_sends_total";
/// Sends that were known by their key.
pub const REPEATED_SENDS: &str = "chat_repeated_sends_total";
/// What the log made of what was handed to it.
pub const APPENDS: &str = "chat_appends_total";
/// How long the log took to acknowledge an append; what it refuses is not timed.
pub const APPEND_SECONDS: &str = "chat_append_seconds";
/// Records that the log has not answered for.
pub const APPENDS_IN_FLIGHT: &str = "chat_appends_in_flight";
/// Whether a partition of [`MESSAGES`] or [`MARKERS`] takes appends.
pub const BREAKER_STATE: &str = "chat_breaker_state";
/// The topic with messages.
pub const MESSAGES: &str = "messages";
/// The topic with markers.
pub const MARKERS: &str = "markers";
/// How often a partition ceased to take them.
pub const BREAKER_OPENINGS: &str = "chat_breaker_openings_total";
/// Clients of Kafka that could never append again.
pub const PRODUCERS_REPLACED: &str = "chat_producers_replaced_total";
/// Open sockets.
pub const CONNECTIONS: &str = "chat_connections";
/// Open sockets of guests.
pub const GUESTS: &str = "chat_guests";
/// How sockets ended.
pub const CLOSES: &str = "chat_closes_total";
/// Events written to sockets.
pub const EVENTS_DELIVERED: &str = "chat_events_delivered_total";
/// Pages that sessions read from MongoDB.
pub const ARCHIVE_READS: &str = "chat_archive_reads_total";
/// Rooms that were loaded from MongoDB.
pub const ROOM_LOADS: &str = "chat_room_loads_total";
/// Reads of the archive that were refused, because of a [`PERSON`], because of
/// the guests of a [`NETWORK`], or because it is [`BUSY`].
pub const READ_REFUSALS: &str = "chat_read_refusals_total";
/// One person reads too much.
pub const PERSON: &str = "person";
/// The guests of one network read too much.
pub const NETWORK: &str = "network";
/// As much is read as there are connections for.
pub const BUSY: &str = "busy";
/// Records that the fan-out read.
pub const FANOUT_RECORDS: &str = "chat_fanout_records_total";
/// Rooms that a record changed in a way that this release does not understand.
pub const UNLOADED_ROOMS: &str = "chat_unloaded_rooms";
/// How often the fan-out lost its place in the log.
pub const FANOUT_RESTARTS: &str = "chat_fanout_restarts_total";
/// Records written to MongoDB.
pub const ARCHIVE_DOCUMENTS: &str = "chat_archive_documents_total";
/// Batches written to MongoDB.
pub const ARCHIVE_BATCHES: &str = "chat_archive_batches_total";
/// The size of a batch.
pub const ARCHIVE_BATCH_RECORDS: &str = "chat_archive_batch_records";
/// How many records the archive is behind.
pub const ARCHIVE_LAG_RECORDS: &str = "chat_archive_lag_records";
/// How long the archive is behind.
pub const ARCHIVE_LAG_SECONDS: &str = "chat_archive_lag_seconds";
/// What MongoDB failed.
pub const ARCHIVE_FAILURES: &str = "chat_archive_failures_total";
/// Stored documents that are left out of their pages, because of one of [`DOCUMENT_FIELDS`] or of their
/// [`ENCODING`].
pub const UNREADABLE_DOCUMENTS: &str = "chat_unreadable_documents_total";
/// The fields of a document of a message, of a change or of a person, and the one that tells its kind.
pub const DOCUMENT_FIELDS: [&str; 23] = [
    "_id",
    "body_hash",
    "changed",
    "content",
    "deleted_at",
    "edited_at",
    "emoji",
    "name",
    "on",
    "original",
    "partition",
    "pinned",
    "pos",
    "proposal",
    "reactions",
    "ref",
    "ref_pos",
    "reply_to",
    "room_id",
    "timestamp",
    "type",
    "user_id",
    "user_name",
];
/// A text in a document is not UTF-8.
pub const ENCODING: &str = "encoding";
/// Records that became dead letters, because they are [`UNDECODABLE`] or [`REFUSED`].
pub const DEAD_LETTERS: &str = "chat_dead_letters_total";
/// Nobody can read it.
pub const UNDECODABLE: &str = "undecodable";
/// MongoDB does not take it.
pub const REFUSED: &str = "refused";
/// Records of the topic with markers that were read, by the [`FAN_OUT`] or the [`ARCHIVE`]: [`TAKEN`],
/// [`NEWER`] or [`UNDECODABLE`].
pub const MARKER_RECORDS: &str = "chat_marker_records_total";
/// The reader that tells sockets.
pub const FAN_OUT: &str = "fanout";
/// The reader that fills MongoDB.
pub const ARCHIVE: &str = "archive";
/// It was understood.
pub const TAKEN: &str = "taken";
/// A later release wrote it.
pub const NEWER: &str = "newer";
/// People whose tokens were seen: they are [`STORED`], [`DROPPED`] or [`REFUSED`].
pub const PEOPLE: &str = "chat_people_total";
/// It is in MongoDB, or something newer is.
pub const STORED: &str = "stored";
/// Too many wait to be stored.
pub const DROPPED: &str = "dropped";
/// Partitions that do not go on.
pub const STOPPED_PARTITIONS: &str = "chat_stopped_partitions";
/// Records that this replica appended to the topics that are kept for minutes.
pub const EPHEMERAL_RECORDS: &str = "chat_ephemeral_records_total";
/// Records that it read there.
pub const EPHEMERAL_READ: &str = "chat_ephemeral_read_total";
/// Values of both, in bytes.
pub const EPHEMERAL_BYTES: &str = "chat_ephemeral_bytes_total";
/// From this replica to the log.
pub const OUT: &str = "out";
/// From the log to this replica.
pub const IN: &str = "in";
/// Signs of typing that people sent.
pub const TYPING_SIGNS: &str = "chat_typing_signs_total";
/// Replicas that told this one who is online there.
pub const PRESENCE_PEERS: &str = "chat_presence_peers";
/// Who is online in the whole system.
pub const ONLINE: &str = "chat_online";
/// Tokens that were checked.
pub const TOKEN_VERIFICATIONS: &str = "dex_token_verifications_total";
/// Requests for Dex's keys.
pub const KEY_FETCHES: &str = "dex_key_fetches_total";

/// Every metric of this program.
pub const ALL: &[Metric] = &[
    Metric::counter(SENDS, &["outcome"], "What became of what people sent."),
    Metric::counter(REPEATED_SENDS, &[], "Sends that were known by their key."),
    Metric::counter(APPENDS, &["class"], "What the log made of what was handed to it."),
    Metric::timed(APPEND_SECONDS, &[], "Until the log acknowledged a record."),
    Metric::gauge(APPENDS_IN_FLIGHT, &[], "Records that the log has not answered for."),
    Metric::gauge(
        BREAKER_STATE,
        &["topic", "partition"],
        "0 takes appends, 1 tries one, 2 takes none.",
    ),
    Metric::counter(
        BREAKER_OPENINGS,
        &["topic", "partition"],
        "Times that appends began to be refused.",
    ),
    Metric::counter(PRODUCERS_REPLACED, &[], "Clients of Kafka that could never append again."),
    Metric::gauge(CONNECTIONS, &[], "Open sockets."),
    Metric::gauge(GUESTS, &[], "Open sockets of guests."),
    Metric::counter(CLOSES, &["code"], "How sockets ended, by close code."),
    Metric::counter(EVENTS_DELIVERED, &[], "Events written to sockets."),
    Metric::counter(ARCHIVE_READS, &[], "Pages that sessions read from MongoDB."),
    Metric::counter(ROOM_LOADS, &[], "Rooms that were loaded from MongoDB."),
    Metric::counter(READ_REFUSALS, &["why"], "Reads of MongoDB that were refused."),
    Metric::counter(
        FANOUT_RECORDS,
        &["outcome"],
        "Records that this replica read for its sockets.",
    ),
    Metric::gauge(UNLOADED_ROOMS, &[], "Rooms that wait for a later release of this program."),
    Metric::counter(FANOUT_RESTARTS, &[], "Times that its place was not in the log any more."),
    Metric::counter(ARCHIVE_DOCUMENTS, &[], "Records written to MongoDB."),
    Metric::counter(ARCHIVE_BATCHES, &[], "Batches written to MongoDB."),
    Metric::sized(ARCHIVE_BATCH_RECORDS, &[], "How many records a batch had."),
    Metric::gauge(ARCHIVE_LAG_RECORDS, &["partition"], "Records behind the end of the log."),
    Metric::seconds(ARCHIVE_LAG_SECONDS, &[], "Age of the oldest record that was not stored."),
    Metric::counter(ARCHIVE_FAILURES, &[], "What MongoDB failed; it is tried again."),
    Metric::counter(UNREADABLE_DOCUMENTS, &["field"], "Stored documents that pages leave out."),
    Metric::counter(DEAD_LETTERS, &["reason"], "Records that became dead letters."),
    Metric::counter(
        MARKER_RECORDS,
        &["reader", "outcome"],
        "Records that say how far somebody has read.",
    ),
    Metric::counter(PEOPLE, &["outcome"], "People of whom a token said something new."),
    Metric::gauge(STOPPED_PARTITIONS, &["reader", "why"], "Partitions that do not go on."),
    Metric::counter(
        EPHEMERAL_RECORDS,
        &["topic", "outcome"],
        "Records of presence and typing that this replica tells.",
    ),
    Metric::counter(
        EPHEMERAL_READ,
        &["topic", "outcome"],
        "Records of presence and typing that this replica read.",
    ),
    Metric::counter(EPHEMERAL_BYTES, &["topic", "direction"], "Bytes of both."),
    Metric::counter(TYPING_SIGNS, &["outcome"], "Signs of typing that people sent."),
    Metric::gauge(PRESENCE_PEERS, &[], "Other replicas that are alive."),
    Metric::gauge(ONLINE, &["who"], "People and guests who are online in the whole system."),
    Metric::counter(TOKEN_VERIFICATIONS, &["outcome"], "Tokens that were checked."),
    Metric::counter(KEY_FETCHES, &["outcome"], "Requests for Dex's keys."),
    listener::CONNECTIONS,
    listener::REFUSED,
    listener::CUT,
];

/// Counts [`SENDS`], most of which are accepted.
#[must_use]
pub fn sends() -> OutcomeCounter {
    OutcomeCounter::new(SENDS, "outcome", "accepted")
}

/// Counts [`APPENDS`], most of which succeed.
#[must_use]
pub fn appends() -> OutcomeCounter {
    OutcomeCounter::new(APPENDS, "class", "appended")
}

/// Counts [`FANOUT_RECORDS`], most of which are new.
#[must_use]
pub fn fan_out_records() -> OutcomeCounter {
    OutcomeCounter::new(FANOUT_RECORDS, "outcome", "new")
}

/// Counts a record of [`MARKER_RECORDS`].
pub fn marker_read(reader: &'static str, outcome: &'static str) {
    ::metrics::counter!(MARKER_RECORDS, "reader" => reader, "outcome" => outcome).increment(1);
}

/// Counts [`TYPING_SIGNS`], most of which are sent.
#[must_use]
pub fn typing_signs() -> OutcomeCounter {
    OutcomeCounter::new(TYPING_SIGNS, "outcome", "sent")
}

/// Counts one of [`EPHEMERAL_RECORDS`].
pub fn ephemeral_record(topic: &'static str, outcome: &'static str) {
    ::metrics::counter!(EPHEMERAL_RECORDS, "topic" => topic, "outcome" => outcome).increment(1);
}

/// Counts one of [`EPHEMERAL_READ`].
pub fn ephemeral_read(topic: &'static str, outcome: &'static str) {
    ::metrics::counter!(EPHEMERAL_READ, "topic" => topic, "outcome" => outcome).increment(1);
}

/// Counts [`EPHEMERAL_BYTES`] of a value that went [`OUT`] or came [`IN`].
pub fn ephemeral_bytes(topic: &'static str, direction: &'static str, bytes: usize) {
    let counter = ::metrics::counter!(EPHEMERAL_BYTES, "topic" => topic, "direction" => direction);
    counter.increment(u64::try_from(bytes).unwrap_or(u64::MAX));
}

/// Shows [`ONLINE`] and [`PRESENCE_PEERS`].
pub fn online(signed_in: usize, guests: u64, peers: usize) {
    let shown = |number: u64| u32::try_from(number).map_or(f64::from(u32::MAX), f64::from);
    let many = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    ::metrics::gauge!(ONLINE, "who" => "signed_in").set(shown(many(signed_in)));
    ::metrics::gauge!(ONLINE, "who" => "guests").set(shown(guests));
    ::metrics::gauge!(PRESENCE_PEERS).set(shown(many(peers)));
}

/// Opens the registry and describes every name to it. It comes first: what is looked up before that counts
/// for nobody.
pub fn describe() {
    service_process::metrics::describe(ALL);
    // Their first event must be seen as an increase.
    for reason in [UNDECODABLE, REFUSED] {
        ::metrics::counter!(DEAD_LETTERS, "reason" => reason).increment(0);
    }
    for why in [PERSON, NETWORK, BUSY] {
        ::metrics::counter!(READ_REFUSALS, "why" => why).increment(0);
    }
    for reader in [FAN_OUT, ARCHIVE] {
        for outcome in [TAKEN, NEWER, UNDECODABLE] {
            ::metrics::counter!(MARKER_RECORDS, "reader" => reader, "outcome" => outcome)
                .increment(0);
        }
    }
    for outcome in [STORED, DROPPED, REFUSED] {
        ::metrics::counter!(PEOPLE, "outcome" => outcome).increment(0);
    }
    for field in DOCUMENT_FIELDS.into_iter().chain([ENCODING]) {
        ::metrics::counter!(UNREADABLE_DOCUMENTS, "field" => field).increment(0);
    }
}
