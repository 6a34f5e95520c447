//! What the tests of both services share: what each of them promises about its options, its metrics, its
//! traces and its documents.
//!
//! A dev-dependency of [`service_process`] and of the services. Here belongs what tests of more than one
//! crate use and what knows no domain word; servers and stacks to test on are devstack's. A check panics
//! when it fails.
#![expect(clippy::disallowed_methods, reason = "tests are the outermost layer")]
#![expect(clippy::missing_panics_doc, reason = "in a test a panic is the report")]

pub mod collector;
pub mod crowd;
pub mod dashboards;
pub mod options;
pub mod reference;
pub mod wait;
