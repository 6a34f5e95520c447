//! The whole way bare: HTTP and the check of the token, the producer, two readers of the log and
//! `insert_many`, with the settings of chat-api and in one process. Nothing comes of a record: none is
//! parsed, none is told from a repeat, none is counted, and nobody notes how far they are read.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use dex_tokens::Verifier;
use http::StatusCode;
use mongodb::Collection;
use mongodb::bson::{Document, RawDocumentBuf, rawdoc};
use mongodb::options::InsertManyOptions;
use rdkafka::consumer::StreamConsumer;
use rdkafka::error::KafkaError;
use service_process::sources::Sources;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::accept::{accepted, is_let_in, listen, new_id, verifier};
use super::insert::{self, BATCH};
use super::log::{Envelopes, LogArgs, Producer, acknowledged, consumer};

/// How long chat-api waits for more before it writes a batch.
const LINGER: Duration = Duration::from_millis(50);

/// Where to serve, and what is behind.
#[derive(Debug, clap::Args)]
pub(super) struct WholeArgs {
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    issuer: String,
    #[command(flatten)]
    log: LogArgs,
    #[arg(long)]
    uri: String,
    #[arg(long)]
    database: String,
    /// A file with a document in BSON: each is one like it.
    #[arg(long)]
    document: PathBuf,
}

struct WholeService {
    verifier: Verifier,
    producer: Producer,
    envelopes: Envelopes,
    sources: Sources,
}

/// Serves until it is killed.
pub(super) async fn serve(args: &WholeArgs) -> Result<String> {
    let (verifier, _fetching) = verifier(&args.issuer)?;
    let (documents, sources) = (Documents::read(&args.document)?, Sources::system());
    let messages = insert::messages(&args.uri, &args.database).await?;
    let producer = Producer::new(&args.log)?;
    let (fan_out, archive) = (consumer(&args.log, &producer)?, consumer(&args.log, &producer)?);
    let envelopes = Envelopes::read(&args.log)?;
    let service = WholeService { verifier, producer, envelopes, sources };
    let mut readers = JoinSet::new();
    readers.spawn(async move { drain(&fan_out).await });
    readers.spawn(async move { store(&archive, messages, documents).await });
    tokio::select! {
        served = listen(args.listen, accept, Arc::new(service)) => served?,
        Some(ended) = readers.join_next() => match ended?? {},
    }
    Ok(String::new())
}

async fn accept(State(service): State<Arc<WholeService>>, request: Request) -> Response {
    if !is_let_in(&service.verifier, request).await {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let id = new_id(service.sources);
    match acknowledged(&service.producer, &service.envelopes.of(id)).await {
        Ok(()) => accepted(id),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

/// Waits for a record.
async fn next(consumer: &StreamConsumer) -> Result<()> {
    loop {
        match consumer.recv().await {
            Err(KafkaError::PartitionEOF(_)) => {}
            record => return Ok(record.map(drop)?),
        }
    }
}

/// Reads as the fan-out does. Ends by a failure only.
async fn drain(consumer: &StreamConsumer) -> Result<Infallible> {
    loop {
        next(consumer).await?;
    }
}

/// Reads as the archive does, and writes a document for each record, a batch while the next one is read.
/// Ends by a failure only.
async fn store(
    consumer: &StreamConsumer,
    messages: Collection<RawDocumentBuf>,
    mut documents: Documents,
) -> Result<Infallible> {
    let mut writing = JoinSet::new();
    loop {
        next(consumer).await?;
        let mut batch = vec![documents.make()?];
        let more = async {
            while batch.len() < BATCH as usize {
                next(consumer).await?;
                batch.push(documents.make()?);
            }
            anyhow::Ok(())
        };
        // Without more within that time it is what there is.
        timeout(LINGER, more).await.unwrap_or(Ok(()))?;
        if let Some(written) = writing.join_next().await {
            written??;
        }
        let messages = messages.clone();
        writing.spawn(async move {
            let unordered = InsertManyOptions::builder().ordered(false).build();
            messages.insert_many(batch).with_options(unordered).await.map(drop)
        });
    }
}

/// Documents like a sample, each with an id and a place of its own, in the form in which they are sent.
struct Documents {
    rest: RawDocumentBuf,
    sources: Sources,
    made: i64,
}

impl Documents {
    fn read(file: &Path) -> Result<Self> {
        let sample = std::fs::read(file).context("no sample")?;
        let mut sample = Document::from_reader(sample.as_slice())?;
        for own in ["_id", "pos"] {
            sample.remove(own).with_context(|| format!("the sample has no {own}"))?;
        }
        let rest = RawDocumentBuf::try_from(&sample)?;
        Ok(Self { rest, sources: Sources::system(), made: 0 })
    }

    fn make(&mut self) -> Result<RawDocumentBuf> {
        let mut document = rawdoc! { "_id": new_id(self.sources).to_string(), "pos": self.made };
        self.made += 1;
        for field in &self.rest {
            let (name, value) = field?;
            document.append(name, value);
        }
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::doc;

    use super::*;

    #[test]
    fn documents_are_like_the_sample_but_for_their_ids_and_places() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let sample = doc! { "_id": "a", "room_id": "lobby", "pos": 41_i64, "content": "hi" };
        std::fs::write(file.path(), sample.to_vec().unwrap()).unwrap();
        let mut documents = Documents::read(file.path()).unwrap();
        let [mut first, second] =
            [(); 2].map(|()| Document::try_from(documents.make().unwrap()).unwrap());
        assert_ne!(first.get_str("_id").unwrap(), second.get_str("_id").unwrap());
        assert_eq!(second.get_i64("pos").unwrap(), 1);
        first.insert("_id", "a");
        first.insert("pos", 41_i64);
        assert_eq!(first, sample);
    }
}
