//! Shows what the program makes of its command line and its environment, for this crate's tests.

use std::process::ExitCode;

use chat_api::cli::Cli;
use service_process_testing::options::show;

fn main() -> ExitCode {
    show::<Cli>()
}
