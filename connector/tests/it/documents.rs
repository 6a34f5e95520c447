//! The documents of the repository against the program.

mod dashboards;
mod options;
mod reference;
