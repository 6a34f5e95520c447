//! What a seed file says. A row is read as a list of fields, so that one thing that is wrong with it
//! hides neither the next one nor those of other rows.

use std::borrow::Cow;
use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_yaml_ng::Value;
use service_process::input;
use thiserror::Error;

/// The fields of an account.
const FIELDS: [&str; 9] = [
    "id",
    "username",
    "email",
    "email_verified",
    "full_name",
    "is_active",
    "groups",
    "password",
    "password_hash",
];

/// What a row of the file does wrong. Never repeats a password or a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// The row, counted from 1.
    pub row: usize,
    /// The field, or where it stands if it is none.
    pub field: Cow<'static, str>,
    /// What is wrong with it, as the end of a sentence.
    pub reason: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}: {} {}", self.row, self.field, self.reason)
    }
}

/// A file that is not the YAML that is expected. The text says where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the seed file is not usable: {0}")]
pub struct InvalidFile(String);

/// A field and what is wrong with it.
pub(super) type Fault = (Cow<'static, str>, String);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    users: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Item {
    Fields(Fields),
    Other(IgnoredAny),
}

/// All that stands in a row, in its order, also what stands there twice.
struct Fields(Vec<(Value, Value)>);

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fields({})", self.0.len())
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the fields of an account")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// The rows of a file.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, InvalidFile> {
    let file: File = serde_yaml_ng::from_str(input::without_byte_order_mark(text))
        .map_err(|error| InvalidFile(reason(&error)))?;
    Ok(file.users.into_iter().map(Row::of).collect())
}

/// One row. What is taken out of it is of its type; what is not is a fault.
#[derive(Default)]
pub(super) struct Row {
    values: Vec<(&'static str, Value)>,
    /// All that is wrong with it.
    pub(super) faults: Vec<Fault>,
}

impl Row {
    fn of(item: Item) -> Self {
        let mut row = Self::default();
        let Item::Fields(Fields(fields)) = item else {
            row.fault("username", "is missing: a row is a list of fields");
            return row;
        };
        for (place, (name, value)) in fields.into_iter().enumerate() {
            let known = name.as_str().and_then(|name| FIELDS.into_iter().find(|it| *it == name));
            let Some(field) = known else {
                row.faults
                    .push((shown(&name, &value, place), "is no field of an account".to_owned()));
                continue;
            };
            if row.values.iter().any(|(earlier, _)| *earlier == field) {
                row.fault(field, "is there more than once");
            } else {
                row.values.push((field, value));
            }
        }
        row
    }

    pub(super) fn fault(&mut self, field: &'static str, reason: impl Into<String>) {
        self.faults.push((field.into(), reason.into()));
    }

    /// A field without a value is as one that is not there.
    fn take(&mut self, field: &str) -> Option<Value> {
        let place = self.values.iter().position(|(name, _)| *name == field)?;
        Some(self.values.swap_remove(place).1).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, field: &'static str) -> Option<String> {
        match self.take(field)? {
            Value::String(text) => Some(text),
            Value::Bool(_) | Value::Number(_) => {
                self.fault(field, "must be text: put it between quotes");
                None
            }
            _ => {
                self.fault(field, "must be text");
                None
            }
        }
    }

    pub(super) fn secret(&mut self, field: &'static str) -> Option<SecretString> {
        self.text(field).map(Into::into)
    }

    pub(super) fn switch(&mut self, field: &'static str) -> Option<bool> {
        let value = self.take(field)?;
        if value.as_bool().is_none() {
            self.fault(field, "must be true or false");
        }
        value.as_bool()
    }

    pub(super) fn list(&mut self, field: &'static str) -> Vec<String> {
        let Some(value) = self.take(field) else { return Vec::new() };
        let Value::Sequence(values) = value else {
            self.fault(field, "must be a list, such as [staff, editors]");
            return Vec::new();
        };
        let texts: Option<Vec<String>> =
            values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        if texts.is_none() {
            self.fault(field, "must be a list of texts: put them between quotes");
        }
        texts.unwrap_or_default()
    }
}

/// What a field is called that is none. Where a blank or a colon is missing, a password can stand
/// where a name should: so only what has a value and can be a name is repeated.
fn shown(name: &Value, value: &Value, place: usize) -> Cow<'static, str> {
    let name = name.as_str().filter(|name| !value.is_null() && can_be_a_field(name));
    name.map_or_else(|| format!("field {}", place + 1).into(), |name| name.to_owned().into())
}

fn can_be_a_field(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// What the parser says, without what may be a password.
fn reason(error: &serde_yaml_ng::Error) -> String {
    let message = error.to_string();
    let Some(row) = way_into_a_row(&message) else { return without_values(&message) };
    let place = error.location();
    let place = place.map(|at| format!(" at line {} column {}", at.line(), at.column()));
    format!("{row}: a value cannot be read{}", place.unwrap_or_default())
}

/// The row, such as `users[0]`, of a message that begins with the way to something in it. The names on that
/// way are in no quotes and may hold anything, so nobody can tell where it ends.
fn way_into_a_row(message: &str) -> Option<&str> {
    let (row, rest) = message.split_at(message.find(']')? + 1);
    let number = row.strip_prefix("users[")?.strip_suffix(']')?;
    let is_row = number.bytes().all(|digit| digit.is_ascii_digit());
    (is_row && !rest.starts_with(": ")).then_some(row)
}

/// The parser quotes what it did not expect, and that may be a password: values between double
/// quotes, numbers and names of fields between backticks. Only what can be a field's name stays.
fn without_values(message: &str) -> String {
    let (mut shown, mut rest) = (String::new(), message);
    while let Some((before, quoted)) = rest.find(['"', '`']).map(|at| rest.split_at(at)) {
        let quote = if quoted.starts_with('"') { '"' } else { '`' };
        let end = closing(&quoted[1..], quote);
        let (inside, after) = quoted[1..].split_at(end);
        let kept = if quote == '`' && can_be_a_field(inside) { inside } else { "…" };
        shown.extend([before, kept]);
        rest = after.get(1..).unwrap_or_default();
    }
    shown + rest
}

/// Where the quotation ends. Between double quotes a backslash comes before those that do not.
fn closing(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let ends = |(_, c): &(usize, char)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && quote == '"' && !escaped;
        ends
    };
    text.char_indices().find(ends).map_or(text.len(), |(at, _)| at)
}
