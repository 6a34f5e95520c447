//! The mail sink: takes every mail, delivers none, shows them all.

use std::path::Path;

use crate::part::{Part, probe};
use crate::program::Program;
use crate::{checkout, http};

pub(crate) fn part(state: &Path, smtp: u16, inbox: u16) -> Part {
    let program = Program::new("node")
        .args([checkout::state().join("mail/node_modules/maildev/bin/maildev")])
        .args(["--ip", "127.0.0.1", "--smtp", &smtp.to_string()])
        .args(["--web-ip", "127.0.0.1", "--web", &inbox.to_string()]);
    let ready = probe(move || async move {
        http::answers(&format!("http://127.0.0.1:{inbox}/healthz")).await
    });
    Part::new("mail", program, state, ready)
}
