//! What befalls the stack, and what must not come of it.
//!
//! A [`stage::Stage`] is a stack of its own with three replicas. A [`crew::Crew`] of reference clients speaks and
//! listens there, while a [`scenarios::Scenario`] disturbs it; then the [`judge`] compares what was acknowledged and
//! heard with the log and the archive. [`program`] runs the scenarios one after another and shows the figures.

pub mod crew;
pub mod disturb;
pub mod figures;
pub mod judge;
pub mod program;
pub mod room;
pub mod scale;
pub mod scenarios;
pub mod scene;
pub mod stage;
