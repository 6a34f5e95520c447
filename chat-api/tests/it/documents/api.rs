//! docs/API.md against the program: its examples are sent in their order, and what comes back must
//! look as documented; its tables name every problem and every close code.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chat_api::ws::close::Close;
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::time::Instant;

use crate::setup::socket::Socket;
use crate::setup::{HANG, Replica, Setup};

const DOCUMENT: &str = include_str!("../../../../docs/API.md");

/// Members whose value is a promise. Of all others only the type is: ids, cursors and times differ.
const EXACT: [&str; 10] =
    ["type", "status", "room_id", "content", "ref", "code", "detail", "title", "fields", "v"];

#[tokio::test(flavor = "multi_thread")]
async fn every_example_works_as_documented() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token_with("ada", &serde_json::json!({ "name": "Alice Arnold" }));
    let mut reader = DocumentReader { replica, token, seen: BTreeMap::new() };
    let (mut request, mut socket, mut heard) = (None, None, Vec::new());
    let mut examples = 0;
    for (label, block) in blocks() {
        examples += 1;
        match label {
            "http" if block.starts_with("HTTP/1.1 ") => {
                reader.check_response(request.take().expect("a request before it"), block).await;
            }
            "http" => request = Some(block),
            "json client" => {
                let socket = match &mut socket {
                    Some(socket) => socket,
                    None => socket.insert(Socket::connect(&reader.replica, None).await),
                };
                socket.send_text(&reader.as_sent(block)).await;
            }
            "json server" => {
                let socket = socket.as_mut().expect("a client's frame before it");
                reader.check_frame(socket, &mut heard, block).await;
            }
            _ => examples -= 1,
        }
    }
    assert!(examples > 20, "{examples} examples: is the document read at all?");
}

/// Follows the document as a person would: what an answer says is used in the next request.
struct DocumentReader {
    replica: Replica,
    token: String,
    /// What the document calls something, and what it is called here.
    seen: BTreeMap<String, String>,
}

impl DocumentReader {
    fn as_sent(&self, text: &str) -> String {
        let known = self
            .seen
            .iter()
            .fold(text.to_owned(), |text, (documented, actual)| text.replace(documented, actual));
        known.replace("eyJhbGciOiJSUzI1NiIs…", &self.token)
    }

