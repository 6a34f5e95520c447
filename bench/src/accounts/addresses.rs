//! Pairs of requests that must look alike: for an address that has an account, and for one that has none.

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use super::browser::Browser;
use super::site::Site;
use crate::imported::{self, Imported};
use crate::pin::Cores;
use crate::report::{Goal, Report};
use crate::stats::{kolmogorov_smirnov, median};

/// The prefixes of addresses that have accounts, and of some as long that have none; a number follows.
const PREFIXES: [&str; 2] = ["known", "ghost"];

/// What is compared, in the order in which it is done with an address: three mails, which is what an inbox gets.
const ACTIONS: [&str; 3] = ["sign-up", "resend", "reset"];

/// How long the answers for both kinds of addresses took, in seconds: with an account, and without.
#[derive(Default)]
struct Times {
    known: Vec<f64>,
    unknown: Vec<f64>,
}

pub(super) async fn run(report: &mut Report, site: &Site, cores: &Cores, pairs: u32) -> Result<()> {
    let database = site.login.database().await?;
    Imported { prefix: PREFIXES[0], count: pairs, active: true }.write(&database.pool).await?;
    let pages = site.serve(&database, cores).await?;
    let mut browsers = [Browser::at(pages.address), Browser::at(pages.address)];
    let (mut times, mut order) = (ACTIONS.map(|_| Times::default()), StdRng::seed_from_u64(1));
    for pair in 1..=pairs {
        // Which connection an address comes by is left to chance, too.
        if order.random() {
            browsers.reverse();
        }
        for browser in &mut browsers {
            browser.forget();
        }
        for (action, times) in ACTIONS.into_iter().zip(&mut times) {
            let mut kinds = [0, 1];
            if order.random() {
                kinds.reverse();
            }
            for kind in kinds {
                let email = format!("{}@example.com", imported::name(PREFIXES[kind], pair));
                let seconds = seconds_of(action, &email, &mut browsers[kind]).await?;
                if kind == 0 { times.known.push(seconds) } else { times.unknown.push(seconds) }
            }
        }
    }
    for (action, times) in ACTIONS.into_iter().zip(&times) {
        let ratio = median(&times.unknown) / median(&times.known);
        let what = format!("{action}: without an account / with one, {pairs}");
        report.once(what, "ratio", ratio, Goal::Within(0.95, 1.05))?;
        let ks = kolmogorov_smirnov(&times.unknown, &times.known);
        report.once(format!("{action}: one distribution (KS)"), "p", ks.p, Goal::None)?;
        report.detail(&format!("{action}: median with an account, s"), median(&times.known))?;
    }
    pages.stop().await
}

/// How long it takes until an action with an address is answered.
async fn seconds_of(action: &str, email: &str, browser: &mut Browser) -> Result<f64> {
    let (path, body) = match action {
        "sign-up" => ("/accounts/v1/flows", json!({ "purpose": "sign_up", "email": email })),
        "reset" => ("/accounts/v1/flows", json!({ "purpose": "reset", "email": email })),
        // By the flow that began with the sign-up.
        _ => ("/accounts/v1/flows/resend", json!({})),
    };
    Ok(browser.call(path, &body.to_string(), 202).await?.took.as_secs_f64())
}
