//! Passwords that other programs hashed, and what becomes of new ones.

use crate::setup::{Connector, Database, text};

/// "correct horse battery staple", hashed by Go, PHP and htpasswd, and PHP's in the third notation.
const OF_A_PASSPHRASE: [(&str, &str); 4] = [
    ("go", "$2a$12$EYFwMxy59ifwhF3eM2PXXOFvMooXC.85UUlaqsjXOOCFP6l3cSswO"),
    ("php", "$2y$10$kvuuQ2qokDw6bWwjCEfbY.8Asf0Rk04KgIbKwpGsxVNaQadu0AJdC"),
    ("htpasswd", "$2y$10$svLScjlT2iuzmD9ylqYFdegvBxNIFvSbOf2XB2NV0MxEEJMBCfVQm"),
    ("third", "$2b$10$kvuuQ2qokDw6bWwjCEfbY.8Asf0Rk04KgIbKwpGsxVNaQadu0AJdC"),
];

/// 71 and 72 times "x", hashed by Go and by PHP.
const OF_71: &str = "$2a$10$Dj1JiHOa05GPWw63huTOl.6cRCYmNcnjYrJfO7L.SW2sIxGutpTCu";
const OF_72: &str = "$2y$10$wHFQBIAtE3MbX0ZMiqjZQut5ug/COTAitQm4Awp3Sw6utkNXBNJH.";

async fn with_hashes(hashes: &[(&str, &str)]) -> (Database, Connector) {
    let database = Database::create().await;
    let rows: Vec<_> = hashes
        .iter()
        .map(|(name, hash)| format!("{{username: {name}, password_hash: {hash}}}"))
        .collect();
    let output = database.seed(&format!("users: [{}]", rows.join(", ")), &[]);
    assert!(output.status.success(), "{}", text(&output));
    let connector = Connector::start(&database.dsn).await;
    (database, connector)
}

#[tokio::test]
async fn imports_of_every_notation_log_in() {
    let (_database, connector) = with_hashes(&OF_A_PASSPHRASE).await;
    for (name, _) in OF_A_PASSPHRASE {
        let login = async |password| connector.login(name, password).await.valid_password;
        assert!(login("correct horse battery staple").await, "{name}");
        assert!(!login("correct horse battery stable").await, "{name}");
    }
}

#[tokio::test]
async fn imports_of_71_and_72_bytes_log_in_and_73_that_begin_alike_do_not() {
    let (_database, connector) = with_hashes(&[("of71", OF_71), ("of72", OF_72)]).await;
    for (name, length, opens) in [
        ("of71", 71, true),
        ("of71", 72, false),
        ("of72", 72, true),
        ("of72", 71, false),
        ("of72", 73, false),
    ] {
        let answer = connector.login(name, &"x".repeat(length)).await;
        assert_eq!(answer.valid_password, opens, "{name} with {length} bytes");
    }
}

#[tokio::test]
async fn a_hash_of_a_faulty_implementation_is_not_imported() {
    let database = Database::create().await;
    let hash = OF_71.replacen("$2a$", "$2x$", 1);
    let output = database.seed(&format!("users: [{{username: x, password_hash: {hash}}}]"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("row 1: password_hash"), "{}", text(&output));
    assert!(!text(&output).contains(&hash[7..]), "{}", text(&output));
}

#[tokio::test]
async fn a_new_password_of_64_emoji_logs_in_and_is_stored_with_a_pepper() {
    let database = Database::create().await;
    let (password, other) = ("🔑".repeat(64), format!("{}🔒", "🔑".repeat(63)));
    let seed = format!("users: [{{username: alice, password: {password}}}]");
    let output = database.seed(&seed, &["--allow-plain-passwords"]);
    assert!(output.status.success(), "{}", text(&output));
    let (scheme, pepper): (i16, Option<String>) =
        sqlx::query_as("select scheme, pepper_id from credentials")
            .fetch_one(&database.pool)
            .await
            .unwrap();
    assert_eq!((scheme, pepper.as_deref()), (2, Some("local")));
    let connector = Connector::start(&database.dsn).await;
    assert!(connector.login("alice", &password).await.valid_password);
    assert!(!connector.login("alice", &other).await.valid_password, "another last character");
}

#[tokio::test]
async fn a_password_whose_pepper_is_missing_is_refused_as_wrong_and_counted() {
    let (database, connector) = with_hashes(&[("php", OF_A_PASSPHRASE[1].1)]).await;
    sqlx::query("update credentials set scheme = 2, pepper_id = 'lost'")
        .execute(&database.pool)
        .await
        .unwrap();
    assert!(!connector.login("php", "correct horse battery staple").await.valid_password);
    database.audited("login.fail", Some("wrong_password")).await;
    let metrics = reqwest::get(format!("http://{}/metrics", connector.admin)).await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for name in ["pepper_missing_total", "hash_queue_seconds", "hash_permits_in_use"] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
}
