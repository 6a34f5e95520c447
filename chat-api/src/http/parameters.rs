//! The parameters of a query.

use std::collections::HashSet;

use url::form_urlencoded;

use super::problem::Problem;

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
