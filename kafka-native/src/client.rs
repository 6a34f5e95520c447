//! What librdkafka can do for a client.

use std::ffi::CStr;

use rdkafka::ClientContext;
use rdkafka::bindings::rd_kafka_brokers_add;
use rdkafka::client::Client;

/// Gives a client its first brokers once more, as in `bootstrap.servers`. One that it has already is left as it is, and
/// those that the cluster does not name go again with the cluster's next word. Does not wait for a connection.
///
/// librdkafka keeps the list, which is as long as the sum of all calls: this is for rare occasions.
pub fn bootstrap_again<C: ClientContext>(client: &Client<C>, brokers: &CStr) {
    // SAFETY: `client` owns the handle and is borrowed, so the handle is valid. `brokers` ends with a zero; the
    // function copies it, takes the handle's locks by itself and may be called by any thread.
    unsafe { rd_kafka_brokers_add(client.native_ptr(), brokers.as_ptr()) };
}
