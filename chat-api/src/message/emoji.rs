//! One picture, as people react with.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use icu_properties::CodePointSetData;
use icu_properties::props::{Emoji as EmojiProperty, EmojiModifier, RegionalIndicator};
use serde::{Deserialize, Serialize};

use super::Invalid;

/// The longest picture that vendors draw, a kiss of two people with skin tones, has 35 bytes.
const MAX_BYTES: usize = 48;

const JOINER: char = '\u{200d}';
const AS_PICTURE: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';
const TAGS: std::ops::RangeInclusive<char> = '\u{e0020}'..='\u{e007e}';
const LAST_TAG: char = '\u{e007f}';

/// One emoji: what UTS #51 (§1.4.9) calls a possible emoji, of at most 48 bytes, so one grapheme. Digits,
/// `#` and `*` are emoji by their property; they are taken as keycaps only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Emoji(Arc<str>);

impl Emoji {
    /// Parses an emoji.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let is_one = text.len() <= MAX_BYTES && (is_flag(text) || is_joined(text));
        if is_one { Ok(Self(text.into())) } else { Err(Invalid("emoji: one picture")) }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Two letters that stand for a country.
fn is_flag(text: &str) -> bool {
    let letters = CodePointSetData::new::<RegionalIndicator>();
    text.chars().count() == 2 && text.chars().all(|c| letters.contains(c))
}

fn is_joined(text: &str) -> bool {
    let mut rest = text.chars().peekable();
    loop {
        if !takes_element(&mut rest) {
            return false;
        }
        match rest.next() {
            None => return true,
            Some(JOINER) => {}
            Some(_) => return false,
        }
    }
}

/// Whether there is an element of a sequence; takes it.
fn takes_element(rest: &mut Peekable<Chars<'_>>) -> bool {
    let letters = CodePointSetData::new::<RegionalIndicator>();
    let emoji = CodePointSetData::new::<EmojiProperty>();
    let modifiers = CodePointSetData::new::<EmojiModifier>();
    let Some(first) = rest.next().filter(|c| emoji.contains(*c) && !letters.contains(*c)) else {
        return false;
    };
    if rest.next_if(|c| modifiers.contains(*c)).is_some() {
        return true;
    }
    if rest.next_if_eq(&AS_PICTURE).is_some() {
        let is_keycap = rest.next_if_eq(&KEYCAP).is_some();
        return is_keycap == first.is_ascii();
    }
    let mut tags = 0;
    while rest.next_if(|c| TAGS.contains(c)).is_some() {
        tags += 1;
    }
    !first.is_ascii() && (tags == 0 || rest.next_if_eq(&LAST_TAG).is_some())
}

impl fmt::Display for Emoji {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<Emoji> for String {
    fn from(emoji: Emoji) -> Self {
        emoji.as_str().to_owned()
    }
}

impl TryFrom<String> for Emoji {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

#[cfg(test)]
#[path = "emoji_tests.rs"]
mod tests;
