//! What a hash costs, and what follows from the most expensive one that is stored.

use auth_connector::audit::RefusalReason;
use auth_connector::limits::Admission;
use auth_connector::login::Outcome;
use service_process::network::Network;

use crate::setup::login_path::{Path, start};
use crate::setup::{Database, PASSWORD};

/// Passwords are hashed at cost 10 here, and one is imported that costs four times as much.
#[tokio::test(flavor = "multi_thread")]
async fn limits_and_padding_follow_an_imported_hash_from_the_first_attempt_on() {
    let database = Database::with_people().await;
    let (path, core) = Path::with_core(&database, &["--limit-network-burst", "1"]).await;
    let (pool, limits) = (&core.pool, &core.limits);
    let (padding, hashes) = (pool.padding(), pool.hashes_per_minute());
    sqlx::query(
        "update credentials set scheme = 1, pepper_id = null, password_hash = $1
         from users where users.id = user_id and username_key = 'bob'",
    )
    .bind(bcrypt::hash(PASSWORD, 12).unwrap())
    .execute(&database.pool)
    .await
    .unwrap();

    // Of somebody else, and of nobody.
    let answer = path.attempt("nobody", "a guess", [192, 0, 2, 1], start()).await.unwrap();
    assert_eq!(answer, Outcome::Refused(RefusalReason::UnknownName));
    assert!((pool.hashes_per_minute() - hashes / 4.0).abs() < 1.0, "a quarter of {hashes}");
    assert!(pool.padding() > padding * 2, "{padding:?} is for the cheap ones");
    let answer = path.attempt("nobody", "another", [192, 0, 3, 1], start()).await.unwrap();
    assert_eq!(answer, Outcome::Refused(RefusalReason::UnknownName));

    // Half a minute's worth of a quarter of the hashes, at once, by all addresses of a /24 together.
    let admitted = (0..=255_u8)
        .filter(|n| {
            let network = Network::of([198, 51, 100, *n].into());
            limits.admit(Some(network), &[*n; 32].into()) == Admission::Admitted
        })
        .count();
    let most = (hashes / 4.0 / 4.0 / 2.0).ceil() + 2.0;
    assert!(f64::from(u32::try_from(admitted).unwrap()) <= most, "{admitted} of {most}");
}
