//! The parameters of a request.

use std::collections::HashSet;

use url::form_urlencoded;

use super::problem::Problem;

/// How many items a page has unless asked otherwise, and at most.
pub(super) const LIMIT_DEFAULT: u16 = 50;
const LIMIT_MAX: u16 = 200;

/// Reads parameters in their order, each of which is there once at most.
pub(super) fn once_each(
    query: &str,
    mut read: impl FnMut(&str, &str) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        read(&name, &value)?;
        if !seen.insert(name.clone()) {
            return Err(Problem::invalid_parameter(&name, "it is there more than once"));
        }
    }
    Ok(())
}

/// How many items a page is to have.
pub(super) fn parse_limit(value: &str) -> Result<u16, Problem> {
    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| {
        Problem::invalid_parameter("limit", format!("limit is a number from 1 to {LIMIT_MAX}"))
    })
}
