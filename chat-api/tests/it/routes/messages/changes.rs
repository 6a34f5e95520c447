//! What people do to messages

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::setup::{Replica, Setup, assert_problem, eventually};

/// A chat in which somebody said something, which the replica has read and the archive has.
struct Said {
    setup: Setup,
    replica: Replica,
    ada: String,
    bob: String,
    /// The path of the message.
    path: String,
    accepted: Value,
}

impl Said {
    async fn new(content: &str) -> Self {
        let setup = Setup::new().await;
        let replica = setup.replica().await;
        let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
        let accepted = replica.say(&ada, content).await;
        // Acknowledged is not read yet: whoever listened too early would hear it.
        replica.includes(&ada, accepted["cursor"].as_str().unwrap()).await;
        let path = format!("/v1/messages/{}", accepted["message_id"].as_str().unwrap());
        Self { setup, replica, ada, bob, path, accepted }
    }

    fn call(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.replica.http.request(method, self.replica.url(path)).bearer_auth(token)
    }

    async fn edit(&self, token: &str, content: &str) -> Response {
        let call = self.call(token, Method::PATCH, &self.path);
        call.json(&json!({ "content": content })).send().await.unwrap()
    }

    async fn delete(&self, token: &str) -> Response {
        self.call(token, Method::DELETE, &self.path).send().await.unwrap()
    }

    async fn react(&self, token: &str, method: Method, emoji: &str) -> Response {
        let path = format!("{}/reactions/{emoji}", self.path);
        self.call(token, method, &path).send().await.unwrap()
    }

    /// The message, once the archive has what a call was answered with.
    async fn shown_after(&self, answer: &Value) -> Value {
        let after = answer["cursor"].as_str().unwrap();
        let call = self.call(&self.ada, Method::GET, &self.path).header("X-After", after);
        let response = call.send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }
}

async fn accepted(response: Response) -> Value {
    assert_eq!(response.status(), 202);
    let answer: Value = response.json().await.unwrap();
    assert_eq!((&answer["status"], &answer["room_id"]), (&json!("enqueued"), &json!("lobby")));
    answer
}

