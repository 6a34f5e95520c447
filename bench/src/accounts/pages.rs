//! What a page costs that hashes nothing, and how large it is.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use auth_connector::flow::{CodeKey, CodeNumber};
use devstack::name;
use reqwest::Url;
use uuid::Uuid;

use super::browser::{Browser, Shown};
use super::site::{Pages, Site, claims, searcher};
use crate::load::quantile_millis;
use crate::pin::Cores;
use crate::report::{Goal, Report};
use crate::service::Database;
use crate::stats::count;

/// Times that a page is looked at in a round, and that a form is sent.
const LOOKS: u32 = 100;

/// How long half of the looks at a page may take at most, in milliseconds.
const LONGEST: f64 = 5.0;

/// The most bytes of a page with its head, and with the style sheet that it loads, in thousands.
const LARGEST: f64 = 30.0;

/// It is right once in 2^40 times.
const WRONG_CODE: &str = "0000-0000";

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// Somebody without a flow.
    Stranger,
    /// In a flow that waits for its code.
    Waiting,
    /// With a proved flow: of an address without an account, and of one that has one.
    SigningUp,
    Resetting,
    Unlocking,
    /// Who is signed in, with as much on the pages as they show.
    Member,
}

/// A page and who looks at it.
const LOOKED_AT: [(&str, Who, u16); 16] = [
    ("/accounts/sign-up", Who::Stranger, 200),
    ("/accounts/reset", Who::Stranger, 200),
    ("/accounts/unlock", Who::Stranger, 200),
    ("/accounts/invitation", Who::Stranger, 200),
    ("/accounts/undo", Who::Stranger, 200),
    ("/accounts/sign-in", Who::Stranger, 303),
    ("/accounts/style.css", Who::Stranger, 200),
    ("/accounts/confirm", Who::Waiting, 200),
    ("/accounts/sign-up/finish", Who::SigningUp, 200),
    ("/accounts/reset/finish", Who::Resetting, 200),
    ("/accounts/unlock/finish", Who::Unlocking, 200),
    ("/accounts/profile", Who::Member, 200),
    ("/accounts/password", Who::Member, 200),
    ("/accounts/email", Who::Member, 200),
    ("/accounts/activity", Who::Member, 200),
    ("/accounts/close", Who::Member, 200),
];

/// What is sent: an address, for another code, a wrong code.
const FORMS: [&str; 3] =
    ["an address is sent", "another code is asked for", "a wrong code is sent"];

/// The pages with those who look at them.
struct Scene {
    browsers: BTreeMap<Who, Browser>,
    /// Whose address is another one each time.
    sender: Browser,
    addresses: u32,
}

pub(super) async fn run(
    report: &mut Report,
    site: &Site,
    cores: &Cores,
    rounds: u32,
) -> Result<()> {
    let database = site.login.database().await?;
    let pages = site.serve(&database, cores).await?;
    let mut scene = Scene::set(site, &database, &pages).await?;
    let (mut times, mut forms) = (LOOKED_AT.map(|_| Vec::new()), FORMS.map(|_| Vec::new()));
    let mut sizes = BTreeMap::new();
    for _ in 0..rounds {
        for ((path, who, status), times) in LOOKED_AT.into_iter().zip(&mut times) {
            let browser = scene.browsers.get_mut(&who).context("somebody looks")?;
            let mut taken = Vec::new();
            for _ in 0..LOOKS {
                let shown = browser.get(path, status).await?;
                taken.push(shown.took);
                sizes.insert(path, shown.bytes());
            }
            times.push(median(taken)?);
        }
        let mut taken = FORMS.map(|_| Vec::new());
        for _ in 0..LOOKS {
            for (sent, taken) in scene.send().await?.iter().zip(&mut taken) {
                taken.push(sent.took);
            }
        }
        for (taken, times) in taken.into_iter().zip(&mut forms) {
            times.push(median(taken)?);
        }
    }
    let looked_at = LOOKED_AT.iter().map(|(path, ..)| *path).zip(&times);
    for (what, times) in looked_at.chain(FORMS.into_iter().zip(&forms)) {
        report.rounds(format!("{what}, p50"), "ms", times, Goal::AtMost(LONGEST))?;
    }
    let style = sizes.remove("/accounts/style.css").context("the style sheet is a page")?;
    let largest = sizes.values().max().context("there are pages")? + style;
    let largest = count(largest) / 1e3;
    report.once("largest page, with its style sheet", "kB", largest, Goal::AtMost(LARGEST))?;
    report.detail("bytes of pages as sent, without the style sheet", sizes)?;
    report.detail("bytes of the style sheet as sent", style)?;
    pages.stop().await
}

