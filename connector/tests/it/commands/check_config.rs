//! `check-config`

use std::path::Path;

use devstack::pki::Pki;

use crate::setup::commands::check;
use crate::setup::{keys, program, text};

const DSN: (&str, &str) = ("POSTGRES_DSN", "postgres://accounts:canary@127.0.0.1:1/accounts");

fn tls(dir: &Path) -> [(&'static str, String); 3] {
    let pki = Pki::create(dir).expect("certificates").connector;
    let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    [
        ("TLS_CERT_FILE", text(&pki.server.cert)),
        ("TLS_KEY_FILE", text(&pki.server.key)),
        ("TLS_CA_FILE", text(&pki.ca)),
    ]
}

#[test]
fn a_usable_configuration_is_said_to_be_usable() {
    let dir = tempfile::tempdir().unwrap();
    let tls = tls(dir.path());
    let mut variables = vec![DSN];
    variables.extend(tls.iter().map(|(name, value)| (*name, value.as_str())));
    assert_eq!(check(&variables).0, Some(0), "{:?}", check(&variables));
    assert_eq!(check(&[DSN, ("CONNECTOR_INSECURE", "true")]).0, Some(0));
    variables.push(("CONNECTOR_INSECURE", "false"));
    assert_eq!(check(&variables).0, Some(0), "{:?}", check(&variables));
}

#[test]
fn what_would_be_used_is_shown_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let tls = tls(dir.path());
    let mut variables = vec![DSN, ("TRUSTED_PROXY_CIDRS", "10.0.0.0/8"), ("BCRYPT_COST", "11")];
    variables.extend(tls.iter().map(|(name, value)| (*name, value.as_str())));
    let (code, text) = check(&variables);
    assert_eq!(code, Some(0), "{text}");
    for shown in [
        "roles            login\n",
        "accounts on 127.0.0.1:1\n",
        "0.0.0.0:5557 for callers named dex; certificate until 20",
        "bcrypt of cost 11, pepper ",
        "10 failures close an account for 1 min, each 5 more for twice as long, at most 60 min; 60",
        "120 of a network (60 at once), 600 of a coarse one, 120 on a name",
        "10.0.0.0/8",
        "0.0.0.0:9101",
    ] {
        assert!(text.contains(shown), "{shown:?}: {text}");
    }
    let peppers = std::fs::read_to_string(&keys().peppers).unwrap();
    let (_, pepper) = peppers.trim().split_once(':').unwrap();
    assert!(!text.contains("canary") && !text.contains(pepper), "{text}");
    assert!(!text.contains("accounts pages"), "of this role only: {text}");
    let insecure = check(&[DSN, ("CONNECTOR_INSECURE", "true")]).1;
    assert!(insecure.contains("without TLS"), "{insecure}");
}

#[test]
fn an_unusable_configuration_exits_64_and_names_the_option_without_its_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let good = tls(dir.path());
    let [cert, key, ca] = [0, 1, 2].map(|i| (good[i].0, good[i].1.as_str()));
    let rubbish = dir.path().join("rubbish");
    std::fs::write(&rubbish, "-----BEGIN CERTIFICATE-----\nrubbish\n").unwrap();
    let rubbish = rubbish.to_str().unwrap();
    let insecure = ("CONNECTOR_INSECURE", "true");
    let other = tempfile::tempdir().unwrap();
    let foreign = tls(other.path());

    let cases: Vec<(Vec<(&str, &str)>, &str)> = vec![
        (vec![insecure], "--postgres-dsn"),
        (vec![("POSTGRES_DSN", "mysql://canary"), insecure], "POSTGRES_DSN"),
        (vec![DSN], "--tls-cert-file"),
        (vec![DSN, cert, key], "--tls-ca-file"),
        (vec![DSN, cert, key, ca, insecure], "--insecure"),
        (vec![DSN, ("TLS_CERT_FILE", "/nowhere"), key, ca], "TLS_CERT_FILE"),
        (vec![DSN, ("TLS_CERT_FILE", rubbish), key, ca], "TLS_CERT_FILE"),
        (vec![DSN, cert, ("TLS_KEY_FILE", rubbish), ca], "TLS_KEY_FILE"),
        (vec![DSN, cert, key, ("TLS_CA_FILE", rubbish)], "TLS_CA_FILE"),
        (vec![DSN, cert, ("TLS_KEY_FILE", &foreign[1].1), ca], "TLS_KEY_FILE"),
        (vec![DSN, insecure, ("BCRYPT_COST", "9")], "--bcrypt-cost"),
        (vec![DSN, insecure, ("BCRYPT_COST", "13")], "--bcrypt-cost"),
        (vec![DSN, insecure, ("CONNECTOR_GRPC_LISTEN", "5557")], "--connector-grpc-listen"),
        (vec![DSN, insecure, ("ADMIN_LISTEN", "nowhere:1")], "--admin-listen"),
        (vec![DSN, insecure, ("LOG_LEVEL", "loud")], "--log-level"),
        (vec![DSN, insecure, ("LOG_FORMAT", "xml")], "--log-format"),
    ];
    for (variables, option) in cases {
        let (code, text) = check(&variables);
        assert_eq!(code, Some(64), "{variables:?}: {text}");
        assert!(text.contains(option), "{variables:?}: {text}");
        assert!(!text.contains("canary"), "{variables:?}: {text}");
    }
}

