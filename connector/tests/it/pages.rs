//! The accounts pages, as browsers and scripts meet them.

mod forms;
mod json;
mod reset;
mod secrets;
mod sign_up;
mod unlock;
