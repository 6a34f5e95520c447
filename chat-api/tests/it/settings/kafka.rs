//! A Kafka that asks for TLS and passwords, as a hosted one does

use std::fs;
use std::path::Path;
use std::process::Stdio;

use devstack::kafka::{Broker, PASSWORD, Secured, USER};
use devstack::pki::Pki;
use serde_json::Value;
use tempfile::TempDir;

use super::served::{read, say, served};
use crate::setup::program::{finish, program, serve, terminate};
use crate::setup::records::Putter;
use crate::setup::{HANG, Setup, eventually};

const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];
const CHECK: [&str; 8] = [
    "topics",
    "check",
    "--kafka-partitions",
    "3",
    "--kafka-replication-factor",
    "1",
    "--kafka-min-insync-replicas",
    "1",
];

type Variable = (&'static str, String);
type Variables = Vec<Variable>;

/// A broker with listeners of every kind, and a chat on its plain one.
struct Hosted {
    setup: Setup,
    secured: Secured,
    _server: Broker,
    _home: TempDir,
}

impl Hosted {
    async fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let (server, secured) = Broker::start_secured(home.path()).await.unwrap();
        let mongodb_uri = devstack::shared::mongodb_uri().unwrap();
        let setup = Setup::on(server.brokers(), &mongodb_uri).await;
        Self { setup, secured, _server: server, _home: home }
    }

    fn by_certificate(&self) -> Variables {
        let client = &self.secured.authority.client;
        vec![
            ("KAFKA_BROKERS", self.secured.tls.clone()),
            ("KAFKA_SECURITY_PROTOCOL", "SSL".to_owned()),
            ("KAFKA_CA_FILE", text(&self.secured.authority.ca)),
            ("KAFKA_CERT_FILE", text(&client.cert)),
            ("KAFKA_KEY_FILE", text(&client.key)),
        ]
    }

    fn by_password(&self, mechanism: &str) -> Variables {
        vec![
            ("KAFKA_BROKERS", self.secured.sasl_tls.clone()),
            ("KAFKA_SECURITY_PROTOCOL", "SASL_SSL".to_owned()),
            ("KAFKA_CA_FILE", text(&self.secured.authority.ca)),
            ("KAFKA_SASL_MECHANISM", mechanism.to_owned()),
            ("KAFKA_SASL_USER", USER.to_owned()),
            ("KAFKA_SASL_PASSWORD", PASSWORD.to_owned()),
        ]
    }

    fn without_tls(&self) -> Variables {
        vec![
            ("KAFKA_BROKERS", self.secured.sasl.clone()),
            ("KAFKA_SECURITY_PROTOCOL", "sasl_plaintext".to_owned()),
            ("KAFKA_ALLOW_SASL_PLAINTEXT", "true".to_owned()),
            ("KAFKA_SASL_MECHANISM", "SCRAM-SHA-512".to_owned()),
            ("KAFKA_SASL_USER", USER.to_owned()),
            ("KAFKA_SASL_PASSWORD", PASSWORD.to_owned()),
        ]
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The same with some of them changed or added.
fn with(variables: &[Variable], changes: &[(&'static str, &str)]) -> Variables {
    let replaced = |name: &str| changes.iter().any(|(other, _)| *other == name);
    let kept = variables.iter().filter(|(name, _)| !replaced(name)).cloned();
    kept.chain(changes.iter().map(|(name, value)| (*name, (*value).to_owned()))).collect()
}

/// The exit code of a command, and all that it said, which is never the password.
async fn run(setup: &Setup, variables: &[Variable], arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = program(setup);
    command.args(arguments).envs(variables.iter().cloned());
    command.env("LOG_LEVEL", "trace").stdout(Stdio::piped());
    let output = tokio::time::timeout(HANG, command.output()).await;
    let output = output.expect("the command ends").unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!said.contains("hunter2"), "{arguments:?}: {said}");
    (output.status.code(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn kafka_lets_in_who_has_a_certificate_or_proves_a_password_by_any_mechanism() {
    let hosted = Hosted::start().await;
    let mut ways = vec![hosted.by_certificate(), hosted.without_tls()];
    ways.extend(MECHANISMS.map(|mechanism| hosted.by_password(mechanism)));
    for way in &ways {
        let (code, said) = run(&hosted.setup, way, &CHECK).await;
        assert_eq!(code, Some(0), "{way:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_for_kafka_stays_out_of_the_most_talkative_log() {
    let hosted = Hosted::start().await;
    let (mut command, address) = serve(&hosted.setup);
    // The mechanism that shows it to the broker.
    let child = command.envs(hosted.by_password("PLAIN")).env("LOG_LEVEL", "trace").spawn();
    let child = child.unwrap();
    let id = child.id().unwrap();
    // Read all the while: a full pipe would stop the program.
    let finished = tokio::spawn(finish(child));
    let ready = format!("http://{address}/v1/readyz");
    eventually("it is ready", async || {
        let status = reqwest::get(&ready).await.ok()?.status();
        (status == 200).then_some(())
    })
    .await;
    terminate(id);
    let (code, log) = finished.await.unwrap();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("hunter2"), "the password is in the log:\n{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_of_the_log_is_secured() {
    let hosted = Hosted::start().await;
    let setup = &hosted.setup;
    // An editor ends the line.
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), format!("{PASSWORD}\n")).unwrap();
    let mut way = hosted.by_password("SCRAM-SHA-256");
    way.retain(|(name, _)| *name != "KAFKA_SASL_PASSWORD");
    way.push(("KAFKA_SASL_PASSWORD_FILE", text(file.path())));

    let variables: Vec<(&str, &str)> =
        way.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let alone = served(setup, &variables).await;
    let token = setup.issuer.token("ada");
    assert_eq!(say(&alone, &token, "hello").await.status(), 202);
    eventually("the history holds it", async || {
        let page: Vec<Value> = read(&alone, &token).await.json().await.ok()?;
        (page.first()?["content"] == "hello").then_some(())
    })
    .await;
    let putter = Putter::new(setup);
    putter.put(Setup::lobby_partition(), Some(b"lobby"), Some(b"no envelope"));
    putter.flush();
    eventually("the dead letter is there", async || {
        let (code, said) = run(setup, &way, &["dlq", "list"]).await;
        assert_eq!(code, Some(0), "{said}");
        said.contains("lobby").then_some(())
    })
    .await;
    // It cannot be read now, either.
    let (code, said) = run(setup, &way, &["dlq", "replay", "--all"]).await;
    assert!(code == Some(1) && said.contains("stays"), "{said}");
    let (code, said) = run(setup, &way, &["archive", "rebuild"]).await;
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kafka_that_is_not_the_one_or_does_not_let_in_is_told_and_no_password_is() {
    let hosted = Hosted::start().await;
    let dir = tempfile::tempdir().unwrap();
    let foreign = text(&Pki::create(dir.path()).unwrap().connector.ca);
    let anonymous = |way: Variables| -> Variables {
        let of_client = ["KAFKA_CERT_FILE", "KAFKA_KEY_FILE"];
        way.into_iter().filter(|(name, _)| !of_client.contains(name)).collect()
    };
    let wrong = [("KAFKA_SASL_PASSWORD", "hunter2-of-yesterday")];
    let (scram, plain) = (hosted.by_password("SCRAM-SHA-256"), hosted.by_password("PLAIN"));
    // The broker's certificate bears another name.
    let (_, port) = hosted.secured.sasl_tls.split_once(':').unwrap();
    let elsewhere = format!("localhost:{port}");
    for (way, told) in [
        (with(&scram, &wrong), "uthentication"),
        (with(&plain, &wrong), "uthentication"),
        (with(&plain, &[("KAFKA_SASL_USER", "nobody")]), "uthentication"),
        (with(&scram, &[("KAFKA_CA_FILE", &foreign)]), "certificate verify failed"),
        (with(&scram, &[("KAFKA_BROKERS", &elsewhere)]), ""),
        (anonymous(hosted.by_certificate()), ""),
    ] {
        let (code, said) = run(&hosted.setup, &way, &CHECK).await;
        assert_eq!(code, Some(1), "{way:?}: {said}");
        assert!(said.contains("KAFKA_BROKERS") && said.contains(told), "{way:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_do_not_go_together_are_refused_with_a_reason() {
    let setup = Setup::new().await;
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::create(dir.path()).unwrap();
    let file = |name: &str, content: &str| {
        let path = dir.path().join(name);
        fs::write(&path, content).unwrap();
        text(&path)
    };
    let (ca, absent) = (text(&pki.connector.ca), text(&dir.path().join("absent")));
    let (cert, key) = (text(&pki.connector.client.cert), text(&pki.connector.client.key));
    let other_key = text(&pki.dex_admin.client.key);
    let garbage = file("garbage.pem", "hunter2");
    let empty = file("empty", "\r\n");
    let password = file("password", "hunter2");

    let protocol = |name: &str| vec![("KAFKA_SECURITY_PROTOCOL", name.to_owned())];
    let (tls, sasl) = (protocol("SSL"), protocol("SASL_SSL"));
    let user: [(&str, &str); 2] = [("KAFKA_SASL_MECHANISM", "PLAIN"), ("KAFKA_SASL_USER", "u")];
    let (secret, by_file) = (("KAFKA_SASL_PASSWORD", "hunter2"), "KAFKA_SASL_PASSWORD_FILE");
    for (variables, option, told) in [
        (protocol("TLS"), "kafka-security-protocol", "SASL_SSL"),
        (with(&[], &[("KAFKA_CA_FILE", &ca)]), "kafka-ca-file", "SSL or SASL_SSL"),
        (with(&[], &[("KAFKA_CERT_FILE", &cert)]), "kafka-cert-file", "SSL or SASL_SSL"),
        (with(&tls, &[secret]), "kafka-sasl-password", "SASL_SSL or SASL_PLAINTEXT"),
        (with(&tls, &[("KAFKA_CERT_FILE", &cert)]), "kafka-cert-file", "kafka-key-file"),
        (with(&tls, &[("KAFKA_KEY_FILE", &key)]), "kafka-key-file", "kafka-cert-file"),
        (with(&tls, &[("KAFKA_CA_FILE", &absent)]), "kafka-ca-file", "No such file"),
        (
            with(&tls, &[("KAFKA_CERT_FILE", &cert), ("KAFKA_KEY_FILE", &absent)]),
            "kafka-key-file",
            "No such file",
        ),
        (with(&tls, &[("KAFKA_CA_FILE", &garbage)]), "kafka-ca-file", "ssl.ca.location"),
        (
            with(&tls, &[("KAFKA_CERT_FILE", &cert), ("KAFKA_KEY_FILE", &other_key)]),
            "kafka-cert-file",
            "cannot be used",
        ),
        (with(&sasl, &[user[1], secret]), "kafka-sasl-mechanism", "is needed"),
        (with(&sasl, &[user[0], secret]), "kafka-sasl-user", "is needed"),
        (with(&sasl, &user), "kafka-sasl-password", "KAFKA_SASL_PASSWORD"),
        (
            with(&sasl, &[user[0], user[1], secret, (by_file, &password)]),
            "kafka-sasl-password-file",
            "one of them",
        ),
        (
            with(&sasl, &[user[0], user[1], (by_file, &absent)]),
            "kafka-sasl-password-file",
            "cannot be read",
        ),
        (
            with(&sasl, &[user[0], user[1], (by_file, &empty)]),
            "kafka-sasl-password-file",
            "no password",
        ),
        (
            with(&sasl, &[("KAFKA_SASL_MECHANISM", "GSSAPI"), user[1], secret]),
            "kafka-sasl-mechanism",
            "SCRAM-SHA-512",
        ),
        (
            with(&protocol("SASL_PLAINTEXT"), &[user[0], user[1], secret]),
            "kafka-security-protocol",
            "private network",
        ),
    ] {
        for command in [&["check-config"][..], &CHECK] {
            let (code, said) = run(&setup, &variables, command).await;
            assert_eq!(code, Some(64), "{variables:?}: {said}");
            assert!(said.contains(option) && said.contains(told), "{variables:?}: {said}");
        }
    }
    let both = [("KAFKA_CERT_FILE", cert.as_str()), ("KAFKA_KEY_FILE", key.as_str())];
    for usable in [
        protocol("ssl"),
        with(&tls, &both),
        with(&with(&sasl, &both), &[user[0], user[1], (by_file, &password)]),
    ] {
        let (code, said) = run(&setup, &usable, &["check-config"]).await;
        assert_eq!(code, Some(0), "{usable:?}: {said}");
    }
    let argument = ["check-config", "--kafka-sasl-password", "hunter3"];
    let (code, said) = run(&setup, &sasl, &argument).await;
    assert!(code == Some(64) && said.contains("KAFKA_SASL_PASSWORD"), "{said}");
}