fn median(taken: Vec<Duration>) -> Result<f64> {
    quantile_millis(0.5, taken.into_iter())
}

impl Scene {
    async fn set(site: &Site, database: &Database, pages: &Pages) -> Result<Self> {
        let account = searcher(database).await?;
        fill(database, account).await?;
        let key = std::fs::read_to_string(&site.login.keys.code_key)?;
        let key = CodeKey::parse(&key).context("the key of codes")?;
        let mut browsers = BTreeMap::new();
        for (who, path, email) in [
            (Who::Waiting, "/accounts/sign-up", "waiting@example.com"),
            (Who::SigningUp, "/accounts/sign-up", "signing-up@example.com"),
            (Who::Resetting, "/accounts/reset", "searcher@example.com"),
            (Who::Unlocking, "/accounts/unlock", "searcher@example.com"),
        ] {
            let mut browser = Browser::at(pages.address);
            browser.post(path, &[("email", email)], 303).await?;
            if who != Who::Waiting {
                let flow = browser.get("/accounts/confirm", 200).await?.hidden("flow")?;
                let code = code(database, &key, email).await?;
                let fields = [("flow", flow.as_str()), ("code", &code)];
                browser.post("/accounts/confirm", &fields, 303).await?;
            }
            browsers.insert(who, browser);
        }
        browsers.insert(Who::Stranger, Browser::at(pages.address));
        browsers.insert(Who::Member, signed_in(site, pages, account).await?);
        let sender = Browser::at(pages.address);
        Ok(Self { browsers, sender, addresses: 0 })
    }

    /// Sends each form once, for an address that nobody sent before.
    async fn send(&mut self) -> Result<[Shown; 3]> {
        self.addresses += 1;
        let email = format!("sender-{:06}@example.com", self.addresses);
        self.sender.forget();
        let begun = self.sender.post("/accounts/sign-up", &[("email", &email)], 303).await?;
        let flow = self.sender.get("/accounts/confirm", 200).await?.hidden("flow")?;
        let flow = ("flow", flow.as_str());
        let resent = self.sender.post("/accounts/confirm/resend", &[flow], 303).await?;
        let fields = [flow, ("code", WRONG_CODE)];
        let wrong = self.sender.post("/accounts/confirm", &fields, 422).await?;
        Ok([begun, resent, wrong])
    }
}

/// As much as the page of what happened shows: 50 lines of the trail and 8 networks, with the longest addresses.
async fn fill(database: &Database, account: Uuid) -> Result<()> {
    sqlx::query(
        "insert into audit_events (id, at, event, reason, user_id, connector_id, remote_ip, request_id)
         select gen_random_uuid(), now() - n * interval '1 minute', 'login.fail', 'wrong_password', $1,
                'local-postgres', format('2001:db8:%s:ffff:ffff:ffff:ffff:ffff', 1000 + n)::inet, ''
         from generate_series(1, 100) as n",
    )
    .bind(account)
    .execute(&database.pool)
    .await
    .context("the trail is not written")?;
    sqlx::query(
        "insert into known_networks (user_id, network, last_success_at)
         select $1, format('2001:db8:%s:ffff::/64', 1000 + n)::cidr, now() from generate_series(1, 8) as n",
    )
    .bind(account)
    .execute(&database.pool)
    .await
    .context("the networks are not written")?;
    Ok(())
}

/// The code that would be mailed for the last flow of an address.
async fn code(database: &Database, key: &CodeKey, email: &str) -> Result<String> {
    let (flow, number): (Uuid, i32) = sqlx::query_as(
        "select id, code from account_flows where email_key = $1 order by expires_at desc limit 1",
    )
    .bind(email)
    .fetch_one(&database.pool)
    .await?;
    Ok(key.code(CodeNumber { flow, number }).expose())
}

/// Somebody who came back from the issuer.
async fn signed_in(site: &Site, pages: &Pages, account: Uuid) -> Result<Browser> {
    let mut browser = Browser::at(pages.address);
    let begun = browser.get("/accounts/sign-in", 303).await?;
    let location = Url::parse(begun.leads_to()?)?;
    let asked: BTreeMap<String, String> = location.query_pairs().into_owned().collect();
    let parameter = |name: &str| asked.get(name).context("a parameter of the request is missing");
    let mut claims = claims(account);
    claims["nonce"] = parameter("nonce")?.as_str().into();
    let code = name::random_token(16);
    site.issuer.grant(&code, parameter("code_challenge")?, claims)?;
    let callback = format!("/accounts/callback?code={code}&state={}", parameter("state")?);
    let landed = browser.get(&callback, 303).await?;
    ensure!(landed.leads_to()? == "/accounts/profile", "nobody is signed in");
    Ok(browser)
}
