//! What comes behind the question mark.

use std::mem;

use axum::http::Uri;
use url::form_urlencoded;

use super::problem::Problem;

/// The parameters of a request.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads parameters of these names, each once at most.
    pub(super) fn read(uri: &Uri, names: &[&str]) -> Result<Self, Problem> {
        let mut parameters = Vec::with_capacity(names.len());
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            let is_known = names.contains(&&*name);
            let is_first = !parameters.iter().any(|(known, _): &(String, String)| *known == name);
            if !is_known || !is_first || value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(Problem::parameter(&name));
            }
            parameters.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(parameters))
    }

    /// The parameter with this name, moved out of them.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let mut parameters = self.0.iter_mut();
        parameters.find(|(known, _)| known == name).map(|(_, value)| mem::take(value))
    }
}
