use std::collections::HashSet;

use super::*;

fn key(fill: u8) -> CodeKey {
    CodeKey::parse(&crate::keys::encode(&[fill; 32])).expect("a key")
}

fn number(flow: u128, number: i32) -> CodeNumber {
    CodeNumber { flow: Uuid::from_u128(flow), number }
}

#[test]
fn a_code_is_of_its_key_its_flow_and_its_number_and_always_the_same() {
    let code = key(1).code(number(7, 1));
    assert!(code.is(&key(1).code(number(7, 1))));
    for other in [key(2).code(number(7, 1)), key(1).code(number(8, 1)), key(1).code(number(7, 2))] {
        assert!(!code.is(&other));
    }
    assert_eq!(format!("{code:?}"), "Code(…)");
}

#[test]
fn codes_use_all_symbols_in_every_place() {
    let mut seen: [HashSet<u8>; 8] = Default::default();
    for n in 0..2_000 {
        for (place, symbol) in seen.iter_mut().zip(key(1).code(number(1, n)).0) {
            place.insert(symbol);
        }
    }
    for place in seen {
        assert_eq!(place.len(), SYMBOLS.len());
    }
}

#[test]
fn a_code_is_understood_however_it_is_typed_and_nothing_else_is() {
    let code: Code = Symbols(*b"0123ABYZ");
    assert_eq!(code.expose(), "0123-ABYZ");
    for typed in ["0123-ABYZ", "0123abyz", " 0 1 2 3 - a b y z ", "oL23-abyz", "OI23ABYZ"] {
        assert!(Code::parse(typed).expect(typed).is(&code), "{typed}");
    }
    for typed in ["", "0123ABY", "0123ABYZ0", "0123ABYU", "0123ABY\u{416}", "0123/ABY"] {
        assert!(Code::parse(typed).is_err(), "{typed}");
    }
}

#[test]
fn an_inbox_is_one_whatever_follows_a_plus() {
    let inbox = |address| key(1).inbox(address);
    assert_eq!(inbox("ada+chat@example.com"), inbox("ada@example.com"));
    assert_eq!(inbox("ada+a+b@example.com"), inbox("ada@example.com"));
    assert_ne!(inbox("ada@example.org"), inbox("ada@example.com"));
    assert_ne!(inbox("+ada@example.com"), inbox("+bob@example.com"), "there is nothing before it");
    assert_ne!(inbox("ad@aexample.com"), inbox("ada@example.com"));
}

#[test]
fn a_code_is_the_first_bits_of_its_mac_and_an_invitation_s_is_longer() {
    let mut mac = [0xff; 32];
    mac[..5].copy_from_slice(&[0b0000_0000, 0b0100_0100, 0b0011_0010, 0b0001_0100, 0b1100_0111]);
    assert_eq!(Code::of_mac(&mac).expose(), "0123-4567");
    let code = key(1).invitation(Uuid::from_u128(7));
    let shown = code.expose();
    assert_eq!(shown.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4, 4, 4, 4, 2]);
    let typed = InvitationCode::parse(&shown.to_lowercase()).expect("it is one");
    assert!(typed.is(&code));
    assert_eq!(typed.hash(), code.hash());
    assert_ne!(key(1).invitation(Uuid::from_u128(8)).hash(), code.hash());
    assert_ne!(key(2).invitation(Uuid::from_u128(7)).hash(), code.hash());
}

#[test]
fn a_ticket_is_of_its_key_and_its_flow_has_256_bits_and_is_not_shown() {
    let token = |fill: u8| FlowToken::of_mac(&[fill; 32]);
    let ticket = key(1).ticket(&token(7));
    assert_eq!(ticket.hash(), key(1).ticket(&token(7)).hash());
    for other in [key(2).ticket(&token(7)), key(1).ticket(&token(8))] {
        assert_ne!(ticket.hash(), other.hash());
    }
    let bits = ticket.expose().strip_prefix(crate::password::TICKET_PREFIX).expect("a prefix");
    assert_eq!(bits.len(), 43, "32 bytes as base64url");
    assert_ne!(key(1).proved(&token(7)).expose(), bits[..27], "it tells nothing of the next token");
    assert!(!format!("{ticket:?}").contains(bits));
}
