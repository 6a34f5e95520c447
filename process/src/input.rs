//! What people hand over in files and at standard input.

/// A text without the byte order mark that some editors and shells begin it with. To everything that
/// reads a text it would be content.
#[must_use]
pub fn text(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
