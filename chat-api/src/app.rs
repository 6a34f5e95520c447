//! The process: what it is made of, how it starts and in which order it stops.

mod archive_filler;
mod markers;
mod presence;
mod survey;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use dex_tokens::{KeyFetcher, Verifier};
use governor::clock::MonotonicClock;
use service_process::admin::{Admin, Readiness};
use service_process::lifecycle::{Lifecycle, Tasks};
use service_process::listener::{Listener, bind};
use service_process::sources::Sources;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::archive::{self, Archive, ReadLimits, Reads};
use crate::backfill::Backfill;
use crate::config::{Config, MongoArgs};
use crate::guests::Guests;
use crate::hub::{Hub, HubSizes};
use crate::ingest::Ingest;
use crate::kafka::{Log, Partitioner, Producer};
use crate::message::{Partition, Position};
use crate::notices::{Errand, Notices};
use crate::people::Book;
use crate::rate::Rates;
use crate::room_loader::RoomLoader;
use crate::service::{Counters, Service};
use crate::sockets::{SocketCommand, Sockets};
use crate::workers::{FanOut, PeopleWriter, Start, Stopped, WARM_WITHIN, run_errands};
use crate::{http, metrics};
use archive_filler::ArchiveFiller;
use markers::MarkerParts;
use presence::{PresenceParts, PresenceWorkers};
use survey::{LogSurvey, survey};

/// How long appends that are under way get at a stop: their own delivery timeout, and a little.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(6);

/// The whole process: connected and bound, not yet running.
pub struct App {
    service: Arc<Service>,
    listener: Listener,
    admin: Admin,
    readiness: Readiness,
    fetcher: KeyFetcher,
    producer: Arc<Producer>,
    fan_out: FanOut,
    errands: UnboundedReceiver<Errand>,
    presence: PresenceWorkers,
    archive_filler: ArchiveFiller,
    markers: MarkerParts,
    people_writer: PeopleWriter,
    address: SocketAddr,
}

