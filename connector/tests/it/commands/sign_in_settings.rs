//! `check-config`: how people sign in to the accounts pages

use std::path::Path;

use crate::setup::commands::check;
use crate::setup::{keys, utf8};

const DSN: (&str, &str) = ("POSTGRES_DSN", "postgres://accounts:canary@127.0.0.1:1/accounts");

/// What is set where everything fits.
fn settings(secret: &Path) -> Vec<(&'static str, String)> {
    let text = |path: &Path| utf8(path).to_owned();
    vec![
        ("ROLES", "accounts".into()),
        ("CODE_KEY_FILE", text(&keys().code_key)),
        ("ACCOUNTS_PUBLIC_URL", "http://localhost:5559/accounts".into()),
        ("DEX_ISSUER_URL", "http://localhost:5556/dex".into()),
        ("ACCOUNTS_APP_URL", "http://localhost:5173/".into()),
        ("ACCOUNTS_CLIENT_SECRET_FILE", text(secret)),
        ("ACCOUNTS_SESSION_KEY_FILE", text(&keys().session_keys)),
    ]
}

fn checked(settings: &[(&'static str, String)]) -> (Option<i32>, String) {
    let settings = settings.iter().map(|(name, value)| (*name, value.as_str()));
    check(&[DSN].into_iter().chain(settings).collect::<Vec<_>>())
}

#[test]
fn where_people_sign_in_and_what_seals_their_cookies_is_shown_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "  canary of a secret\n").unwrap();
    let mut all = settings(&secret);
    let (code, text) = checked(&all);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("http://localhost:5556/dex; their cookies are sealed by the key local"));
    assert!(!text.contains("canary"), "{text}");
    all.truncate(5);
    let (code, text) = checked(&all);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("nobody: ACCOUNTS_CLIENT_SECRET_FILE is not set"), "{text}");
}

#[test]
fn settings_by_which_nobody_could_sign_in_exit_64_and_name_the_option() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let secret = file("secret", "canary of a secret");
    for missing in ["DEX_ISSUER_URL", "ACCOUNTS_PUBLIC_URL", "ACCOUNTS_SESSION_KEY_FILE"] {
        let mut all = settings(&secret);
        all.retain(|(name, _)| *name != missing);
        let (code, text) = checked(&all);
        assert_eq!(code, Some(64), "without {missing}: {text}");
        let option = format!("--{}", missing.to_lowercase().replace('_', "-"));
        assert!(text.contains(&option), "without {missing}: {text}");
    }
    let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    for (option, content, reason) in [
        ("ACCOUNTS_CLIENT_SECRET_FILE", " \n".to_owned(), "it is empty"),
        ("ACCOUNTS_SESSION_KEY_FILE", String::new(), "it has no key"),
        ("ACCOUNTS_SESSION_KEY_FILE", key.to_owned(), "line 1 is not id:base64"),
        ("ACCOUNTS_SESSION_KEY_FILE", "a:Y2FuYXJ5".into(), "line 1 is not 32 bytes long"),
        ("ACCOUNTS_SESSION_KEY_FILE", format!("a:{key}\na:{key}"), "line 2 is that of another"),
    ] {
        let mut all = settings(&secret);
        let path = utf8(&file("content", &content)).to_owned();
        for (name, value) in &mut all {
            if *name == option {
                value.clone_from(&path);
            }
        }
        let (code, text) = checked(&all);
        assert_eq!(code, Some(64), "{option} {reason}: {text}");
        assert!(text.contains(option) && text.contains(reason), "{option} {reason}: {text}");
        for secret in ["canary", "Y2Fu", "BwcH"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    let mut all = settings(&secret);
    all.push(("ACCOUNTS_CLIENT_SECRET_FILE", "/nowhere".into()));
    let (code, text) = checked(&all);
    assert_eq!((code, text.contains("ACCOUNTS_CLIENT_SECRET_FILE")), (Some(64), true), "{text}");
}
