//! A stack of its own with three replicas, and the people who speak there.

use std::ops::Deref;

use anyhow::Result;
use devstack::part::{Part, State};
use devstack::stack::{Stack, StackOptions};

use super::scene::{Scene, person};

/// How many replicas of the chat API there are.
pub const REPLICAS: usize = 3;

/// A running stack with people.
pub struct Stage {
    scene: Scene,
    // Last: whoever speaks there goes first.
    /// The stack.
    pub stack: Stack,
}

impl Stage {
    /// Starts everything and signs `people` people in.
    pub async fn open(people: usize, seed: u64) -> Result<Self> {
        let mut options = StackOptions::apart(REPLICAS)?;
        options.users.extend((0..people).map(person));
        // On the heap: starting everything is a large future.
        let stack = Box::pin(Stack::launch(options)).await?;
        Ok(Self { scene: Scene::open(stack.endpoints().clone(), people, seed).await?, stack })
    }

    /// A replica's part, counted from 0.
    pub fn replica(&self, index: usize) -> Result<&Part> {
        self.stack.part(&format!("chat-{}", index + 1))
    }

    /// Has every part run again, whatever a scenario left.
    pub async fn restore(&self) -> Result<()> {
        for part in self.stack.parts() {
            part.thaw();
            if !matches!(part.state(), State::Running(_)) {
                part.start().await?;
            }
        }
        Ok(())
    }
}

impl Deref for Stage {
    type Target = Scene;

    fn deref(&self) -> &Scene {
        &self.scene
    }
}
