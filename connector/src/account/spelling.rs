//! Which spellings are one name, and which a new name must not have.
//!
//! A name that is typed is folded as far as it can mean one account only (Unicode's `NFKC_Casefold`).
//! A name that is given to an account is held to more (UTS #39, "Unicode Security Mechanisms"): what is
//! looked at is what is stored and shown.

use caseless::Caseless as _;
use icu_properties::CodePointSetData;
use icu_properties::props::{
    BidiControl, DefaultIgnorableCodePoint, EnumeratedProperty as _, GeneralCategory,
    GeneralCategoryGroup,
};
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;
use unicode_security::mixed_script::AugmentedScriptSet;

/// Why a name cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidName {
    /// Nothing that shows.
    #[error("must not be empty")]
    Empty,
    /// Longer than [`MAX_NAME_BYTES`](super::MAX_NAME_BYTES), before or after normalisation.
    #[error("must not be longer than 254 bytes")]
    TooLong,
    /// A control character, NUL among them.
    #[error("must not contain control characters")]
    ControlCharacter,
    /// A user name that could be taken for an address.
    #[error("must not contain @")]
    AtSign,
    /// A mark that turns the direction of writing, or in a new name any character that does not show
    /// or has no meaning.
    #[error("must not contain invisible characters")]
    Invisible,
    /// A new name with letters of scripts that are not written together, such as a Cyrillic `а` among
    /// Latin letters.
    #[error("must not mix scripts that are not written together")]
    MixedScripts,
    /// An address without exactly one `@` between a non-empty part and a domain, or with white space.
    #[error("must be an e-mail address")]
    NotAnAddress,
}

/// U+2800, the one symbol that shows nothing.
const BLANK_BRAILLE: char = '\u{2800}';

/// Whether a mark in it turns the direction of writing: it makes a name look like another one, and turns what
/// is shown after it.
pub(super) fn turns(text: &str) -> bool {
    let turning = CodePointSetData::new::<BidiControl>();
    text.chars().any(|c| turning.contains(c))
}

/// What was typed without what does not show, in one form of each character.
pub(super) fn plain(text: &str) -> Result<String, InvalidName> {
    if turns(text) {
        return Err(InvalidName::Invisible);
    }
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let shown: String = text.chars().filter(|c| !ignorable.contains(*c)).collect();
    Ok(shown.trim().nfkc().collect())
}

/// The one spelling of all that differ in case only.
pub(super) fn folded(plain: &str) -> String {
    // Folding can undo NFKC and the other way round; after the second pass nothing moves any more.
    plain.chars().default_case_fold().nfkc().default_case_fold().nfkc().collect()
}

/// The one form of a domain that mail servers know it by: lower case, labels of other scripts as
/// A-labels (RFC 5890 §2.3.2.1, UTS #46).
pub(super) fn ascii_domain(plain: &str) -> Result<String, InvalidName> {
    Uts46::new()
        .to_ascii(plain.as_bytes(), AsciiDenyList::URL, Hyphens::Allow, DnsLength::Verify)
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| InvalidName::NotAnAddress)
}

/// Whether all of a name that is given to an account shows, as it was typed: what does not is gone from
/// its [`plain`] form.
pub(super) fn check_shown(typed: &str) -> Result<(), InvalidName> {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let category = |c: char| GeneralCategory::for_char(c);
    // Controls, marks of formatting, private and unassigned characters: nobody sees which they are.
    let hidden =
        |c: char| ignorable.contains(c) || GeneralCategoryGroup::Other.contains(category(c));
    if typed.chars().any(char::is_control) {
        return Err(InvalidName::ControlCharacter);
    }
    if typed.chars().any(hidden) { Err(InvalidName::Invisible) } else { Ok(()) }
}

/// Whether a name may be given to an account, as it is written.
pub(super) fn check_new(written: &str) -> Result<(), InvalidName> {
    check_shown(written)?;
    let mark = |c: char| GeneralCategoryGroup::Mark.contains(GeneralCategory::for_char(c));
    let blank = |c: char| c.is_whitespace() || c == BLANK_BRAILLE || mark(c);
    if written.chars().all(blank) {
        return Err(InvalidName::Empty);
    }
    if mixes_scripts(written) { Err(InvalidName::MixedScripts) } else { Ok(()) }
}

/// Whether letters of several scripts stand beside each other that are not written together: the level
/// "highly restrictive" of UTS #39 §5.2 lets through one script, and Latin beside Chinese, Japanese or
/// Korean.
fn mixes_scripts(text: &str) -> bool {
    if !AugmentedScriptSet::for_str(text).is_empty() {
        return false;
    }
    let latin = AugmentedScriptSet::for_char('a');
    let mut others = AugmentedScriptSet::default();
    for of_char in text.chars().map(AugmentedScriptSet::for_char) {
        let mut shared = of_char;
        shared.intersect_with(latin);
        if shared.is_empty() {
            others.intersect_with(of_char);
        }
    }
    !(others.hanb || others.jpan || others.kore)
}
