//! `./dev status`.

use std::process::ExitCode;

use anyhow::Result;

use crate::console::say;
use crate::control::{Request, ask};
use crate::process::{Memory, memory};

/// Shows each part with its memory; fails when a part is not running.
pub(crate) async fn show() -> Result<ExitCode> {
    let Some(reply) = ask(&Request::Status).await? else {
        say("not running: start it with ./dev up");
        return Ok(ExitCode::FAILURE);
    };
    say(format!(
        "{:<12} {:<10} {:>8} {:>9} {:>9}",
        "part", "state", "process", "RSS MiB", "PSS MiB"
    ));
    let mut total = 0;
    for part in &reply.parts {
        let Memory { rss, pss } = part.pid.map(memory).unwrap_or_default();
        total += pss;
        let pid = part.pid.map_or_else(String::new, |pid| pid.to_string());
        say(format!(
            "{:<12} {:<10} {pid:>8} {:>9} {:>9}",
            part.name,
            part.state,
            mib(rss),
            mib(pss)
        ));
    }
    say(format!("{:<12} {:<10} {:>8} {:>9} {:>9}", "all", "", "", "", mib(total)));
    let well = reply.parts.iter().all(|part| part.well);
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn mib(kib: u64) -> String {
    if kib == 0 { String::new() } else { (kib / 1024).to_string() }
}
