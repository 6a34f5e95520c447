//! A mail's words, as plain text and as HTML.

use super::language::Language;

/// A mail's words: without anything that was typed, and without any secret but a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The language that it is in.
    pub language: Language,
    /// What it is about, on one line.
    pub subject: String,
    /// What it says.
    pub paragraphs: Vec<String>,
}

impl Letter {
    /// As plain text.
    #[must_use]
    pub fn text(&self) -> String {
        self.paragraphs.join("\n\n") + "\n"
    }

    /// As a page that says the same and loads nothing.
    #[must_use]
    pub fn html(&self) -> String {
        let (tag, title) = (self.language.tag(), escaped(&self.subject));
        let mut paragraphs = String::new();
        for text in &self.paragraphs {
            paragraphs.extend(["<p>", &escaped(text), "</p>\n"]);
        }
        format!(
            "<!doctype html>\n<html lang=\"{tag}\">\n<head><meta charset=\"utf-8\">\
             <title>{title}</title></head>\n\
             <body style=\"font-family: sans-serif; line-height: 1.5; max-width: 36em\">\n\
             {paragraphs}</body>\n</html>\n"
        )
    }
}

/// Text in HTML, also within an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
#[path = "letter_tests.rs"]
mod tests;
