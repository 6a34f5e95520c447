//! What comes behind the question mark.

use axum::http::Uri;

use super::fields::Fields;
use super::problem::Problem;

/// The parameters of a request.
pub(super) struct Query(Fields);

impl Query {
    /// Reads parameters of these names, each once at most.
    pub(super) fn read(uri: &Uri, names: &[&str]) -> Result<Self, Problem> {
        let query = uri.query().unwrap_or_default();
        let parameters = Fields::parse(query.as_bytes(), names);
        parameters.map(Self).map_err(|name| Problem::parameter(&name))
    }

    /// The parameter with this name, moved out of them.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.take(name)
    }
}
