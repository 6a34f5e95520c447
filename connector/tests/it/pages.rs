//! The accounts pages, as browsers and scripts meet them.

mod closed;
mod forms;
mod invitation;
mod json;
mod reset;
mod secrets;
mod sign_up;
mod unlock;
