//! The accounts pages, as browsers and scripts meet them.

mod forms;
mod json;
mod reset;
mod sign_up;
