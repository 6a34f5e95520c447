//! Value parsers that options of both services share.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command, Error};

/// The parser of one item of a list that is separated by commas: white space around it does not
/// count, so that `a, b` is what `a,b` is.
#[derive(Debug, Clone)]
pub struct Item<P>(P);

/// Parses each item of a list with `parser`; see [`Item`].
pub fn item<P: TypedValueParser>(parser: P) -> Item<P> {
    Item(parser)
}

impl<P: TypedValueParser> TypedValueParser for Item<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<P::Value, Error> {
        let trimmed = value.to_str().map_or(value, |text| OsStr::new(text.trim()));
        self.0.parse_ref(command, argument, trimmed)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}
