//! Text frames as they go over the wire, made once and sent to many (RFC 6455 §5.2).
//!
//! What goes to one socket alone is framed by the protocol's implementation.

use tokio_tungstenite::tungstenite::Bytes;

/// The longest header of a frame that is not masked: two bytes, and eight of length.
const HEADER_MAX: usize = 10;
/// A whole message in one frame of text.
const FINAL_TEXT: u8 = 0x81;

/// A text in one frame, not masked, as servers send it. `write` appends the text, of about so many bytes, to
/// what it is given.
#[must_use]
pub(crate) fn framed(about: usize, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut frame = Vec::with_capacity(HEADER_MAX + about);
    // The text goes behind the longest header, so that the real one can stand right before it.
    frame.resize(HEADER_MAX, 0);
    write(&mut frame);
    let length = frame.len() - HEADER_MAX;
    let begin = if let Ok(length @ 0..126) = u8::try_from(length) {
        frame[9] = length;
        8
    } else if let Ok(length) = u16::try_from(length) {
        frame[7] = 126;
        frame[8..10].copy_from_slice(&length.to_be_bytes());
        6
    } else {
        frame[1] = 127;
        frame[2..10].copy_from_slice(&(length as u64).to_be_bytes());
        0
    };
    frame[begin] = FINAL_TEXT;
    Bytes::from(frame).slice(begin..)
}

/// The text of a frame that [`framed`] made.
#[must_use]
pub(crate) fn text(frame: &[u8]) -> Option<&[u8]> {
    let header = match frame.get(1)? {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    frame.get(header..)
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
