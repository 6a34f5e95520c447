//! P11: what the check of a token costs.

use anyhow::Result;

use super::site::Site;
use crate::ceilings::{self, CheckTimes};
use crate::report::{Goal, Report};

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let (key, tokens) = (site.file("key.json"), site.file("tokens"));
    site.issuer.write_key(&key)?;
    std::fs::write(&tokens, site.tokens.join("\n"))?;
    let args = [
        "verify".to_owned(),
        format!("--issuer={}", site.issuer.url()),
        format!("--key={}", key.display()),
        format!("--tokens={}", tokens.display()),
    ];
    let (mut remembered, mut fresh, mut signature) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let times: CheckTimes = ceilings::ask(&site.cores.service, &args).await?;
        remembered.push(times.remembered);
        fresh.push(times.fresh);
        signature.push(times.signature);
    }
    let ratios: Vec<f64> =
        fresh.iter().zip(&signature).map(|(fresh, signature)| fresh / signature).collect();
    report.rounds("P11: a token that is remembered", "µs", &remembered, Goal::AtMost(2.0))?;
    report.rounds("P11: a token that is new", "µs", &fresh, Goal::None)?;
    report.rounds("P11: its signature alone", "µs", &signature, Goal::None)?;
    report.rounds("P11: new / signature alone", "ratio", &ratios, Goal::AtMost(1.5))
}