async fn unchanged(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["status"], "unchanged");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_heard_and_shown_and_the_texts_before_are_in_the_history() {
    let said = Said::new("first").await;
    let mut socket = said.replica.socket(&said.bob).await;
    socket.subscribe(None).await;
    accepted(said.edit(&said.ada, "second").await).await;
    let last = accepted(said.edit(&said.ada, "third").await).await;
    for content in ["second", "third"] {
        let event = &socket.expect("event").await["event"];
        assert_eq!((&event["type"], &event["content"]), (&json!("edit"), &json!(content)));
        assert_eq!(event["ref"], said.accepted["message_id"]);
    }
    let shown = said.shown_after(&last).await;
    assert_eq!((&shown["content"], &shown["changed"]), (&json!("third"), &last["cursor"]));
    assert_eq!(unchanged(said.edit(&said.ada, "third").await).await["cursor"], last["cursor"]);

    let history = async |query: &str| {
        let path = format!("{}/history{query}", said.path);
        let response = said.replica.get(&said.bob, &path).await;
        assert_eq!(response.status(), 200);
        let next = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let texts: Vec<Value> = response.json().await.unwrap();
        let texts: Vec<String> =
            texts.iter().map(|text| text["content"].as_str().unwrap().to_owned()).collect();
        (texts, next)
    };
    assert_eq!(
        history("?room_id=lobby").await,
        (["first", "second", "third"].map(str::to_owned).into(), None)
    );
    let (first, next) = history("?limit=1").await;
    assert_eq!(first, ["first", "second"]);
    let next = next.unwrap();
    let query = next.split_once('?').unwrap().1.split_once('>').unwrap().0.to_owned();
    assert_eq!(history(&format!("?{query}")).await.0, ["third"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_is_final_and_may_be_said_again() {
    let said = Said::new("words").await;
    accepted(said.edit(&said.ada, "other words").await).await;
    accepted(said.react(&said.bob, Method::PUT, "👍").await).await;
    let last = accepted(said.delete(&said.ada).await).await;
    // At once: it is judged by what this replica has read.
    assert_problem(said.edit(&said.ada, "late").await, 410, "message-deleted").await;
    assert_problem(said.react(&said.bob, Method::PUT, "👍").await, 410, "message-deleted").await;
    assert_eq!(unchanged(said.delete(&said.ada).await).await["cursor"], last["cursor"]);
    unchanged(said.react(&said.bob, Method::DELETE, "👍").await).await;
    let history = format!("{}/history", said.path);
    assert_problem(said.replica.get(&said.ada, &history).await, 410, "message-deleted").await;
    let shown = said.shown_after(&last).await;
    assert!(shown["deleted_at"].is_string(), "{shown}");
    for field in ["content", "edited_at", "reactions"] {
        assert!(shown.get(field).is_none(), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_author_edits_and_deletes_a_message_and_everybody_reacts() {
    let said = Said::new("mine").await;
    assert_problem(said.edit(&said.bob, "yours").await, 403, "foreign-message").await;
    assert_problem(said.delete(&said.bob).await, 403, "foreign-message").await;
    accepted(said.react(&said.bob, Method::PUT, "👍").await).await;
    let last = accepted(said.react(&said.ada, Method::PUT, "%F0%9F%91%8D").await).await;
    unchanged(said.react(&said.ada, Method::PUT, "👍").await).await;
    let counted = said.shown_after(&last).await["reactions"].clone();
    assert_eq!(counted, json!([{ "emoji": "👍", "count": 2, "mine": true }]));
    let last = accepted(said.react(&said.ada, Method::DELETE, "👍").await).await;
    unchanged(said.react(&said.ada, Method::DELETE, "👍").await).await;
    let counted = said.shown_after(&last).await["reactions"].clone();
    assert_eq!(counted, json!([{ "emoji": "👍", "count": 1, "mine": false }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_at_the_same_moment_and_one_on_two_devices_come_to_one_state() {
    let said = Said::new("first").await;
    let other = said.setup.replica().await;
    let react = |token: &str, replica: &Replica| {
        let path = format!("{}/reactions/👍", said.path);
        replica.http.put(replica.url(&path)).bearer_auth(token).send()
    };
    let edit = |replica: &Replica, content: &str| {
        let call = replica.http.patch(replica.url(&said.path)).bearer_auth(&said.ada);
        call.json(&json!({ "content": content })).send()
    };
    let answers = futures_util::future::join_all([
        react(&said.ada, &said.replica),
        react(&said.ada, &other),
        react(&said.bob, &said.replica),
        react(&said.bob, &other),
        edit(&said.replica, "here"),
        edit(&other, "there"),
    ])
    .await;
    let mut cursors = Vec::new();
    for answer in answers {
        let answer = answer.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        let answer: Value = answer.json().await.unwrap();
        cursors.push(answer["cursor"].as_str().unwrap().to_owned());
    }
    let place = |cursor: &String| chat_api::message::Cursor::parse(cursor).unwrap().position;
    let last = cursors.into_iter().max_by_key(place);
    let shown = said.shown_after(&json!({ "cursor": last })).await;
    assert_eq!(shown["reactions"], json!([{ "emoji": "👍", "count": 2, "mine": true }]));
    // The last one in the log is the one that both replicas show.
    let path = format!("{}/history", said.path);
    let texts: Vec<Value> = other.get(&said.bob, &path).await.json().await.unwrap();
    assert_eq!(texts.last().unwrap()["content"], shown["content"]);
    assert_eq!(texts.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_bears_twenty_different_emoji() {
    let said = Said::new("popular").await;
    for number in 0..20 {
        let emoji = char::from_u32(0x1f600 + number).unwrap().to_string();
        accepted(said.react(&said.ada, Method::PUT, &emoji).await).await;
    }
    assert_problem(said.react(&said.ada, Method::PUT, "👍").await, 409, "too-many-reactions").await;
    accepted(said.react(&said.bob, Method::PUT, "😀").await).await;
    accepted(said.react(&said.ada, Method::DELETE, "😁").await).await;
    accepted(said.react(&said.ada, Method::PUT, "👍").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_named_in_every_field() {
    let said = Said::new("words").await;
    let edit = |body: &str| {
        let call = said.call(&said.ada, Method::PATCH, &said.path);
        call.header("content-type", "application/json").body(body.to_owned()).send()
    };
    let long = json!({ "content": "x".repeat(16 * 1024 + 1) }).to_string();
    for (body, status, code) in [
        ("", 400, "not-json"),
        ("[]", 400, "not-an-object"),
        ("{}", 400, "missing-field"),
        (r#"{"content":1}"#, 400, "wrong-type"),
        (r#"{"content":" "}"#, 400, "empty-content"),
        (r#"{"content":"\u0000"}"#, 400, "unstorable-content"),
        (r#"{"content":"a","content":"b"}"#, 400, "repeated-field"),
        (r#"{"content":"a","room_id":"lobby"}"#, 400, "unknown-field"),
        (&long, 413, "content-too-large"),
    ] {
        assert_problem(edit(body).await.unwrap(), status, code).await;
    }
    let plain = said.call(&said.ada, Method::PATCH, &said.path).body("{}");
    assert_problem(plain.send().await.unwrap(), 415, "unsupported-media-type").await;

    for emoji in ["a", "1", "👍👍", "%20", "%00", ":+1:", &"👍".repeat(20)] {
        for method in [Method::PUT, Method::DELETE] {
            let answer = said.react(&said.ada, method, emoji).await;
            assert_problem(answer, 400, "invalid-emoji").await;
        }
    }
    let id = said.accepted["message_id"].as_str().unwrap();
    let nobody = "019ab1c4-7a10-7c3e-9d55-3f1f6a0b2c4d";
    let calls = |id: &str, query: &str| {
        [
            (Method::PATCH, format!("/v1/messages/{id}{query}")),
            (Method::DELETE, format!("/v1/messages/{id}{query}")),
            (Method::GET, format!("/v1/messages/{id}/history{query}")),
            (Method::PUT, format!("/v1/messages/{id}/reactions/👍{query}")),
            (Method::DELETE, format!("/v1/messages/{id}/reactions/👍{query}")),
        ]
    };
    let call = async |(method, path): (Method, String), after: Option<&str>| {
        let mut call = said.call(&said.ada, method.clone(), &path);
        if method == Method::PATCH {
            call = call.json(&json!({ "content": "other" }));
        }
        if let Some(after) = after {
            call = call.header("X-After", after);
        }
        call.send().await.unwrap()
    };
    for id in ["x", "%ff", nobody, &id.replace('-', "")] {
        for one in calls(id, "") {
            assert_problem(call(one, None).await, 404, "unknown-message").await;
        }
    }
    for (query, status, code) in [
        ("?room_id=attic", 404, "unknown-message"),
        ("?room_id=No%20Room", 404, "unknown-message"),
        ("?room_id=lobby&room_id=lobby", 400, "invalid-parameter"),
        ("?colour=blue", 400, "unknown-parameter"),
    ] {
        for one in calls(id, query) {
            assert_problem(call(one, None).await, status, code).await;
        }
    }
    let foreign = chat_api::message::Partition::from_number(99).unwrap();
    let position = chat_api::message::Position::BEFORE_ALL;
    let foreign = chat_api::message::Cursor { partition: foreign, position }.to_string();
    for after in ["x", "", &foreign] {
        for one in calls(id, "").into_iter().filter(|(method, _)| *method != Method::GET) {
            assert_problem(call(one, Some(after)).await, 400, "invalid-header").await;
        }
    }
    for query in ["?after=x", "?limit=0", "?limit=201", "?limit=x"] {
        let path = format!("/v1/messages/{id}/history{query}");
        assert_problem(said.replica.get(&said.ada, &path).await, 400, "invalid-parameter").await;
    }
    let nothing = said.replica.http.delete(said.replica.url(&said.path)).send().await.unwrap();
    assert_problem(nothing, 401, "missing-token").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_names_a_message_of_its_room_by_request_and_by_socket() {
    let said = Said::new("question").await;
    let id = said.accepted["message_id"].clone();
    let mut socket = said.replica.socket(&said.ada).await;
    socket.subscribe(None).await;
    let answer = json!({ "content": "answer", "reply_to": id });
    let first = said.replica.post(&said.bob, &answer).send().await.unwrap();
    assert_eq!(first.status(), 202);
    assert_eq!(socket.expect("event").await["event"]["reply_to"], id);
    let send = |reply_to: &Value| {
        let (room_id, content) = ("lobby", "another");
        json!({ "type": "send", "ref": "1", "room_id": room_id, "content": content, "reply_to": reply_to })
    };
    let mut other = said.replica.socket(&said.bob).await;
    other.send(&send(&id)).await;
    other.expect("ack").await;
    assert_eq!(socket.expect("event").await["event"]["reply_to"], id);
    let shown = said.replica.history(&said.ada, 3).await;
    assert_eq!((&shown[1]["reply_to"], &shown[2]["reply_to"]), (&id, &id));

    for nothing in [json!("x"), json!("019ab1c4-7a10-7c3e-9d55-3f1f6a0b2c4d")] {
        let body = json!({ "content": "answer", "reply_to": nothing });
        let refused = said.replica.post(&said.bob, &body).send().await.unwrap();
        assert_problem(refused, 404, "unknown-message").await;
        other.send(&send(&nothing)).await;
        assert_eq!(other.expect("nack").await["code"], "unknown-message");
    }
    let body = json!({ "content": "answer", "reply_to": 1 });
    let refused = said.replica.post(&said.bob, &body).send().await.unwrap();
    assert_eq!(assert_problem(refused, 400, "wrong-type").await["fields"], json!(["reply_to"]));
    // With a key, what it answers belongs to what is said.
    let keyed =
        |body: &Value| said.replica.post(&said.bob, body).header("Idempotency-Key", "k").send();
    assert_eq!(keyed(&answer).await.unwrap().status(), 202);
    assert_eq!(keyed(&answer).await.unwrap().status(), 202);
    let other = json!({ "content": "answer" });
    assert_problem(keyed(&other).await.unwrap(), 409, "idempotency-conflict").await;
    // What was deleted may be answered: it is still there.
    accepted(said.delete(&said.ada).await).await;
    assert_eq!(said.replica.post(&said.bob, &answer).send().await.unwrap().status(), 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_message_that_was_deleted_since_is_answered_as_before() {
    let setup = Setup::new().await;
    // Ids are forgotten at once: the archive is asked.
    let replica = setup.replica_with(|config| config.span = 1).await;
    let token = setup.issuer.token("ada");
    let keyed = || {
        let send = replica.post(&token, &json!({ "content": "once" }));
        send.header("Idempotency-Key", "k").send()
    };
    let first: Value = keyed().await.unwrap().json().await.unwrap();
    setup.stored_count(1).await;
    let path = format!("/v1/messages/{}", first["message_id"].as_str().unwrap());
    let deleted = replica.http.delete(replica.url(&path)).bearer_auth(&token).send().await.unwrap();
    assert_eq!(deleted.status(), 202);
    eventually("it is gone", async || {
        let shown: Value = replica.get(&token, &path).await.json().await.ok()?;
        shown.get("deleted_at").map(|_| ())
    })
    .await;
    replica.say(&token, "more").await;
    replica.say(&token, "and more").await;
    let again: Value = keyed().await.unwrap().json().await.unwrap();
    assert_eq!(again, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_open_yet_is_refused_and_nothing_is_written() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.args.writes.chat_writes.clear()).await;
    let token = setup.issuer.token("ada");
    let said = replica.say(&token, "words").await;
    let path = format!("/v1/messages/{}", said["message_id"].as_str().unwrap());
    let call =
        |method, path: String| replica.http.request(method, replica.url(&path)).bearer_auth(&token);
    let body = json!({ "content": "answer", "reply_to": said["message_id"] });
    for call in [
        call(Method::PATCH, path.clone()).json(&json!({ "content": "other" })),
        call(Method::DELETE, path.clone()),
        call(Method::PUT, format!("{path}/reactions/👍")),
        call(Method::DELETE, format!("{path}/reactions/👍")),
        replica.post(&token, &body),
    ] {
        let problem = assert_problem(call.send().await.unwrap(), 503, "not-open-yet").await;
        assert_eq!(problem["outcome"], "not_sent");
    }
    let mut socket = replica.socket(&token).await;
    let frame = json!({
        "type": "send", "ref": "1", "room_id": "lobby", "content": "x", "reply_to": said["message_id"],
    });
    socket.send(&frame).await;
    assert_eq!(socket.expect("nack").await["code"], "not-open-yet");
    // What is read needs no opening.
    assert_eq!(replica.get(&token, &format!("{path}/history")).await.status(), 200);
    assert_eq!(crate::setup::records::held(&setup, &setup.log.messages()), 1);
}
