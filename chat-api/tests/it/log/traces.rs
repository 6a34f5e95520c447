//! A message in its trace

use std::ffi::OsStr;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;

use serde_json::{Value, json};
use service_process_testing::collector::{Collector, Span, attribute, hex};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::setup::program::{finish, serve, terminate};
use crate::setup::records::{Record, envelope, held, records};
use crate::setup::socket::{Socket, request_at};
use crate::setup::{HANG, Setup, eventually};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// The one span of a trace that is called so.
fn span<'a>(spans: &'a [Span], trace: &str, name: &str) -> &'a Span {
    let named: Vec<_> =
        spans.iter().filter(|span| span.name == name && hex(&span.trace_id) == trace).collect();
    let [span] = named.as_slice() else { panic!("{name} of {trace} in {spans:#?}") };
    span
}

/// A replica that sends every span to a collector, and where it is. It believes what requests say of
/// their trace, or not.
fn traced(setup: &Setup, collector: &Collector, trusting: bool) -> (Child, SocketAddr) {
    let (mut command, address) = serve(setup);
    command
        .env("CHAT_TRUST_TRACEPARENT", trusting.to_string())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)
        .env("OTEL_TRACES_SAMPLER_ARG", "1")
        .env("CHAT_REPLICA", "chat-api-7");
    (command.spawn().unwrap(), address)
}

/// Waits until it answers, by a request whose trace is not recorded.
async fn answers(address: SocketAddr, token: &str) {
    let (http, url) = (reqwest::Client::new(), format!("http://{address}/v1/messages"));
    let unrecorded = format!("00-{TRACE}-{PARENT}-00");
    eventually("it answers", async || {
        http.get(&url).bearer_auth(token).header("traceparent", &unrecorded).send().await.ok()
    })
    .await;
}

async fn stop(child: Child) {
    terminate(child.id().unwrap());
    let (code, log) = finish(child).await;
    assert_eq!(code, Some(0), "{log}");
}

