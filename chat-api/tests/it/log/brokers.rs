//! A client that has no broker at all

use std::ffi::CString;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::setup::{HANG, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_broker_finds_one_when_it_is_reminded_and_only_then() {
    let cluster: MockCluster<'_, DefaultProducerContext> = MockCluster::new(1).unwrap();
    let client: BaseConsumer = ClientConfig::new().create().unwrap();
    let brokers = || client.fetch_metadata(None, HANG / 30).map(|found| found.brokers().len());
    brokers().unwrap_err();
    let first = CString::new(cluster.bootstrap_servers()).unwrap();
    kafka_native::bootstrap_again(client.client(), &first);
    eventually("the client finds its broker", async || brokers().ok()).await;
    // Once more changes nothing: it is one broker.
    kafka_native::bootstrap_again(client.client(), &first);
    assert_eq!(brokers().unwrap(), 1);
}
