//! The archive bare: the driver's `insert_many`, with the batches and the safety of chat-api.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chat_api::archive::Archive;
use mongodb::bson::{DateTime, Document, doc};
use mongodb::options::{CollectionOptions, InsertManyOptions, WriteConcern};
use mongodb::{Client, Collection};
use tokio::time::Instant;

use super::log::id;
use super::tally::Tally;
use crate::load::p99_millis;
use crate::usage::own_cpu_time;

/// As many as chat-api writes at once.
pub(super) const BATCH: u32 = 1_000;

/// Where to insert, and what.
#[derive(Debug, clap::Args)]
pub(super) struct InsertArgs {
    #[arg(long)]
    uri: String,
    #[arg(long)]
    database: String,
    #[arg(long)]
    count: u32,
    /// A file with a document in BSON: each is one like it.
    #[arg(long)]
    sample: PathBuf,
}

pub(super) async fn run(args: &InsertArgs) -> Result<Tally> {
    let sample = std::fs::read(&args.sample).context("no sample")?;
    let sample = Document::from_reader(sample.as_slice())?;
    let messages = messages::<Document>(&args.uri, &args.database).await?;
    let batches = (0..args.count / BATCH).map(|batch| documents(&sample, batch * BATCH, BATCH));
    let batches: Vec<Vec<Document>> = batches.collect::<Result<_>>()?;

    let (start, cpu, mut latencies) = (Instant::now(), own_cpu_time()?, Vec::<Duration>::new());
    for batch in &batches {
        let begun = Instant::now();
        let unordered = InsertManyOptions::builder().ordered(false).build();
        messages.insert_many(batch).with_options(unordered).await?;
        latencies.push(begun.elapsed());
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu_seconds = own_cpu_time()?.saturating_sub(cpu).as_secs_f64();
    let count = messages.count_documents(doc! {}).await?;
    ensure!(count == u64::from(args.count), "{count} documents");
    Ok(Tally { count, seconds, cpu_seconds, p99_millis: p99_millis(latencies.into_iter())? })
}

/// The collection of messages in a database that has none yet, as safe as chat-api's.
pub(super) async fn messages<T: Send + Sync>(uri: &str, database: &str) -> Result<Collection<T>> {
    // The indexes are a good part of what an insert costs, so these are chat-api's own.
    Archive::open(&uri.into(), database).await?.prepare(0, 1).await?;
    let options = CollectionOptions::builder().write_concern(WriteConcern::majority()).build();
    let database = Client::with_uri_str(uri).await?.database(database);
    Ok(database.collection_with_options("messages", options))
}

/// Documents like a sample at the places from `first` on, a millisecond apart.
pub(crate) fn documents(sample: &Document, first: u32, count: u32) -> Result<Vec<Document>> {
    let begin = sample.get_datetime("timestamp")?.timestamp_millis();
    let document = |n: u32| {
        let mut document = sample.clone();
        document.insert("_id", id(u64::from(n)).to_string());
        document.insert("pos", i64::from(n));
        document.insert("timestamp", DateTime::from_millis(begin + i64::from(n)));
        document
    };
    Ok((first..first + count).map(document).collect())
}
