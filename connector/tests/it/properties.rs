//! What holds for every text that comes from outside. Fuzzing looks for a text for which it does
//! not (`./dev fuzz`, which compiles this file into its targets); the corpora are such texts.

use std::net::{IpAddr, Ipv4Addr};

use auth_connector::account::{Email, LoginName, MAX_NAME_BYTES, UserName};
use auth_connector::keys::MacKey;
use auth_connector::password::{Credential, Peppers};
use auth_connector::seed::Plan;
use service_process::proxies::TrustedProxies;

/// A property of a text.
pub(crate) type Property = fn(&str);

/// Every property, under the name of its fuzz target and of its corpus.
pub(crate) const ALL: [(&str, Property); 4] = [
    ("stored_hash", stored_hash),
    ("login_name", login_name),
    ("seed_file", seed_file),
    ("config", config),
];

/// Stands for a secret, in a seed file and in its numbers.
const CANARIES: [&str; 2] = ["canary-secret", "8402751963"];

/// A hash that is accepted is complete, is given back as it was, and is not shown. The text is a
/// hash and, in a second line, the id of a pepper.
pub(crate) fn stored_hash(text: &str) {
    let (hash, pepper_id) = text.split_once('\n').unwrap_or((text, "p"));
    for (scheme, pepper_id) in [(1, None), (2, Some(pepper_id))] {
        match Credential::parse(scheme, hash, pepper_id) {
            Ok(credential) => {
                assert_eq!(credential.hash(), hash);
                assert_eq!(credential.scheme(), scheme);
                assert_eq!(credential.pepper_id(), pepper_id);
                assert!(hash.len() == 60 && hash.is_ascii());
                assert!((10..=12).contains(&u32::from(credential.cost())));
                assert!(!format!("{credential:?}").contains(&hash[7..]));
            }
            Err(error) => {
                let shown = format!("{error} {error:?}");
                // What is shorter, or a sentence itself, may stand in any sentence.
                let may_be_shown = hash.len() < 60 || hash.contains(' ');
                assert!(may_be_shown || !shown.contains(hash), "{shown}");
            }
        }
    }
    assert!(Credential::parse(1, hash, Some(pepper_id)).is_err(), "a pepper that is not used");
    assert!(Credential::parse(2, hash, None).is_err(), "no pepper to verify with");
}

/// A normalised name normalises to itself, is short, can be stored and compared, and is not shown.
pub(crate) fn login_name(text: &str) {
    let Ok(name) = LoginName::parse(text) else {
        assert!(UserName::parse(text).is_err() && Email::parse(text).is_err());
        return;
    };
    let key = name.key();
    assert_eq!(LoginName::parse(key).as_ref().map(LoginName::key), Ok(key), "idempotent");
    assert!((1..=MAX_NAME_BYTES).contains(&key.len()));
    assert!(!key.contains(char::is_control));
    assert_eq!(key, key.trim());
    assert_eq!(format!("{name:?}"), "LoginName(…)");
    if text.is_ascii() {
        for spelling in [text.to_ascii_uppercase(), text.to_ascii_lowercase()] {
            assert_eq!(LoginName::parse(&spelling).as_ref(), Ok(&name));
        }
    }
    if let Ok(user_name) = UserName::parse(text) {
        assert_eq!(user_name.key(), key, "the name it is looked up by");
        assert!(!key.contains('@'));
    }
    if let Ok(email) = Email::parse(text) {
        assert_eq!(email.key(), key, "the address it is looked up by");
        assert!(key.contains('@'));
    }
}

/// A seed file is a plan or an error, and no error repeats a password.
pub(crate) fn seed_file(text: &str) {
    for allow_plain in [false, true] {
        let shown = match Plan::parse(text, allow_plain) {
            Ok(plan) => {
                let faults: Vec<_> = plan.faults().iter().map(ToString::to_string).collect();
                format!("{} {:?}", faults.join(" "), plan.faults())
            }
            Err(error) => format!("{error} {error:?}"),
        };
        for canary in CANARIES.iter().filter(|canary| is_password(text, canary)) {
            assert!(!shown.contains(canary), "{shown}");
        }
    }
}

/// Whether the text stands in the file as a password and as nothing else: what is written where
/// names are is no secret. Errors show names of fields between backticks, and nobody has a field
/// with a backtick in its name.
fn is_password(file: &str, canary: &str) -> bool {
    let mut before = file.match_indices(canary).map(|(at, _)| &file[..at]);
    let as_value = |before: &str| {
        let field = before.trim_end_matches(['"', '\'', ' ']);
        field.ends_with("password:") || field.ends_with("password_hash:")
    };
    file.contains(canary) && !file.contains('`') && before.all(as_value)
}

/// Secrets in files are accepted or refused without being repeated; networks of proxies mean the
/// same in both notations of an address.
pub(crate) fn config(text: &str) {
    if let Ok(proxies) = TrustedProxies::parse(text) {
        for address in [Ipv4Addr::LOCALHOST, Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::BROADCAST] {
            let mapped = IpAddr::V6(address.to_ipv6_mapped());
            let plain = proxies.network_of(Some(IpAddr::V4(address)));
            assert_eq!(proxies.network_of(Some(mapped)), plain);
        }
        assert_eq!(proxies.network_of(None), None);
    }
    let peppers = match Peppers::parse(text) {
        Ok(peppers) => {
            let id = peppers.current_id();
            assert!((1..=32).contains(&id.len()));
            assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            format!("{peppers:?}")
        }
        Err(error) => format!("{error} {error:?}"),
    };
    let key = match MacKey::parse(text) {
        Ok(key) => {
            assert_eq!(key.mac("purpose", &[b"part"]), key.mac("purpose", &[b"part"]));
            assert_ne!(key.mac("purpose", &[b"part"]), key.mac("purpose", &[b"pa", b"rt"]));
            format!("{key:?}")
        }
        Err(error) => format!("{error} {error:?}"),
    };
    // Shorter ones may stand in any sentence, and 32 bytes be the id of a pepper, which is shown. A key
    // has at least 43.
    let secrets = text.split([':', '\n', ' ']).filter(|secret| secret.len() > 32);
    for secret in secrets {
        assert!(!peppers.contains(secret) && !key.contains(secret), "{peppers} {key}");
    }
}
