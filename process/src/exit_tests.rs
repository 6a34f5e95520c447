use std::io;

use super::*;

/// How a command ends that met this error.
fn ended(error: io::Error) -> ExitCode {
    code(Err(error.into()), |_| 7)
}

#[test]
fn an_error_ends_with_its_own_code_unless_nobody_reads_on() {
    assert_eq!(ended(io::Error::other("no")), ExitCode::from(7));
    assert_eq!(ended(io::ErrorKind::BrokenPipe.into()), ExitCode::SUCCESS);
    assert_eq!(code(Ok(ExitCode::from(3)), |_| 7), ExitCode::from(3));
}
