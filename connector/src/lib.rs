//! Local accounts for Dex: the gRPC password connector over PostgreSQL.
//!
//! A call comes in at [`grpc`], which parses it and makes one domain call: [`login`] holds the order
//! of the steps of an attempt. Its parts are made once for a process ([`core`](crate::core)).
//! [`limits`] keep floods away, [`guard`] charges an attempt by the rules of [`lockout`], [`password`]
//! hashes on a bounded pool, and [`trail`] writes down what [`audit`] has words for. [`store`] holds
//! all SQL, [`account`] the words that they share. [`accounts`] are the pages, and the [`flow`]s of who is
//! not signed in; where these end, [`dex_login`] knows the way back. [`seed`] creates accounts from a file. [`worker`]
//! does what goes on in the background, [`due`] work among it: it sends [`mail`], and has Dex forget
//! ended sessions through [`dex_api`].

pub mod account;
pub mod accounts;
pub mod app;
pub mod audit;
pub mod cli;
pub mod config;
pub mod core;
pub mod dex_api;
pub mod dex_login;
pub mod due;
pub mod flow;
pub mod grpc;
pub mod guard;
pub mod keys;
pub mod limits;
pub mod lockout;
pub mod login;
pub mod mail;
pub mod metrics;
pub mod password;
pub mod seed;
pub mod store;
pub mod streak;
pub mod trail;
pub mod worker;
