//! Reading a JSON object from outside, so that every complaint names its field.

mod once;
mod surrogates;

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::de::DeserializeSeed as _;
use serde_json::{Map, Value};

use once::Once;

/// The members of a JSON object of which every name is known.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

/// Why a text is not the object that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Not JSON, or not UTF-8.
    #[error("not JSON: line {line}, column {column}")]
    NotJson {
        /// Line of the first fault, from 1.
        line: usize,
        /// Column of the first fault, from 1.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// Members that are there more than once, in the object or in one within it. Readers of JSON
    /// differ in which one they take (RFC 8259 §4).
    #[error("repeated field: {}", .0.join(", "))]
    Repeated(Vec<String>),
    /// Members that are not known.
    #[error("unknown field: {}", .0.join(", "))]
    Unknown(Vec<String>),
    /// A member that must be there.
    #[error("missing field: {0}")]
    Missing(&'static str),
    /// A member of another type.
    #[error("{field}: expected {expected}")]
    WrongType {
        /// The name of the member.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// A value, and the names that are there more than once in one of its objects.
fn read(bytes: &[u8]) -> Result<(Value, BTreeSet<String>), serde_json::Error> {
    let repeated = RefCell::new(BTreeSet::new());
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = Once(&repeated).deserialize(&mut json)?;
    json.end()?;
    Ok((value, repeated.into_inner()))
}

impl Fields {
    /// Parses an object, whatever its members.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        let read = read(bytes).or_else(|error| {
            surrogates::replace_lone(bytes).map_or(Err(error), |json| read(&json))
        });
        let (value, repeated) = read
            .map_err(|error| FieldError::NotJson { line: error.line(), column: error.column() })?;
        if !repeated.is_empty() {
            return Err(FieldError::Repeated(repeated.into_iter().collect()));
        }
        match value {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(FieldError::NotAnObject),
        }
    }

    /// Refuses members other than the known ones.
    pub fn only(&self, known: &[&str]) -> Result<(), FieldError> {
        let unknown: Vec<String> =
            self.0.keys().filter(|name| !known.contains(&name.as_str())).cloned().collect();
        if unknown.is_empty() { Ok(()) } else { Err(FieldError::Unknown(unknown)) }
    }

    /// Takes out a string. `null` counts as left out.
    pub fn optional_text(&mut self, field: &'static str) -> Result<Option<String>, FieldError> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(FieldError::WrongType { field, expected: "a string" }),
        }
    }

    /// Takes out a string that must be there.
    pub fn text(&mut self, field: &'static str) -> Result<String, FieldError> {
        self.optional_text(field)?.ok_or(FieldError::Missing(field))
    }

    /// Takes out a truth value. `null` counts as left out.
    pub fn optional_bool(&mut self, field: &'static str) -> Result<Option<bool>, FieldError> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(_) => Err(FieldError::WrongType { field, expected: "true or false" }),
        }
    }

    /// Takes out an object that must be there.
    pub fn object(&mut self, field: &'static str) -> Result<Map<String, Value>, FieldError> {
        match self.0.remove(field) {
            Some(Value::Object(members)) => Ok(members),
            None => Err(FieldError::Missing(field)),
            Some(_) => Err(FieldError::WrongType { field, expected: "an object" }),
        }
    }

    /// Takes out a list of strings that must be there.
    pub fn texts(&mut self, field: &'static str) -> Result<Vec<String>, FieldError> {
        let wrong = || FieldError::WrongType { field, expected: "a list of strings" };
        match self.0.remove(field) {
            Some(Value::Array(values)) => values
                .into_iter()
                .map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect(),
            None => Err(FieldError::Missing(field)),
            Some(_) => Err(wrong()),
        }
    }
}
