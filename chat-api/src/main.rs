//! The chat backend's program.

use std::process::ExitCode;

use chat_api::cli::Cli;
use service_process::cli::parse_or_exit;
use service_process::lifecycle;

/// A message makes many small allocations in several threads: with glibc's a quarter of its processor
/// time goes into them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match parse_or_exit::<Cli>() {
        Ok(cli) => lifecycle::run(cli.run()),
        Err(code) => code,
    }
}
