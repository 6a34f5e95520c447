//! Value parsers that options of both services share.

use std::ffi::OsStr;
use std::num::NonZeroU32;

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

/// The parser of a number from 1 to `most`, for a limit that cannot be switched off: beyond `most` it
/// would be none any more, so more is a slip.
#[must_use]
pub fn up_to(most: u32) -> impl TypedValueParser<Value = NonZeroU32> {
    clap::value_parser!(u32).range(1..=i64::from(most)).try_map(NonZeroU32::try_from)
}
