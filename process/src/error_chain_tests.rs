use std::io;

use super::*;

#[derive(Debug)]
struct Outer(io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database does not answer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn an_error_is_followed_by_its_sources_in_one_line() {
    let error = Outer(io::Error::other("connection refused"));
    assert_eq!(ErrorChain(&error).to_string(), "the database does not answer: connection refused");
    assert_eq!(ErrorChain(&error.0).to_string(), "connection refused");
}