#[test]
fn an_unusable_key_file_exits_64_and_names_the_option_and_the_line_without_its_content() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().expect("a path in UTF-8").to_owned()
    };
    let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    for (option, path, reason) in [
        ("PEPPER_FILE", "/nowhere".to_owned(), "No such file"),
        ("PEPPER_FILE", file("empty", "# nothing\n"), "holds no pepper"),
        ("PEPPER_FILE", file("shape", &format!("# first\n{key}\n")), "line 2: must be id:base64"),
        ("PEPPER_FILE", file("id", &format!("Canary:{key}")), "line 1: the id"),
        ("PEPPER_FILE", file("base64", "a:canary!"), "line 1: the pepper must be base64"),
        ("PEPPER_FILE", file("short", "a:Y2FuYXJ5"), "line 1: the pepper must be at least 32"),
        ("PEPPER_FILE", file("twice", &format!("a:{key}\na:{key}")), "line 2: the id stands"),
        ("GUARD_KEY_FILE", "/nowhere".to_owned(), "No such file"),
        ("GUARD_KEY_FILE", file("none", ""), "must be at least 32"),
        ("GUARD_KEY_FILE", file("text", "canary!"), "must be base64"),
    ] {
        let (code, text) = check(&[DSN, ("CONNECTOR_INSECURE", "true"), (option, &path)]);
        assert_eq!(code, Some(64), "{option} {reason}: {text}");
        assert!(text.contains(option) && text.contains(reason), "{option} {reason}: {text}");
        for secret in ["anary", "Y2Fu", "BwcH"] {
            assert!(!text.contains(secret), "{option} {reason}: {text}");
        }
    }
}

#[test]
fn key_files_may_begin_with_a_byte_order_mark() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().expect("a path in UTF-8").to_owned()
    };
    let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    let peppers = file("peppers", &format!("\u{feff}p1:{key}\r\n"));
    let guard = file("guard", &format!("\u{feff}{key}\r\n"));
    let insecure = ("CONNECTOR_INSECURE", "true");
    let (code, text) =
        check(&[DSN, insecure, ("PEPPER_FILE", &peppers), ("GUARD_KEY_FILE", &guard)]);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_command_without_its_key_files_names_them() {
    let peppers = keys().peppers.to_str().unwrap();
    for (given, missing) in [(None, "PEPPER_FILE"), (Some(peppers), "GUARD_KEY_FILE")] {
        let mut command = program();
        command.args(["check-config", "--insecure"]).env("ROLES", "login").envs([DSN]);
        command.envs(given.map(|path| ("PEPPER_FILE", path)));
        let output = command.output().expect("it runs");
        assert_eq!(output.status.code(), Some(64), "{}", text(&output));
        assert!(text(&output).contains(missing), "{missing}: {}", text(&output));
    }
}

#[test]
fn a_dsn_as_an_argument_is_refused() {
    let output = program()
        .args(["check-config", "--insecure", "--postgres-dsn", DSN.1])
        .env("PEPPER_FILE", &keys().peppers)
        .env("GUARD_KEY_FILE", &keys().guard_key)
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output).contains("POSTGRES_DSN"), "{}", text(&output));
    assert!(!text(&output).contains("canary"), "{}", text(&output));
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = program()
        .args(["serve", "--roles", "login", "--insecure", "--connector-grpc-listen", &address])
        .envs([DSN, ("ADMIN_LISTEN", "127.0.0.1:0"), ("BCRYPT_COST", "10")])
        .env("PEPPER_FILE", &keys().peppers)
        .env("GUARD_KEY_FILE", &keys().guard_key)
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains(&address), "{}", text(&output));
    assert!(text(&output).contains("CONNECTOR_GRPC_LISTEN"), "{}", text(&output));
}
