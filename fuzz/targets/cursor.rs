#![no_main]

#[path = "../../chat-api/tests/it/properties.rs"]
#[expect(dead_code, reason = "each target has one of the properties")]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| properties::cursor(text));
