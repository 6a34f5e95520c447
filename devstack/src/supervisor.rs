//! `./dev up` and the commands that speak to it.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use tokio::time::{Instant, interval, sleep};

use crate::console::{say, say_of};
use crate::control::{Claim, Control, Reply, Request, answer, ask};
use crate::endpoints::Endpoints;
use crate::install::{self, Need};
use crate::logs::Follower;
use crate::ports::{Ports, require_free};
use crate::signals::terminated;
use crate::stack::{Source, Stack, StackOptions};
use crate::{background, checkout};

const TICK: Duration = Duration::from_millis(200);
/// Longer than any part's grace: postgres, services and chat replicas stop one group at a time.
const DOWN_LIMIT: Duration = Duration::from_secs(90);

/// How the stack is started.
#[derive(Args, Clone, Debug)]
pub(crate) struct Up {
    /// Return once everything is ready
    #[arg(long)]
    detach: bool,
    /// How many replicas of chat-api run
    #[arg(long, env = "DEV_CHAT_REPLICAS", value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=8))]
    chat_replicas: u8,
    /// Start Dex without the connector, and the connector not at all
    #[arg(long)]
    no_local_accounts: bool,
    /// Run in the background: set by --detach
    #[arg(long, hide = true)]
    background: bool,
}

/// Starts the stack, or tells where the running one is.
pub(crate) async fn up(up: &Up) -> Result<ExitCode> {
    match Claim::take()? {
        None => running().await,
        Some(claim) if up.detach => {
            // Or the last run's, had it been killed, would look like this one's.
            forget_endpoints()?;
            drop(claim);
            detach(up).await
        }
        Some(claim) => Box::pin(supervise(&claim, up)).await,
    }
}

/// Another `./dev up` has this checkout: waits until it is ready, and tells where to go.
async fn running() -> Result<ExitCode> {
    let file = endpoints_file();
    if !file.exists() {
        say("another ./dev up is starting here; waiting for it");
    }
    while !file.exists() {
        if Claim::take()?.is_some() {
            bail!("the other ./dev up ended before it was ready");
        }
        sleep(TICK).await;
    }
    tell(&Endpoints::read(&file)?);
    Ok(ExitCode::SUCCESS)
}

/// Starts the supervisor in a session of its own and shows what it says until it is ready.
async fn detach(up: &Up) -> Result<ExitCode> {
    let replicas = up.chat_replicas.to_string();
    let mut args = vec!["up", "--background", "--chat-replicas", &replicas];
    args.extend(up.no_local_accounts.then_some("--no-local-accounts"));
    let ready = || endpoints_file().exists();
    background::start(&args, "up", ready).await
}

