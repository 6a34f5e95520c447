//! By what people are found: names however they are written, and whole addresses.

use std::fmt;

use caseless::Caseless as _;
use icu_properties::CodePointSetData;
use icu_properties::props::{
    DefaultIgnorableCodePoint, EnumeratedProperty as _, GeneralCategory, GeneralCategoryGroup,
};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Characters of a key, and of what is looked for: nobody types more of a name. It bounds the index, which has a key
/// for each word of a name.
const KEY_CHARS: usize = 64;
/// Words of a name that it is found by. A name of 128 characters has no more, unless one of them stands for words.
const WORDS: usize = 64;

/// What a name is found by: for each of its words the rest of the name from there on, folded. Every beginning of any
/// word, and of any words after another, is the beginning of one of them.
#[must_use]
pub fn name_keys(name: &str) -> Vec<String> {
    let folded = folded_words(name);
    let begins = |at: usize| at == 0 || folded.as_bytes().get(at - 1) == Some(&b' ');
    let starts = folded.char_indices().map(|(at, _)| at).filter(|at| begins(*at)).take(WORDS);
    let mut keys: Vec<String> = starts.map(|at| cut(&folded[at..])).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The beginning of a word of a name, however it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePrefix(String);

impl NamePrefix {
    /// Folds what was typed. `None` if there is nothing in it that a name could begin with.
    #[must_use]
    pub fn of(typed: &str) -> Option<Self> {
        let folded = cut(&folded_words(typed));
        (!folded.is_empty()).then_some(Self(folded))
    }

    /// The first key that begins so.
    #[must_use]
    pub fn first(&self) -> &str {
        &self.0
    }

    /// What comes behind all keys that begin so: no key has U+10FFFF, which is no character.
    #[must_use]
    pub fn behind(&self) -> String {
        format!("{}\u{10ffff}", self.0)
    }
}

/// A whole e-mail address in the one spelling that it is found by.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailKey(String);

impl EmailKey {
    /// The longest address that mail can be sent to, in bytes (RFC 5321 §4.5.3.1, erratum 1690).
    pub const MAX_BYTES: usize = 254;

    /// The spelling of an address: without what does not show, NFKC, and without case. Mail servers may tell
    /// `Ada@` from `ada@`; people do not. `None` of what is longer than an address, or has no `@`.
    #[must_use]
    pub fn parse(address: &str) -> Option<Self> {
        if address.len() > Self::MAX_BYTES || !address.contains('@') {
            return None;
        }
        let plain: String = address.trim().chars().filter(|c| shows(*c)).nfkc().collect();
        // Folding can undo NFKC and the other way round; after the second pass nothing moves any more.
        Some(Self(plain.chars().default_case_fold().nfkc().default_case_fold().nfkc().collect()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Addresses of people stay out of logs.
impl fmt::Debug for EmailKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailKey(…)")
    }
}

/// The words of a text without case and accents, one blank between two of them.
fn folded_words(text: &str) -> String {
    let bare = |c: &char| shows(*c) && !is_combining_mark(*c);
    let bare_letters = text.nfkd().filter(bare).default_case_fold().nfkd().filter(bare);
    let parted: String = bare_letters.map(|c| if parts_words(c) { ' ' } else { c }).collect();
    parted.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether a character leaves a trace: a joiner within a word, for one, is no part of it.
fn shows(c: char) -> bool {
    !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Blanks, punctuation and controls. Symbols are letters of a kind: somebody may be called by nothing else.
fn parts_words(c: char) -> bool {
    let category = GeneralCategory::for_char(c);
    [
        GeneralCategoryGroup::Separator,
        GeneralCategoryGroup::Punctuation,
        GeneralCategoryGroup::Other,
    ]
    .iter()
    .any(|group| group.contains(category))
}

fn cut(folded: &str) -> String {
    folded.chars().take(KEY_CHARS).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
