//! The parameters of a query.

use std::collections::HashSet;

use url::form_urlencoded;

use super::problem::Problem;

/// How many items a page has unless asked otherwise, and at most.
pub(super) const LIMIT_DEFAULT: u16 = 50;
pub(super) const LIMIT_MAX: u16 = 200;

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

/// How many items may be in an answer, `most` at most.
pub(super) fn parse_limit(value: &str, most: u16) -> Result<u16, Problem> {
    let limit = value.parse().ok().filter(|limit| (1..=most).contains(limit));
    limit.ok_or_else(|| {
        Problem::invalid_parameter("limit", format!("limit is a number from 1 to {most}"))
    })
}
