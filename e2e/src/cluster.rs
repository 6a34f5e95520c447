//! The chart on a real cluster, and what is promised of it.
//!
//! A [`stage::Stage`] is a cluster with the chart installed. The [`proofs`] look at it from outside, change it, and take
//! parts of it away while clients speak and people sign in ([`load`]). [`program`] runs them one after another.

pub mod kube;
pub mod load;
pub mod program;
pub mod proofs;
pub mod remains;
pub mod stage;
