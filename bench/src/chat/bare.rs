//! The ceilings, run on the processor of the service.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail};
use devstack::part::{Part, State, probe};
use devstack::program::Program;
use devstack::{checkout, ports};

use super::site::{Place, Site};
use crate::ceilings::{self, Tally};
use crate::{scrape, usage};

/// The bare log, with a topic of its own.
pub(super) struct BareLog<'a> {
    site: &'a Site,
    place: Place,
}

impl<'a> BareLog<'a> {
    pub(super) async fn new(site: &'a Site) -> Result<Self> {
        std::fs::write(site.file("envelope.json"), site.sample()?.envelope())?;
        Ok(Self { site, place: site.place().await? })
    }

    /// Appends in a closed loop: as many under way as `in_flight`, for the time `lasting`.
    pub(super) async fn append(&self, in_flight: usize, lasting: Duration) -> Result<Tally> {
        let more = [("in-flight", in_flight.to_string()), seconds(lasting)];
        self.ask("append", &self.place, more).await
    }

    /// Appends at a fixed rate; the time of one is up to its acknowledgement.
    pub(super) async fn pace(&self, per_second: f64, lasting: Duration) -> Result<Tally> {
        let more = [("per-second", per_second.to_string()), seconds(lasting)];
        self.ask("pace", &self.place, more).await
    }

    /// Appends at a fixed rate; the time of one is until a consumer has it.
    pub(super) async fn echo(&self, per_second: f64, lasting: Duration) -> Result<Tally> {
        let more = [("per-second", per_second.to_string()), seconds(lasting)];
        self.ask("echo", &self.place, more).await
    }

    /// Appends this many records to the log of a place.
    pub(super) async fn fill(&self, place: &Place, records: u32) -> Result<Tally> {
        self.ask("fill", place, [("count", records.to_string())]).await
    }

    async fn ask(
        &self,
        command: &str,
        place: &Place,
        more: impl IntoIterator<Item = (&str, String)>,
    ) -> Result<Tally> {
        let sample = self.site.file("envelope.json");
        let log = [
            ("brokers", self.site.kafka.brokers().to_owned()),
            ("topic", place.topic()),
            ("partition", self.site.sample()?.partition.to_string()),
            ("sample", sample.display().to_string()),
        ];
        let options = log.into_iter().chain(more);
        let mut args = vec![command.to_owned()];
        args.extend(options.map(|(option, value)| format!("--{option}={value}")));
        ceilings::ask(&self.site.cores.service, &args).await
    }
}

fn seconds(lasting: Duration) -> (&'static str, String) {
    ("seconds", lasting.as_secs_f64().to_string())
}

/// A ceiling that serves. Dropped = killed.
pub(super) struct BareServer {
    part: Part,
    pub(super) address: SocketAddr,
}

/// Starts the HTTP server with nothing behind it.
pub(super) async fn start_http(site: &Site) -> Result<BareServer> {
    BareServer::start(site, "accept", []).await
}

/// Starts the whole way, from HTTP to the archive of a place.
pub(super) async fn start_whole(site: &Site, place: &Place) -> Result<BareServer> {
    let [envelope, document] = ["envelope.json", "document.bson"].map(|name| site.file(name));
    std::fs::write(&envelope, site.sample()?.envelope())?;
    std::fs::write(&document, site.sample()?.document().to_vec()?)?;
    let behind = [
        ("brokers", site.kafka.brokers().to_owned()),
        ("topic", place.topic()),
        ("partition", site.sample()?.partition.to_string()),
        ("sample", envelope.display().to_string()),
        ("document", document.display().to_string()),
        ("uri", site.mongodb.uri().to_owned()),
        ("database", place.database.clone()),
    ];
    BareServer::start(site, "whole", behind).await
}

impl BareServer {
    /// Starts it on the processor of the service.
    async fn start(
        site: &Site,
        command: &str,
        more: impl IntoIterator<Item = (&str, String)>,
    ) -> Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], ports::free()?));
        let served = [("listen", address.to_string()), ("issuer", site.issuer.url().to_owned())];
        let options = served.into_iter().chain(more);
        let program = Program::new(checkout::binary("ceilings")?)
            .args([command])
            .args(options.map(|(option, value)| format!("--{option}={value}")))
            .on_cores(&site.cores.service);
        let ready = probe(move || async move {
            scrape::get(&format!("http://{address}/ready")).await.map(drop)
        });
        let part = Part::new(format!("bare-{command}"), program, site.files(), ready);
        part.start().await?;
        Ok(Self { part, address })
    }

    /// The processor time it has used, in seconds.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        let State::Running(pid) = self.part.state() else {
            bail!("a ceiling ended; the last lines of its log:\n{}", self.part.last_lines(20))
        };
        Ok(usage::cpu_time(pid)?.as_secs_f64())
    }
}
