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

/// The bare HTTP server. Dropped = killed.
pub(super) struct BareHttp {
    part: Part,
    pub(super) address: SocketAddr,
}

/// Starts the server on the processor of the service.
pub(super) async fn start_http(site: &Site) -> Result<BareHttp> {
    let address = SocketAddr::from(([127, 0, 0, 1], ports::free()?));
    let program = Program::new(checkout::binary("ceilings")?)
        .args(["accept", "--listen", &address.to_string(), "--issuer", site.issuer.url()])
        .on_cores(&site.cores.service);
    let ready =
        probe(
            move || async move { scrape::get(&format!("http://{address}/ready")).await.map(drop) },
        );
    let part = Part::new("bare-http", program, site.files(), ready);
    part.start().await?;
    Ok(BareHttp { part, address })
}

impl BareHttp {
    /// The processor time it has used, in seconds.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        let State::Running(pid) = self.part.state() else { bail!("the bare HTTP server ended") };
        Ok(usage::cpu_time(pid)?.as_secs_f64())
    }
}
