//! Texts that people hand over in files and at standard input.

/// A text without the byte order mark (U+FEFF) that some editors and shells begin it with. To a parser it
/// would be content.
#[must_use]
pub fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
