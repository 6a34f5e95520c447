use super::*;

/// 32 bytes of 7, in base64.
const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

#[test]
fn a_key_is_base64_of_at_least_32_bytes() {
    for text in [KEY, &format!(" {KEY}\n"), KEY.trim_end_matches('=')] {
        assert!(MacKey::parse(text).is_ok(), "{text}");
    }
    for (text, reason) in [
        ("", InvalidKey::Length),
        ("BwcH", InvalidKey::Length),
        (&KEY[4..], InvalidKey::Length),
        ("not base64!", InvalidKey::Encoding),
        (&KEY.replacen('w', "_", 1), InvalidKey::Encoding),
        (&KEY.replacen('w', "\n", 1), InvalidKey::Encoding),
    ] {
        assert_eq!(MacKey::parse(text).map(|_| ()), Err(reason), "{text}");
    }
}

#[test]
fn the_code_is_hmac_sha_256_of_the_length_and_the_bytes_of_each_part() {
    // Python: hmac.new(bytes([7]) * 32, b"".join(len(p).to_bytes(8, "big") + p
    //         for p in (b"name", b"alice", b"")), "sha256").hexdigest()
    let expected = "97e3940ec5d08350fc4cb5b7bf77e09cdaa22e5bc08dbfe8d94b68799ed82cac";
    let code = MacKey::parse(KEY).unwrap().mac("name", &[b"alice", b""]);
    assert_eq!(code.map(|byte| format!("{byte:02x}")).concat(), expected);
}

#[test]
fn parts_do_not_run_together_and_purposes_do_not_mix() {
    let key = MacKey::parse(KEY).unwrap();
    let codes = [
        key.mac("name", &[b"ab", b"c"]),
        key.mac("name", &[b"a", b"bc"]),
        key.mac("name", &[b"abc"]),
        key.mac("name", &[b"abc", b""]),
        key.mac("namea", &[b"bc"]),
        key.mac("password", &[b"abc"]),
        MacKey::parse(&KEY.replacen("BwcH", "BwcI", 1)).unwrap().mac("name", &[b"abc"]),
    ];
    for (index, code) in codes.iter().enumerate() {
        assert!(!codes[..index].contains(code), "{index}");
    }
}

#[test]
fn a_key_is_never_shown() {
    let shown = format!("{:?}", MacKey::parse(KEY).unwrap());
    assert!(!shown.contains('7') && !shown.contains("Bwc"), "{shown}");
}
