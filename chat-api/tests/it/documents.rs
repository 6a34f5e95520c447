//! The documents of the repository against the program.

mod api;
mod dashboards;
mod options;
mod reference;
