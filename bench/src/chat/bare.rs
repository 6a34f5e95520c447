//! The ceilings, run on the processor of the service.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail};
use devstack::part::{Part, State, probe};
use devstack::program::Program;
use devstack::{checkout, ports};

use super::site::{PARTITIONS, Place, Site};
use crate::ceilings::{self, Mixed, Tally};
use crate::{scrape, usage};

/// The bare log, with a topic of its own.
pub(crate) struct BareLog<'a> {
    site: &'a Site,
    place: Place,
}

impl<'a> BareLog<'a> {
    pub(crate) async fn new(site: &'a Site) -> Result<Self> {
        std::fs::write(site.file("envelope.json"), site.sample()?.envelope())?;
        Ok(Self { site, place: site.place().await? })
    }

    /// Appends in a closed loop: as many under way as `in_flight`, for the time `lasting`.
    pub(crate) async fn append(&self, in_flight: usize, lasting: Duration) -> Result<Tally> {
        let more = [("in-flight", in_flight.to_string()), seconds(lasting)];
        self.ask("append", &self.place, more).await
    }

    /// Appends at a fixed rate; the time of one is up to its acknowledgement.
    pub(crate) async fn pace(&self, per_second: f64, lasting: Duration) -> Result<Tally> {
        let more = [("per-second", per_second.to_string()), seconds(lasting)];
        self.ask("pace", &self.place, more).await
    }

    /// Appends at a fixed rate; the time of one is until a consumer has it.
    pub(crate) async fn echo(&self, per_second: f64, lasting: Duration) -> Result<Tally> {
        let more = [("per-second", per_second.to_string()), seconds(lasting)];
        self.ask("echo", &self.place, more).await
    }

    /// Appends this many records to the log of a place.
    pub(crate) async fn fill(&self, place: &Place, records: u32) -> Result<Tally> {
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

/// Has the driver insert this many documents like the archive's, a thousand at once.
pub(crate) async fn insert(site: &Site, place: &Place, documents: u32) -> Result<Tally> {
    let sample = site.file("document.bson");
    std::fs::write(&sample, site.sample()?.document().to_vec()?)?;
    let args = [
        "insert".to_owned(),
        format!("--uri={}", site.mongodb.uri()),
        format!("--database={}", place.database),
        format!("--count={documents}"),
        format!("--sample={}", sample.display()),
    ];
    ceilings::ask(&site.cores.service, &args).await
}

/// What a log is filled with that holds more than messages.
pub(crate) struct Mixture {
    pub(crate) rooms: u16,
    /// Of each room.
    pub(crate) records: u16,
}

/// Fills a place's log, all partitions of it, with what happens in many rooms.
pub(crate) async fn mix(site: &Site, place: &Place, mixture: &Mixture) -> Result<Mixed> {
    let sample = site.file("envelope.json");
    std::fs::write(&sample, site.sample()?.envelope())?;
    let args = [
        "mix".to_owned(),
        format!("--brokers={}", site.kafka.brokers()),
        format!("--topic={}", place.topic()),
        format!("--partitions={PARTITIONS}"),
        format!("--sample={}", sample.display()),
        format!("--rooms={}", mixture.rooms),
        format!("--records={}", mixture.records),
    ];
    ceilings::ask(&site.cores.service, &args).await
}

fn seconds(lasting: Duration) -> (&'static str, String) {
    ("seconds", lasting.as_secs_f64().to_string())
}

/// A ceiling that serves. Dropped = killed.
pub(crate) struct BareServer {
    part: Part,
    pub(crate) address: SocketAddr,
}

/// Starts the HTTP server with nothing behind it.
pub(crate) async fn start_http(site: &Site) -> Result<BareServer> {
    BareServer::start(site, "accept", []).await
}

/// Starts the whole way, from HTTP to the archive of a place.
pub(crate) async fn start_whole(site: &Site, place: &Place) -> Result<BareServer> {
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
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        let State::Running(pid) = self.part.state() else {
            bail!("a ceiling ended; the last lines of its log:\n{}", self.part.last_lines(20))
        };
        Ok(usage::cpu_time(pid)?.as_secs_f64())
    }
}
