//! Names with values, as forms and what stands behind a question mark have them.

use std::mem;

use url::form_urlencoded;

/// Values by their names, each name once.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads values of these names, each once at most; the name that is at fault otherwise.
    pub(super) fn parse(text: &[u8], names: &[&str]) -> Result<Self, String> {
        let mut fields: Vec<(String, String)> = Vec::with_capacity(names.len());
        for (name, value) in form_urlencoded::parse(text) {
            let is_known = names.contains(&&*name);
            let is_first = !fields.iter().any(|(known, _)| *known == name);
            // What was not UTF-8 is replaced by this: a password must not be changed on its way.
            if !is_known || !is_first || value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(name.into_owned());
            }
            fields.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(fields))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The value with this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        fields.find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The same, moved out.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let mut fields = self.0.iter_mut();
        fields.find(|(known, _)| known == name).map(|(_, value)| mem::take(value))
    }
}