    async fn send(&self, request: &str) -> Response {
        let (head, body) = request.split_once("\n\n").unwrap_or((request.trim_end(), ""));
        let mut lines = head.lines();
        let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut sent = self.replica.http.request(method, self.replica.url(path));
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            sent = sent.header(name, value);
        }
        sent.body(body.to_owned()).send().await.unwrap()
    }

    /// The body of the answer, and the documented lines of its head that it lacks.
    async fn answer(&self, request: &str, head: &str) -> (Value, Vec<String>) {
        let response = self.send(&self.as_sent(request)).await;
        let mut given = vec![format!("HTTP/1.1 {}", response.status())];
        for (name, value) in response.headers() {
            given.push(format!("{name}: {}", value.to_str().unwrap()));
        }
        let mut missing: Vec<String> = head.lines().map(|line| self.as_sent(line)).collect();
        missing.retain(|line| !given.iter().any(|given| given.eq_ignore_ascii_case(line)));
        (response.json().await.unwrap(), missing)
    }

    async fn check_response(&mut self, request: &str, documented: &str) {
        let (head, body) = documented.split_once("\n\n").unwrap();
        let documented: Value = serde_json::from_str(body).unwrap();
        let deadline = Instant::now() + HANG;
        loop {
            let (given, missing) = self.answer(request, head).await;
            let length = |value: &Value| value.as_array().map(Vec::len);
            let complete = missing.is_empty() && length(&given) == length(&documented);
            // What was said is in the history a moment later.
            if complete || !request.starts_with("GET") || Instant::now() > deadline {
                assert!(missing.is_empty(), "{request}: {missing:?} is not in the answer");
                return self.compare(request, &documented, &given);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The next frame of the documented type; an `ack` and an event may come in either order.
    async fn check_frame(&mut self, socket: &mut Socket, heard: &mut Vec<Value>, block: &str) {
        let documented: Value = serde_json::from_str(block).unwrap();
        let given = loop {
            match heard.iter().position(|frame| frame["type"] == documented["type"]) {
                Some(index) => break heard.remove(index),
                None => heard.push(socket.next_of_all().await),
            }
        };
        self.compare(block, &documented, &given);
    }

    fn compare(&mut self, place: &str, documented: &Value, given: &Value) {
        match (documented, given) {
            (Value::Object(documented), Value::Object(given)) => {
                let names = |object: &serde_json::Map<String, Value>| -> BTreeSet<String> {
                    object.keys().cloned().collect()
                };
                assert_eq!(names(documented), names(given), "{place}");
                for (name, value) in documented {
                    if name == "ref_pos" {
                        assert!(value.is_i64() && given[name].is_i64(), "{place}");
                        continue;
                    }
                    self.compare(place, value, &given[name]);
                    if EXACT.contains(&name.as_str()) {
                        let expected = self.as_sent(&value.to_string());
                        assert_eq!(expected, given[name].to_string(), "{name} in {place}");
                    }
                }
            }
            (Value::Array(documented), Value::Array(given)) => {
                assert_eq!(documented.len(), given.len(), "{place}");
                for (documented, given) in documented.iter().zip(given) {
                    self.compare(place, documented, given);
                }
            }
            (Value::String(documented), Value::String(given)) => {
                if documented != given {
                    let known = self.seen.insert(documented.clone(), given.clone());
                    assert!(known.is_none_or(|known| known == *given), "{documented} in {place}");
                }
            }
            _ => assert_eq!(documented, given, "{place}"),
        }
    }
}

/// The fenced blocks of the document: what stands behind the fence, and the text.
fn blocks() -> impl Iterator<Item = (&'static str, &'static str)> {
    let fenced = DOCUMENT.split("\n```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n'))
}

/// The first cells of all table rows whose first cell begins so.
fn first_cells(begins: &str) -> BTreeSet<String> {
    let begins = format!("| {begins}");
    let rows = DOCUMENT.lines().filter(|line| line.starts_with(&begins));
    rows.map(|row| row.split('|').nth(1).unwrap().trim().trim_matches('`').to_owned()).collect()
}

#[test]
fn every_problem_is_documented_and_no_other() {
    // Names of problems are the only literals of several small words in these two files, besides
    // those of one word, and but for one that only frames have.
    let sources =
        [include_str!("../../../src/http/problem.rs"), include_str!("../../../src/refusal.rs")];
    let of_frames = "\"invalid-key\"";
    assert!(sources[1].contains(of_frames) && DOCUMENT.contains(": `invalid-key`,"));
    let sources = sources.map(|source| source.replace(of_frames, ""));
    let is_name = |text: &&str| {
        let small = |c: char| c.is_ascii_lowercase() || c == '-';
        let one_word =
            ["banned", "behind", "oneself", "overloaded", "overtaken", "refused", "unavailable"];
        (text.contains('-') || one_word.contains(text)) && text.chars().all(small)
    };
    let literals = sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2));
    let named: BTreeSet<String> = literals.filter(is_name).map(str::to_owned).collect();
    let table = DOCUMENT.split_once("| type: ").unwrap().1.split_once("\n\n").unwrap().0;
    let documented: BTreeSet<String> =
        table.lines().skip(2).map(|row| row.split('`').nth(1).unwrap().to_owned()).collect();
    assert_eq!(documented, named);
}

#[test]
fn every_close_code_is_documented_and_no_other() {
    let codes = [
        Close::Drain,
        Close::Slow,
        Close::Resync,
        Close::NoPong,
        Close::Rate,
        Close::Expired,
        Close::BadToken,
        Close::BadFrame,
        Close::AuthTimeout,
        Close::Replaced,
        Close::TooLarge,
        Close::TryAgainLater,
    ];
    let given: BTreeSet<String> = codes.iter().map(|close| close.code().to_string()).collect();
    let documented: BTreeSet<String> =
        first_cells("4").into_iter().chain(first_cells("10")).collect();
    assert_eq!(documented, given);
}
