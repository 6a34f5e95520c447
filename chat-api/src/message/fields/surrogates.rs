//! Lone surrogates in JSON: halves of characters.

/// JSON with U+0000 for each lone surrogate, if there is one. Programs that cut a text in two write
/// such halves of a pair (`"\ud83d"`), JSON allows them (RFC 8259 §8.2), and no text can hold them.
/// No field may hold U+0000 either: so whoever checks the field refuses it by its name, and the rest
/// is read.
pub(super) fn replace_lone(json: &[u8]) -> Option<Vec<u8>> {
    let mut mended = None;
    let mut at = 0;
    while at < json.len() {
        if json[at] != b'\\' {
            at += 1;
            continue;
        }
        at += match (unit(json, at), unit(json, at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                let mended = mended.get_or_insert_with(|| json.to_vec());
                mended[at..at + 6].copy_from_slice(b"\\u0000");
                6
            }
            // Whatever is escaped, it is no backslash that begins an escape.
            _ => 2,
        };
    }
    mended
}

/// The code unit of the escape that begins there, if one of four digits does.
fn unit(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits).ok()?;
    u16::from_str_radix(digits, 16).ok()
}