async fn supervise(claim: &Claim, up: &Up) -> Result<ExitCode> {
    forget_endpoints()?;
    let mut options = StackOptions::project(up.chat_replicas.into())?;
    options.local_accounts = !up.no_local_accounts;
    let control = Control::listen(claim)?;
    require_ports(&options)?;
    let needs = needs(&options);
    tokio::select! {
        installed = install::ensure(&needs) => installed?,
        _ = terminated() => return Ok(ExitCode::from(130)),
        () = refuse_until_ready(&control) => return Ok(ExitCode::from(130)),
    }
    let stack = Stack::prepare(options)?;
    for part in stack.parts() {
        // A log is that of one run.
        let _ = fs::remove_file(part.log());
    }
    let mut watch = Watch::new(&stack, !up.background);
    let started = tokio::select! {
        started = stack.start(|step| say(step)) => Some(started),
        _ = terminated() => None,
        () = refuse_until_ready(&control) => None,
    };
    let code = match started {
        None => ExitCode::from(130),
        Some(Err(error)) => {
            say(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
        Some(Ok(())) => {
            tell(stack.endpoints());
            stack.endpoints().write(&endpoints_file())?;
            serve(&stack, &control, &mut watch).await;
            ExitCode::SUCCESS
        }
    };
    forget_endpoints()?;
    say("stopping");
    tokio::select! {
        killed = stack.stop() => {
            for part in killed {
                say(format!("{part} did not stop in time and was killed"));
            }
        }
        _ = terminated() => say("killing what is left"),
    }
    watch.show();
    say("stopped");
    Ok(code)
}

/// Answers requests and reports deaths until someone wants it all to stop.
async fn serve(stack: &Stack, control: &Control, watch: &mut Watch<'_>) {
    let mut ticks = interval(TICK);
    let mut stop = std::pin::pin!(terminated());
    loop {
        tokio::select! {
            _ = &mut stop => return,
            _ = ticks.tick() => watch.show(),
            (request, stream) = control.next() => match request {
                // The end of the process is the answer.
                Request::Down => return,
                Request::Status => answer(stream, &Reply::of(stack)).await,
                Request::Restart { part, kill } => tokio::select! {
                    outcome = restart_part(stack, &part, kill) => {
                        let error = outcome.err().map(|error| format!("{error:#}"));
                        answer(stream, &Reply { error, ..Reply::of(stack) }).await;
                    }
                    _ = &mut stop => return,
                },
            },
        }
    }
}

async fn restart_part(stack: &Stack, name: &str, kill: bool) -> Result<()> {
    let part = stack.part(name)?;
    if kill {
        part.kill().await;
    } else {
        part.stop().await;
    }
    part.start().await
}

/// While the stack starts, only `down` is heard.
async fn refuse_until_ready(control: &Control) {
    loop {
        let (request, stream) = control.next().await;
        let error = Some("the stack is still starting".to_owned());
        match request {
            Request::Down => return,
            _ => answer(stream, &Reply { error, parts: Vec::new() }).await,
        }
    }
}

/// Shows the logs and the deaths of the parts.
struct Watch<'a> {
    stack: &'a Stack,
    followers: Vec<(&'a str, Follower)>,
    reported: HashSet<&'a str>,
}

impl<'a> Watch<'a> {
    fn new(stack: &'a Stack, follow: bool) -> Self {
        let followed = stack.parts().into_iter().filter(|_| follow);
        Self {
            stack,
            followers: followed
                .map(|part| (part.name(), Follower::new(part.log().to_path_buf())))
                .collect(),
            reported: HashSet::new(),
        }
    }

    fn show(&mut self) {
        for (name, follower) in &mut self.followers {
            // mongod's log has a line for every connection; its warnings and errors are enough here.
            let shown = |line: &&String| !(*name == "mongodb" && line.contains(r#""s":"I""#));
            follower.lines().iter().filter(shown).for_each(|line| say_of(name, line));
        }
        let dead = self.stack.dead();
        self.reported.retain(|name| dead.iter().any(|part| part.name() == *name));
        for part in dead {
            if self.reported.insert(part.name()) {
                say(format!(
                    "{0} ended by itself; its last lines ({1}):\n{2}\nbring it back with ./dev restart {0}",
                    part.name(),
                    part.log().display(),
                    part.last_lines(20)
                ));
            }
        }
    }
}

/// Stops the running stack, if there is one.
pub(crate) async fn down() -> Result<ExitCode> {
    if let Ok(Some(_)) = Claim::take() {
        forget_endpoints()?;
        say("not running");
        return Ok(ExitCode::SUCCESS);
    }
    say("stopping");
    // Whoever is not listening yet, or any more, is waited for all the same.
    let _ = ask(&Request::Down).await;
    let deadline = Instant::now() + DOWN_LIMIT;
    while Claim::take()?.is_none() {
        if Instant::now() >= deadline {
            bail!("the stack did not stop within {} s", DOWN_LIMIT.as_secs());
        }
        sleep(TICK).await;
    }
    say("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Has one part of the running stack started anew.
pub(crate) async fn restart(part: String, kill: bool) -> Result<ExitCode> {
    let start = Instant::now();
    let Some(reply) = ask(&Request::Restart { part: part.clone(), kill }).await? else {
        bail!("not running: start it with ./dev up");
    };
    if let Some(error) = reply.error {
        bail!("{error}");
    }
    say(format!("{part} restarted in {:.1} s", start.elapsed().as_secs_f32()));
    Ok(ExitCode::SUCCESS)
}

fn needs(options: &StackOptions) -> Vec<Need> {
    let own = |source: &Source| matches!(source, Source::Own);
    [
        (own(&options.postgres), Need::Postgres),
        (own(&options.kafka), Need::Kafka),
        (own(&options.mongodb), Need::MongoDb),
        (options.mail, Need::Mail),
        (true, Need::Dex),
    ]
    .into_iter()
    .filter_map(|(wanted, need)| wanted.then_some(need))
    .collect()
}

/// Every port is looked at before anything starts.
fn require_ports(options: &StackOptions) -> Result<()> {
    let own = |source: &Source| matches!(source, Source::Own);
    let Ports { dex, connector, accounts, dex_telemetry, dex_admin, connector_admin, web, .. } =
        options.ports;
    let (chat, chat_admin) = options.ports.chat[0];
    [
        (own(&options.postgres), "DEV_PORT_POSTGRES", options.ports.postgres),
        (own(&options.kafka), "DEV_PORT_KAFKA", options.ports.kafka),
        (own(&options.mongodb), "DEV_PORT_MONGODB", options.ports.mongodb),
        (options.mail, "DEV_PORT_SMTP", options.ports.smtp),
        (options.mail, "DEV_PORT_MAIL", options.ports.mail),
        (true, "DEV_PORT_DEX", dex),
        (true, "DEV_PORT_DEX_TELEMETRY", dex_telemetry),
        (true, "DEV_PORT_DEX_ADMIN", dex_admin),
        (options.local_accounts, "DEV_PORT_CONNECTOR", connector),
        (options.local_accounts, "DEV_PORT_ACCOUNTS", accounts),
        (options.local_accounts, "DEV_PORT_CONNECTOR_ADMIN", connector_admin),
        (options.app, "DEV_PORT_WEB", web),
        (true, "DEV_PORT_CHAT", chat),
        (true, "DEV_PORT_CHAT_ADMIN", chat_admin),
    ]
    .into_iter()
    .filter(|(listened, ..)| *listened)
    .try_for_each(|(_, variable, port)| require_free(variable, port))
}

fn tell(endpoints: &Endpoints) {
    say("");
    if let Some(app) = &endpoints.app {
        say(format!("app            {app}"));
    }
    say(format!("sign in        {}", endpoints.sign_in_url));
    say(format!("chat API       {}", endpoints.chat_replicas.join(" ")));
    if let Some(accounts) = &endpoints.accounts {
        say(format!("sign up        {accounts}/sign-up"));
    }
    if let Some(mail) = &endpoints.mail {
        say(format!("mail           {mail}"));
    }
    let people: Vec<&str> = endpoints.demo_users.iter().map(|user| user.login.as_str()).collect();
    if !people.is_empty() {
        say(format!("Local Accounts {}", people.join(", ")));
    }
    say(format!("Email          {}", endpoints.email_user.login));
    say("everything, passwords too, is in .dev/endpoints.json; try ./dev demo");
    say("");
}

fn endpoints_file() -> PathBuf {
    checkout::state().join("endpoints.json")
}

fn forget_endpoints() -> Result<()> {
    match fs::remove_file(endpoints_file()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context(".dev/endpoints.json cannot be removed")
        }
        _ => Ok(()),
    }
}
