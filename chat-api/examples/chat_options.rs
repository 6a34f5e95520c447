//! Shows what the program makes of its command line and its environment, for this crate's tests.
#![expect(clippy::print_stdout, reason = "the answer of a command, not a log line")]

use std::process::ExitCode;

use chat_api::cli::Cli;
use service_process::cli::parse_or_exit;

fn main() -> ExitCode {
    match parse_or_exit::<Cli>() {
        Ok(cli) => {
            println!("{cli:?}");
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}