impl App {
    /// Connects to the log and binds both ports; port 0 lets the system choose. The archive is connected
    /// to in the background.
    #[expect(
        clippy::too_many_lines,
        reason = "a list: what the process is made of, in the order in which one needs the other"
    )]
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        let Config {
            args,
            listener: limits,
            timeouts,
            rate,
            reads,
            in_flight,
            ring_bytes,
            span,
            extra_kind,
        } = config;
        args.check()?;
        metrics::describe();
        let sources = Sources::system();
        let (verifier, fetcher) = Verifier::new(args.tokens.verifier()?, sources.now)?;
        let bound = bind("CHAT_LISTEN", args.http.chat_listen)?;
        let admin = Admin::bind(args.http.admin_listen)?;
        let log = newest(args.log.log()?).await?;
        let LogSurvey { partitioner, decoder, consumer, starts, markers: tail } =
            survey(&log, span, extra_kind).await?;
        let partitions = partitioner.count();
        let most = ReadLimits { rate: reads, connections: args.reads.mongodb_read_connections };
        let (archive, reads) = open_both(&args.mongodb, &log, partitions, most).await?;
        let replica = args.chat_replica.clone();
        let markers = MarkerParts::new((&log, tail), &archive, in_flight, replica.clone())?;
        let producer = Arc::new(Producer::new(&log, partitioner, in_flight, replica)?);

        let hub = hub(&starts, ring_bytes, args.hub.room_bytes(), span);
        let rooms = RoomLoader::new(Arc::clone(&reads), Arc::clone(&hub), partitioner);
        let rooms = Arc::new(rooms);
        let sockets = Arc::new(Sockets::default());
        let (notices, errands) = Notices::new();
        let readiness = Readiness::new();
        let fan_out = FanOut {
            consumer,
            starts,
            hub: Arc::clone(&hub),
            span,
            notices: Arc::clone(&notices),
            sockets: Arc::clone(&sockets),
            records: metrics::fan_out_records(),
            condition: readiness.condition("fan_out"),
            warm: CancellationToken::new(),
            stop: CancellationToken::new(),
        };
        let entrance = args.guests.entrance();
        let lets_guests_in = entrance.is_some();
        let guests = Arc::new(Guests::new(entrance));
        let presence = PresenceParts {
            hub: &hub,
            rooms: &rooms,
            guests: &guests,
            partitioner,
            args: &args,
            sources,
        };
        let presence = presence.workers(&log)?;
        let stopped = Stopped::new("archive", log.messages(), readiness.condition("archive"));
        let (people, queue) = Book::new();
        let people_writer = PeopleWriter { queue, people: archive.people.clone() };
        let archive_filler = ArchiveFiller { archive, log, decoder, partitions, stopped, sources };
        let ingest = Ingest {
            producer: Arc::clone(&producer),
            markers: markers.set.clone(),
            partitioner,
            hub: Arc::clone(&hub),
            reads: Arc::clone(&reads),
            rooms: Arc::clone(&rooms),
            rates: Rates::new(rate, MonotonicClock),
            rooms_made: Rates::daily(args.limits.limit_rooms_per_day, MonotonicClock),
            writes: args.writes.writes(),
            sources,
            sends: metrics::sends(),
        };
        let service = Arc::new(Service {
            verifier,
            people,
            guests,
            ingest,
            hub,
            backfill: Backfill::new(Arc::clone(&reads)),
            rooms,
            reads,
            partitioner,
            sources,
            timeouts,
            frames: args.limits.frames(),
            allowed_origins: args.http.chat_allowed_origins,
            trusts_traceparent: args.http.chat_trust_traceparent,
            readiness: readiness.clone(),
            leaving: CancellationToken::new(),
            sockets,
            notices,
            presence: Arc::clone(&presence.teller.presence),
            typing: Arc::clone(&presence.teller.typing),
            open_sockets: TaskTracker::new(),
            counters: Counters::default(),
        });
        let address = bound.local_addr()?;
        let listener = Listener::public(bound, limits);
        // Nobody else's network is of interest.
        let listener = if lets_guests_in { listener.telling_peers() } else { listener };
        Ok(Self {
            service,
            listener,
            admin,
            readiness,
            fetcher,
            producer,
            fan_out,
            errands,
            presence,
            archive_filler,
            markers,
            people_writer,
            address,
        })
    }

    /// Where REST and WebSocket are served.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where liveness, readiness and metrics are served.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.local_addr()
    }

    /// Starts everything. Requests are answered from the moment the hub is warm.
    pub fn run(self, lifecycle: &Lifecycle) {
        let tasks = lifecycle.tasks();
        self.admin.serve(&tasks, self.readiness);
        tracing::info!(address = %self.address, "chat-api starts");

        // Keys are needed until the last request is answered.
        let downstream = CancellationToken::new();
        tasks.spawn(self.fetcher.run(downstream.clone().cancelled_owned()));
        let (warm, fan_out_stop) = (self.fan_out.warm.clone(), self.fan_out.stop.clone());
        tasks.worker("fan-out", self.fan_out.run());
        self.markers.run(&tasks, &self.service, fan_out_stop.clone(), downstream.clone());
        for lane in self.service.hub.lanes() {
            let (service, stop) = (Arc::clone(&self.service), fan_out_stop.clone());
            tasks.worker("sweep", async move {
                let delivered = |events| service.counters.delivered.increment(events);
                tokio::select! {
                    () = stop.cancelled() => Ok(()),
                    never = service.hub.sweep(lane, delivered) => match never {},
                }
            });
        }
        let service = Arc::clone(&self.service);
        tasks.worker("notices", run_errands(service, self.errands, downstream.clone()));
        let (archive, stop) = (self.archive_filler.archive.clone(), downstream.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = archive.create_indexes_until_done() => {}
            }
        });
        tasks.worker(
            "archive",
            self.archive_filler.run(downstream.clone(), tasks.aborting().clone()),
        );
        self.presence.run(&tasks, &downstream);
        tasks.worker("people", self.people_writer.run(downstream.clone()));
        let (reads, stop) = (Arc::clone(&self.service.reads), downstream.clone());
        tasks.spawn(async move { reads.follow_progress(stop).await });
        tasks.worker("producer", Arc::clone(&self.producer).look_after(downstream.clone()));
        let serving = Serving {
            service: self.service,
            listener: self.listener,
            producer: self.producer,
            warm,
            tasks: tasks.clone(),
        };
        tasks.worker("http", async move {
            let served = serving.run().await;
            // Down the arrow: nothing comes in any more, so what reads the log may finish.
            fan_out_stop.cancel();
            downstream.cancel();
            served
        });
    }
}

