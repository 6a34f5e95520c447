use super::*;

const WORDS: [&str; 2] = ["ada@lovelace.example", "Ada Lovelace"];

#[test]
fn what_everybody_tries_is_common_however_long_it_is() {
    for password in [
        "password",
        "passwordpassword",
        "Password1234567",
        "123456789012345",
        "aaaaaaaaaaaaaaa",
        "qwertyuiopqwertyuiop",
        "iloveyouiloveyou",
        "Ada Lovelace",
        &"x".repeat(1024),
    ] {
        assert!(is_common(password, &WORDS), "{password}");
    }
}

#[test]
fn a_sentence_of_one_s_own_is_not() {
    for password in [
        "an engine that weaves",
        "correct horse battery staple",
        "fifteen letters",
        "ein Webstuhl für Zahlen",
        "織機は花を織る、機関は数を織る",
        "kV8 pQ2!",
    ] {
        assert!(!is_common(password, &WORDS), "{password}");
    }
    assert!(!is_common("ada lovelace wove by an engine", &WORDS));
}
