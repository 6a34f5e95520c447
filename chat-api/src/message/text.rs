//! Names and contents.

use std::fmt;
use std::sync::Arc;

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Invalid;

/// Room ids are short enough for keys and metrics, and long enough for a hash or a UUID.
const ROOM_ID_MAX: usize = 64;
/// OIDC Core §2 limits `sub` to 255 characters.
const USER_ID_MAX: usize = 255;
/// A name is for display; longer ones are cut.
const USER_NAME_MAX_CHARS: usize = 128;
/// As long as a person's name: both are shown in one line.
const ROOM_NAME_MAX_CHARS: usize = 128;

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0.as_ref().to_owned()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(TextVisitor($name::parse))
            }
        }
    };
}

/// Parses a text where it stands: through a `String` each would be copied once more, and every record has
/// four of them.
struct TextVisitor<T, E>(fn(&str) -> Result<T, E>);

impl<T, E: fmt::Display> Visitor<'_> for TextVisitor<T, E> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<F: Error>(self, text: &str) -> Result<T, F> {
        (self.0)(text).map_err(F::custom)
    }
}

text_type! {
    /// The name of a room: lower-case ASCII letters, digits, `-` and `_`, at most 64 of them.
    RoomId
}

text_type! {
    /// What a room is called: 1 to 128 characters, of which one can be seen and none is a control
    /// character.
    RoomName
}

text_type! {
    /// A person: the subject of a Dex token.
    UserId
}

text_type! {
    /// The name a person is shown by.
    UserName
}

text_type! {
    /// The text of a message: not blank, at most [`Content::MAX_BYTES`], no U+0000.
    Content
}

impl RoomId {
    /// The room every signed-in person may read and write.
    pub const LOBBY: &'static str = "lobby";

    /// Parses a room id.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        let valid = (1..=ROOM_ID_MAX).contains(&text.len()) && text.bytes().all(allowed);
        if valid { Ok(Self(text.into())) } else { Err(Invalid("room id")) }
    }

    /// The public room.
    #[must_use]
    pub fn lobby() -> Self {
        Self(Self::LOBBY.into())
    }
}

impl RoomName {
    /// Parses a room's name.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let valid = text.chars().any(is_visible)
            && text.chars().count() <= ROOM_NAME_MAX_CHARS
            && !text.chars().any(char::is_control);
        if valid { Ok(Self(text.into())) } else { Err(Invalid("room name")) }
    }
}

impl UserId {
    /// Parses a user id.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let valid = (1..=USER_ID_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
        if valid { Ok(Self(text.into())) } else { Err(Invalid("user id")) }
    }
}

impl UserName {
    /// Parses a user name.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let valid = !text.trim().is_empty()
            && text.chars().count() <= USER_NAME_MAX_CHARS
            && !text.chars().any(char::is_control);
        if valid { Ok(Self(text.into())) } else { Err(Invalid("user name")) }
    }

    /// The name to show for what an identity provider calls someone: control characters are left
    /// out and long names are cut, because nobody can correct them here.
    #[must_use]
    pub fn shown(claim: Option<&str>, user_id: &UserId) -> Self {
        let shorten = |text: &str| -> String {
            text.trim().chars().filter(|c| !c.is_control()).take(USER_NAME_MAX_CHARS).collect()
        };
        let name = claim.map(shorten).filter(|name| !name.trim().is_empty());
        Self(name.unwrap_or_else(|| shorten(user_id.as_str())).into())
    }
}

/// Why a text cannot be the content of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Nothing, or nothing that can be seen.
    #[error("content is empty: it has no visible character")]
    Empty,
    /// More than [`Content::MAX_BYTES`].
    #[error("content is larger than {} bytes", Content::MAX_BYTES)]
    TooLarge,
    /// U+0000, which stores and tools along the way take for the end of the text, or half of a
    /// surrogate pair.
    #[error("content holds U+0000 or half of a surrogate pair")]
    Unstorable,
}

impl Content {
    /// 16 KiB of UTF-8.
    pub const MAX_BYTES: usize = 16 * 1024;
    /// The JSON around one, in bytes: it may write a byte of content as six (`\u0001`), and other fields
    /// take some room.
    pub const MAX_JSON_BYTES: usize = 6 * Self::MAX_BYTES + 4096;

    /// Parses what somebody wants to say: what nobody would see is not said.
    pub fn to_be_said(text: &str) -> Result<Self, ContentError> {
        let content = Self::parse(text)?;
        if text.chars().any(is_visible) { Ok(content) } else { Err(ContentError::Empty) }
    }

    /// Parses the content of a message that was said.
    pub fn parse(text: &str) -> Result<Self, ContentError> {
        if text.trim().is_empty() {
            return Err(ContentError::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(ContentError::TooLarge);
        }
        if text.contains('\0') {
            return Err(ContentError::Unstorable);
        }
        Ok(Self(text.into()))
    }
}

/// Whether a character leaves a trace on a screen: neither white space nor a control nor one that
/// Unicode says to ignore where it is not supported (UAX #44, `Default_Ignorable_Code_Point`), such as
/// U+200B, U+00AD, U+202E and variation selectors; nor a blank that is a letter or symbol by its
/// category.
fn is_visible(c: char) -> bool {
    /// BRAILLE PATTERN BLANK, and the marks around annotations.
    const BLANK: [char; 4] = ['\u{2800}', '\u{fff9}', '\u{fffa}', '\u{fffb}'];
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    !c.is_whitespace() && !c.is_control() && !ignorable.contains(c) && !BLANK.contains(&c)
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