/// A hub whose rings begin where the log is to be read from.
fn hub(starts: &[(Partition, Start)], ring_bytes: usize, room_bytes: usize, span: i64) -> Arc<Hub> {
    // A room that many hear is taken to them by all threads there are.
    let lanes = Handle::current().metrics().num_workers();
    let rings: Vec<Position> = starts.iter().map(|(_, start)| start.ring).collect();
    Arc::new(Hub::new(&rings, HubSizes { ring_bytes, room_bytes, span, lanes }))
}

/// The public port and the service behind it, until the stop.
struct Serving {
    service: Arc<Service>,
    listener: Listener,
    producer: Arc<Producer>,
    warm: CancellationToken,
    tasks: Tasks,
}

impl Serving {
    /// Serves until the process stops; then lets nobody in, closes the sockets and waits until what
    /// was said inside stands in the log.
    async fn run(self) -> anyhow::Result<()> {
        let Self { service, listener, producer, warm, tasks } = self;
        tokio::select! {
            // A socket before that would hear the past as if it were said now.
            () = warm.cancelled() => {}
            () = tasks.stopping().cancelled() => return Ok(()),
        }
        tokio::select! {
            // Without it people who are online would be told of a few at first. Nothing else waits for it.
            _ = timeout(WARM_WITHIN, service.presence.warm.cancelled()) => {}
            () = tasks.stopping().cancelled() => return Ok(()),
        }
        let router = http::router(Arc::clone(&service));
        let stop = leave(Arc::clone(&service), tasks.clone());
        tokio::select! {
            () = listener.serve(router, stop) => {}
            () = tasks.aborting().cancelled() => return Ok(()),
        }
        service.open_sockets.close();
        tokio::select! {
            () = service.open_sockets.wait() => {}
            () = tasks.aborting().cancelled() => return Ok(()),
        }
        tracing::info!("all sockets are closed");
        tokio::task::spawn_blocking(move || {
            service.ingest.markers.producer.flush(FLUSH_TIMEOUT)?;
            producer.flush(FLUSH_TIMEOUT)
        })
        .await??;
        Ok(())
    }
}

/// Completes when nothing new is to be let in: some time after the stop was asked for, which readiness
/// shows at once. From then on sockets know that they will be closed.
async fn leave(service: Arc<Service>, tasks: Tasks) {
    tasks.stopping().cancelled().await;
    service.leaving.cancel();
    tokio::select! {
        () = sleep(service.timeouts.drain_pause) => {}
        () = tasks.aborting().cancelled() => {}
    }
    service.sockets.tell_all(SocketCommand::Drain);
}

/// The log with its newest generation.
pub(crate) async fn newest(log: Log) -> anyhow::Result<Log> {
    let brokers = log.brokers.clone();
    let asked = tokio::task::spawn_blocking(move || log.newest()).await?;
    asked.with_context(|| format!("KAFKA_BROKERS {brokers}"))
}

/// The archive for whoever fills it, and for those who read it.
async fn open_both(
    args: &MongoArgs,
    log: &Log,
    partitions: usize,
    most: ReadLimits,
) -> anyhow::Result<(Archive, Arc<Reads>)> {
    let MongoArgs { mongodb_uri, mongodb_database } = args;
    let archive = Archive::open(mongodb_uri, mongodb_database).await.context("MONGODB_URI")?;
    let reads = Reads::open(mongodb_uri, mongodb_database, log.generation, partitions, most).await;
    Ok((archive, Arc::new(reads.context("MONGODB_URI")?)))
}

/// The archive, with its indexes, of a log with that many partitions.
pub(crate) async fn open_archive(
    args: &MongoArgs,
    log: &Log,
    partitioner: Partitioner,
) -> anyhow::Result<Archive> {
    archive::reach(&args.mongodb_uri).await.context("MONGODB_URI")?;
    let archive =
        Archive::open(&args.mongodb_uri, &args.mongodb_database).await.context("MONGODB_URI")?;
    archive.prepare(log.generation, partitioner.count()).await.context("MONGODB_URI")?;
    Ok(archive)
}
