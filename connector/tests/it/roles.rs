//! What a process does in each role, and which settings that needs

use std::net::SocketAddr;
use std::path::Path;

use auth_connector::app::App;
use auth_connector::cli::{Cli, Command};
use clap::Parser as _;
use devstack::pki::Pki;
use reqwest::{Response, StatusCode};
use service_process::lifecycle::Lifecycle;
use tokio::net::TcpStream;

use crate::setup::{Database, eventually, keys, program, text, utf8};

/// The certificates for Dex's admin API. Nobody answers there.
fn dex_api(dir: &Path) -> [(&'static str, String); 4] {
    let pki = Pki::create(dir).expect("certificates").dex_admin;
    let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    [
        ("DEX_API_ADDRESS", "127.0.0.1:1".to_owned()),
        ("DEX_API_CA_FILE", text(&pki.ca)),
        ("DEX_API_CERT_FILE", text(&pki.client.cert)),
        ("DEX_API_KEY_FILE", text(&pki.client.key)),
    ]
}

fn build(dsn: &str, roles: &str, options: &[&str]) -> App {
    let arguments = [
        &["auth-connector", "serve", "--roles", roles, "--postgres-dsn", dsn, "--insecure"][..],
        &["--bcrypt-cost", "10", "--admin-listen", "127.0.0.1:0"],
        &["--pepper-file", utf8(&keys().peppers), "--guard-key-file", utf8(&keys().guard_key)],
        &["--connector-grpc-listen", "127.0.0.1:0", "--accounts-listen", "127.0.0.1:0"],
        options,
    ]
    .concat();
    let cli = Cli::try_parse_from(arguments).unwrap_or_else(|error| panic!("{error}"));
    let Command::Serve(args) = cli.command else { unreachable!("it says serve") };
    App::build(&args).expect("it binds")
}

/// Runs until the lifecycle's tasks are told to stop.
async fn accounts(dsn: &str) -> (SocketAddr, Lifecycle) {
    let app = build(dsn, "accounts", &[]);
    let address = app.accounts_addr().expect("the role accounts has a port");
    let lifecycle = Lifecycle::new(std::time::Duration::from_secs(10));
    app.run(&lifecycle).await.expect("it runs");
    (address, lifecycle)
}

async fn get(address: SocketAddr, path: &str) -> Response {
    reqwest::get(format!("http://{address}{path}")).await.expect("an answer")
}

#[tokio::test]
async fn each_role_listens_where_it_is_to_and_nowhere_else() {
    let database = Database::create().await;
    let dir = tempfile::tempdir().unwrap();
    let dex = dex_api(dir.path());
    let dex: Vec<&str> = [
        ["--dex-api-address", &dex[0].1],
        ["--dex-api-ca-file", &dex[1].1],
        ["--dex-api-cert-file", &dex[2].1],
        ["--dex-api-key-file", &dex[3].1],
    ]
    .concat();
    for (roles, login, accounts) in [
        ("login", true, false),
        ("accounts", false, true),
        ("worker", false, false),
        ("login,accounts,worker", true, true),
    ] {
        let app = build(&database.dsn, roles, &dex);
        assert_eq!(app.grpc_addr().is_some(), login, "{roles}");
        assert_eq!(app.accounts_addr().is_some(), accounts, "{roles}");
    }
}

#[test]
fn a_role_needs_its_own_settings_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let dex = dex_api(dir.path());
    let rubbish = dir.path().join("rubbish");
    std::fs::write(&rubbish, "-----BEGIN CERTIFICATE-----\nrubbish\n").unwrap();
    let empty = dir.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let [rubbish, empty] = [&rubbish, &empty].map(|path| path.to_str().unwrap());
    let check = |roles: &str, changes: &[(&str, Option<&str>)]| {
        let mut command = program();
        command
            .args(["check-config", "--roles", roles])
            .env("POSTGRES_DSN", "postgres://accounts:canary@127.0.0.1:1/accounts")
            .envs(dex.iter().map(|(name, value)| (name, value)));
        for (name, value) in changes {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = command.output().expect("it runs");
        (output.status.code(), text(&output))
    };

    let url = ("ACCOUNTS_PUBLIC_URL", Some("https://chat.example/accounts"));
    let codes = ("CODE_KEY_FILE", Some(utf8(&keys().code_key)));
    let proxy = ("TRUSTED_PROXY_CIDRS", Some("10.0.0.0/8"));
    let guard = ("GUARD_KEY_FILE", Some(utf8(&keys().guard_key)));
    let peppers = ("PEPPER_FILE", Some(utf8(&keys().peppers)));
    let issuer = ("DEX_ISSUER_URL", Some("https://chat.example/dex"));
    let all = [url, codes, proxy, peppers, guard];
    let nothing: Vec<_> = dex.iter().map(|(name, _)| (*name, None)).collect();
    for (roles, changes) in [("accounts", &nothing[..]), ("worker", &[]), ("accounts,worker", &[])]
    {
        let (code, text) = check(roles, changes);
        assert_eq!(code, Some(0), "{roles}: {text}");
    }
    for (roles, changes, option) in [
        ("login", &[][..], "--tls-cert-file"),
        ("accounts,login", &[], "--tls-cert-file"),
        ("worker", &nothing[..1], "--dex-api-address"),
        ("worker", &nothing[1..2], "--dex-api-ca-file"),
        ("worker", &nothing[2..3], "--dex-api-cert-file"),
        ("worker", &nothing[3..], "--dex-api-key-file"),
        ("accounts,worker", &nothing, "--dex-api-address"),
        ("worker", &[("DEX_API_ADDRESS", Some("dex"))], "--dex-api-address"),
        ("worker", &[("DEX_API_ADDRESS", Some("https://dex:5560"))], "--dex-api-address"),
        ("worker", &[("DEX_API_ADDRESS", Some("me@dex:5560"))], "--dex-api-address"),
        ("worker", &[("DEX_API_ADDRESS", Some(":5560"))], "--dex-api-address"),
        ("worker", &[("DEX_API_CA_FILE", Some("/nowhere"))], "DEX_API_CA_FILE"),
        ("worker", &[("DEX_API_CA_FILE", Some(rubbish))], "DEX_API_CA_FILE"),
        ("worker", &[("DEX_API_CA_FILE", Some(empty))], "DEX_API_CA_FILE"),
        ("worker", &[("DEX_API_CERT_FILE", Some(rubbish))], "DEX_API_CERT_FILE"),
        ("worker", &[("DEX_API_KEY_FILE", Some(empty))], "DEX_API_KEY_FILE"),
        ("worker", &[("DEX_API_KEY_FILE", Some("/nowhere"))], "DEX_API_KEY_FILE"),
        ("accounts", &[url, proxy], "CODE_KEY_FILE"),
        ("accounts", &[url, codes], "TRUSTED_PROXY_CIDRS"),
        ("accounts", &all[..3], "PEPPER_FILE"),
        ("accounts", &all[..4], "GUARD_KEY_FILE"),
        ("accounts,worker", &all, "SMTP_ADDRESS"),
        (
            "accounts",
            &[("TRUSTED_PROXY_HEADER", Some("X-Forwarded-For"))],
            "--trusted-proxy-header",
        ),
        ("accounts", &[("TRUSTED_PROXY_HEADER", Some("forwarded"))], "--trusted-proxy-header"),
        ("accounts", &[("ACCOUNTS_PUBLIC_URL", Some("http://chat.example/accounts"))], "localhost"),
        ("accounts", &[url, codes, proxy, issuer], "ACCOUNTS_APP_ORIGINS"),
        ("accounts", &[("ACCOUNTS_APP_ORIGINS", Some("https://chat.example/app"))], "origins"),
        ("accounts", &[("DEX_ISSUER_URL", Some("http://chat.example/dex"))], "--dex-issuer-url"),
        ("accounts", &[("DEX_DISCOVERY_URL", Some("dex:5556"))], "--dex-discovery-url"),
        ("worker,gardener", &[], "--roles"),
        (",", &[], "--roles"),
    ] {
        let (code, text) = check(roles, changes);
        assert_eq!(code, Some(64), "{roles:?} {changes:?}: {text}");
        assert!(text.contains(option), "{roles:?} {changes:?}: {text}");
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn without_a_public_address_the_role_accounts_has_health_and_nothing_else() {
    let database = Database::create().await;
    let (address, lifecycle) = accounts(&database.dsn).await;
    eventually("the database is seen", async || {
        (get(address, "/accounts/healthz").await.status() == StatusCode::OK).then_some(())
    })
    .await;
    for path in
        ["/", "/accounts", "/accounts/healthz/", "/accounts/sign-up", "/accounts/v1/openapi.json"]
    {
        let answer = get(address, path).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        assert!(answer.text().await.unwrap().contains("urn:problem-type:accounts:no-such-path"));
    }
    let post = reqwest::Client::new().post(format!("http://{address}/accounts/healthz"));
    assert_eq!(post.send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);

    // A peer that asked nothing yet does not hold up the stop.
    let silent = TcpStream::connect(address).await.unwrap();
    lifecycle.tasks().stop();
    let code = lifecycle.run_until_stopped().await;
    assert_eq!(format!("{code:?}"), format!("{:?}", std::process::ExitCode::SUCCESS));
    assert!(TcpStream::connect(address).await.is_err(), "the port is closed");
    drop(silent);
}

#[tokio::test]
async fn without_its_database_the_accounts_pages_are_unhealthy() {
    let (address, lifecycle) = accounts("postgres://accounts:x@127.0.0.1:1/accounts").await;
    let answer = get(address, "/accounts/healthz").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!answer.text().await.unwrap().contains("postgres://"));
    lifecycle.tasks().stop();
    lifecycle.run_until_stopped().await;
}