fn header(record: &Record, name: &str) -> String {
    record.headers[name].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_one_trace_from_its_sender_through_the_log_to_delivery_and_archive() {
    let setup = Setup::new().await;
    let collector = Collector::start();
    let (child, address) = traced(&setup, &collector, true);

    let http = reqwest::Client::new();
    let url = format!("http://{address}/v1/messages");
    let token = setup.issuer.token("ada");
    answers(address, &token).await;
    let body = json!({ "content": "canary words by request" });
    let sent = http
        .post(&url)
        .bearer_auth(&token)
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .header("tracestate", "vendor=1")
        .json(&body)
        .send();
    assert_eq!(sent.await.unwrap().status(), 202);
    let mut request = request_at(address);
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    let mut socket = Socket::open(request).await.unwrap();
    socket.expect("ready").await;
    let frame = json!({
        "type": "send", "ref": "1", "room_id": "lobby", "content": "canary words by socket",
    });
    socket.send(&frame).await;
    socket.expect("ack").await;
    setup.stored_count(2).await;
    let records = records(&setup, &setup.log.messages(), 2).await;
    drop(socket);
    stop(child).await;
    // It reads the end of the log again when it starts, and that is no delivery.
    let (child, address) = traced(&setup, &collector, true);
    answers(address, &token).await;
    stop(child).await;

    let spans: Vec<Span> = collector.spans().into_iter().map(|(_, span)| span).collect();
    let request = span(&spans, TRACE, "POST /v1/messages");
    assert_eq!(hex(&request.parent_span_id), PARENT);
    let sent_by_request = span(&spans, TRACE, "send");
    assert_eq!(sent_by_request.parent_span_id, request.span_id);
    let traceparent = header(&records[1], "traceparent");
    let by_socket = traceparent.split('-').nth(1).unwrap();
    assert_ne!(by_socket, TRACE, "what is said at a socket is a trace of its own");
    let sent_by_socket = span(&spans, by_socket, "send");
    assert_eq!(hex(&sent_by_socket.parent_span_id), "");

    for (record, sent) in records.iter().zip([sent_by_request, sent_by_socket]) {
        let trace = hex(&sent.trace_id);
        assert_eq!(attribute(&sent.attributes, "outcome").as_deref(), Some("accepted"));
        let expected = format!("00-{trace}-{}-01", hex(&sent.span_id));
        assert_eq!(header(record, "traceparent"), expected);
        assert_eq!(header(record, "origin"), "chat-api-7");
        for (name, outcome) in [("deliver", "new"), ("store", "stored")] {
            let read = span(&spans, &trace, name);
            assert_eq!(read.parent_span_id, sent.span_id, "{name}");
            assert_eq!(attribute(&read.attributes, "outcome").as_deref(), Some(outcome));
        }
    }
    assert_eq!(header(&records[0], "tracestate"), "vendor=1");
    assert_eq!(spans.len(), 7, "and what is not recorded where it began is not here: {spans:#?}");
    let all = format!("{spans:?}");
    for secret in ["canary", "ada", "Ada", &token] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_decides_from_outside_what_is_recorded() {
    let setup = Setup::new().await;
    let collector = Collector::start();
    let (mut command, address) = serve(&setup);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)
        .env("OTEL_TRACES_SAMPLER_ARG", "0");
    let child = command.spawn().unwrap();
    let http = reqwest::Client::new();
    let url = format!("http://{address}/v1/messages");
    let asks = format!("00-{TRACE}-{PARENT}-01");
    let token = setup.issuer.token("ada");
    eventually("it answers", async || {
        http.get(&url).bearer_auth(&token).header("traceparent", &asks).send().await.ok()
    })
    .await;
    let stranger = http.get(&url).header("traceparent", &asks).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    let said = http.post(&url).bearer_auth(&token).header("traceparent", &asks);
    let said = said.json(&json!({ "content": "hi" })).send().await.unwrap();
    assert_eq!(said.status(), 202);
    let records = records(&setup, &setup.log.messages(), 1).await;
    assert!(!header(&records[0], "traceparent").contains(TRACE), "{:?}", records[0].headers);
    stop(child).await;
    assert_eq!(collector.spans(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_collector_a_line_of_the_log_still_names_the_request_that_it_is_of() {
    let setup = Setup::new().await;
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let (mut command, address) = serve(&setup);
    command
        .env("LOG_FORMAT", "json")
        .env("MONGODB_URI", format!("mongodb://{closed}/?replicaSet=rs0"));
    let child = command.spawn().unwrap();
    let (http, url) = (reqwest::Client::new(), format!("http://{address}/v1/messages"));
    let token = setup.issuer.token("ada");
    let refused =
        eventually("it answers", async || http.get(&url).bearer_auth(&token).send().await.ok());
    assert_eq!(refused.await.status(), 503);
    terminate(child.id().unwrap());
    let (_, log) = finish(child).await;
    let line = log.lines().find(|line| line.contains("history cannot be read"));
    let line: Value = serde_json::from_str(line.unwrap_or_else(|| panic!("{log}"))).unwrap();
    assert_eq!(line["span"]["name"], "request", "{line}");
    assert_eq!(line["span"]["http.route"], "/v1/messages", "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_whose_name_is_no_text_stops_no_reader() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    socket.subscribe(None).await;
    for value in [envelope("lobby", "strange").to_string(), "no envelope".to_owned()] {
        let mut kcat = Command::new("kcat")
            .args([
                "-P",
                "-b",
                &setup.log.brokers,
                "-t",
                &setup.log.messages(),
                "-k",
                "lobby",
                "-p",
            ])
            .arg(Setup::lobby_partition().to_string())
            .args(["-H", "traceparent=00-1-2-03", "-H"])
            .arg(OsStr::from_bytes(b"\xff\xfe=value"))
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        kcat.stdin.take().unwrap().write_all(value.as_bytes()).await.unwrap();
        let ended = tokio::time::timeout(HANG, kcat.wait()).await.expect("kcat ends");
        assert!(ended.unwrap().success());
    }
    replica.say(&token, "after").await;
    assert_eq!(socket.contents(2).await, ["strange", "after"]);
    assert_eq!(setup.stored_count(2).await, ["strange", "after"]);
    eventually("it is a dead letter", async || {
        (held(&setup, &setup.log.dead_letters()) == 1).then_some(())
    })
    .await;
}
