//! The accounts pages, as browsers and scripts meet them.

mod breaches;
mod closed;
mod floods;
mod forms;
mod hand_back;
mod hang_ups;
mod inboxes;
mod invitation;
mod json;
mod log_floods;
mod reset;
mod restart;
mod secrets;
mod sign_in;
mod sign_in_secrets;
mod sign_up;
mod signed;
mod signed_pages;
mod takeover;
mod unlock;
