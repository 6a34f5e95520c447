//! Who joins a crew.

use std::ops::Range;

use crate::chat::place::Place;
use crate::faults::stage;

/// Who joins a crew.
#[derive(Clone, Debug)]
pub struct Members {
    /// Which of the stage's people.
    pub people: Range<usize>,
    /// Clients of each; a person has ten at most at one replica.
    pub each: usize,
    /// Which replicas they use, from 0.
    pub replicas: Vec<usize>,
    /// The size of their receive buffers, when they should be small.
    pub receive_buffer: Option<u32>,
    /// The cursor they begin with.
    pub from: Option<Place>,
}

impl Members {
    /// People with one client each, at all replicas.
    #[must_use]
    pub fn people(people: Range<usize>) -> Self {
        let replicas = (0..stage::REPLICAS).collect();
        Self { people, each: 1, replicas, receive_buffer: None, from: None }
    }
}
