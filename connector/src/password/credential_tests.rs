use super::*;

/// "abc", hashed by the C library that Python uses.
const OF_ABC: &str = "$2b$10$NeHvswkKPPVP0Y3u8KYwKuc5NDBVF/LR4duYlBiUSIOEEoVvv/90W";

/// "correct horse battery staple" and "pässwörd 密碼 🔑", then 71 and 72 times "x", hashed by Go's
/// `golang.org/x/crypto/bcrypt` 0.48, PHP 8.2's `password_hash` and Apache 2.4's `htpasswd -B`.
const OF_OTHERS: [(&str, [&str; 4]); 3] = [
    (
        "Go",
        [
            "$2a$12$EYFwMxy59ifwhF3eM2PXXOFvMooXC.85UUlaqsjXOOCFP6l3cSswO",
            "$2a$10$lmOo7XRZ9HKbLUz/7Ljep.7FV0m3Izw2mNSImo7irfV9aJCddeg2S",
            "$2a$10$Dj1JiHOa05GPWw63huTOl.6cRCYmNcnjYrJfO7L.SW2sIxGutpTCu",
            "$2a$10$N8YVVN1TwF4p2mJE5O8QeOQMeWUlEfmYTHKj495Fzv2e01oNtgYqG",
        ],
    ),
    (
        "PHP",
        [
            "$2y$10$kvuuQ2qokDw6bWwjCEfbY.8Asf0Rk04KgIbKwpGsxVNaQadu0AJdC",
            "$2y$11$hJ.sTLNprQR/6Ts3zbggGePQ3x5pd2cECTusa9Awl4A8o0lx1xPj.",
            "$2y$10$.Xkdi38B2vTMEF8YcBMLxuUpXUU9BKq63OL61.kUM9XdGnGFU8WdG",
            "$2y$10$wHFQBIAtE3MbX0ZMiqjZQut5ug/COTAitQm4Awp3Sw6utkNXBNJH.",
        ],
    ),
    (
        "htpasswd",
        [
            "$2y$10$svLScjlT2iuzmD9ylqYFdegvBxNIFvSbOf2XB2NV0MxEEJMBCfVQm",
            "$2y$10$dlAXnGGFpDjFcKnKtnkfAeOImcsh2tNVgglGX7bcZiejdbZg96T.q",
            "$2y$10$78tCYAYQH4/PwJngF3wGSupZG7uBt/7pM91jJomxNLbQJPgSL4CCe",
            "$2y$10$Zfp0iZ9jWLx5k.5uBpgYkuUJx/BB4UOQqcM3.fGKDKhZ.U9P3.ro2",
        ],
    ),
];

fn import(hash: &str) -> Result<Credential, InvalidHash> {
    Credential::parse(1, hash, None)
}

#[test]
fn what_is_no_acceptable_hash_is_refused_with_its_reason() {
    assert!(import(OF_ABC).is_ok());
    for (text, reason) in [
        (String::new(), InvalidHash::Version),
        ("secret".to_owned(), InvalidHash::Version),
        (OF_ABC.replacen("$2b$", "$2x$", 1), InvalidHash::Version),
        (OF_ABC.replacen("$10$", "$09$", 1), InvalidHash::Cost),
        (OF_ABC.replacen("$10$", "$13$", 1), InvalidHash::Cost),
        (OF_ABC.replacen("$10$", "$31$", 1), InvalidHash::Cost),
        (OF_ABC.replacen("$10$", "$1x$", 1), InvalidHash::Cost),
        (OF_ABC.replacen("$10$", "$10.", 1), InvalidHash::Shape),
        (OF_ABC.replacen("NeHv", "NeH+", 1), InvalidHash::Alphabet),
        (OF_ABC[..59].to_owned(), InvalidHash::Shape),
        (format!("{OF_ABC}a"), InvalidHash::Shape),
        (format!("{}é", &OF_ABC[..58]), InvalidHash::Shape),
        // 31 characters hold two bits more than 23 bytes, 22 four more than 16: no bcrypt sets them.
        (format!("{}Z", &OF_ABC[..59]), InvalidHash::Padding),
        (OF_ABC.replacen("wKuc5", "wKvc5", 1), InvalidHash::Padding),
    ] {
        assert_eq!(import(&text), Err(reason), "{text}");
    }
}

#[test]
fn the_scheme_says_whether_there_is_a_pepper() {
    let pepper = "2026-a";
    for (scheme, pepper_id) in [(1, None), (2, Some(pepper))] {
        let credential = Credential::parse(scheme, OF_ABC, pepper_id).unwrap();
        assert_eq!(credential.scheme(), scheme);
        assert_eq!(credential.pepper_id(), pepper_id);
        assert_eq!((credential.hash(), u32::from(credential.cost())), (OF_ABC, 10));
    }
    for (scheme, pepper_id) in
        [(0, None), (1, Some(pepper)), (2, None), (2, Some("")), (2, Some("A")), (3, Some(pepper))]
    {
        let refused = Credential::parse(scheme, OF_ABC, pepper_id);
        assert_eq!(refused, Err(InvalidHash::Scheme), "{scheme} {pepper_id:?}");
    }
}

#[test]
fn all_three_notations_are_verified() {
    for version in ["$2a$", "$2b$", "$2y$"] {
        let credential = import(&OF_ABC.replacen("$2b$", version, 1)).unwrap();
        assert!(credential.is_of("abc"), "{version}");
        assert!(!credential.is_of("abd"), "{version}");
    }
}

#[test]
fn hashes_of_other_programs_are_verified() {
    let (a, b) = ("x".repeat(71), "x".repeat(72));
    let passwords = ["correct horse battery staple", "pässwörd 密碼 🔑", &a, &b];
    for (program, hashes) in OF_OTHERS {
        for (password, hash) in passwords.into_iter().zip(hashes) {
            let credential = import(hash).unwrap();
            assert!(Credential::bcrypt_reads(password), "{program} {password}");
            assert!(credential.is_of(password), "{program} {password}");
            assert!(!credential.is_of(&password[1..]), "{program} {password}");
        }
    }
}

#[test]
fn bcrypt_reads_72_bytes_up_to_a_nul() {
    for (input, whole) in [
        ("", true),
        (&*"x".repeat(72), true),
        (&"x".repeat(73), false),
        // 18 characters of 4 bytes.
        (&"🔑".repeat(18), true),
        (&"🔑".repeat(19), false),
        ("abc\0abc", false),
        ("\0", false),
    ] {
        assert_eq!(Credential::bcrypt_reads(input), whole, "{input}");
    }
}

#[test]
fn a_hash_is_never_shown() {
    let shown = format!("{:?}", import(OF_ABC).unwrap());
    assert!(!shown.contains("$2") && !shown.contains(&OF_ABC[7..]), "{shown}");
}
