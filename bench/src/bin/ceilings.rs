//! What the parts of the chat do bare. A program of its own so that it can be pinned to the very
//! core that the service is pinned to.

use std::process::ExitCode;

/// That of chat-api: a ceiling must not lie lower because of another one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    bench::ceilings::main().await
}
