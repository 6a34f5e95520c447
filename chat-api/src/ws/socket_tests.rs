use super::Frames;

fn frame(opcode: u8, length: usize, masked: bool) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut bytes = vec![opcode];
    match length {
        0..126 => bytes.push(mask | u8::try_from(length).unwrap()),
        126..65_536 => {
            bytes.push(mask | 0x7e);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            bytes.push(mask | 0x7f);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    // A mask and a payload that look like frames.
    bytes.resize(bytes.len() + length + if masked { 4 } else { 0 }, 0x80);
    bytes
}

#[test]
fn frames_are_counted_however_their_bytes_come() {
    let lengths = [0, 1, 125, 126, 300, 65_535, 65_536, 70_000];
    let opcodes = [0x00, 0x01, 0x80, 0x81, 0x89, 0x8a];
    let mut bytes = Vec::new();
    let mut expected = 0;
    for length in lengths {
        for opcode in opcodes {
            for masked in [true, false] {
                bytes.extend(frame(opcode, length, masked));
                expected += 1;
            }
        }
    }
    for piece in [1, 2, 3, 5, 2_048, bytes.len()] {
        let mut frames = Frames::default();
        let begun: u32 = bytes.chunks(piece).map(|piece| frames.begun(piece)).sum();
        assert_eq!(begun, expected, "in pieces of {piece}");
    }
}

#[test]
fn a_close_is_seen_among_other_frames_and_in_none_of_their_payloads() {
    let mut frames = Frames::default();
    frames.begun(&frame(0x82, 70_000, true));
    frames.begun(&[0x89, 0x08]);
    frames.begun(&[0x88; 8]);
    assert!(!frames.is_closed);
    frames.begun(&[0x88]);
    assert!(frames.is_closed);
}

#[test]
fn a_frame_counts_when_it_begins_and_the_longest_is_no_overflow() {
    let mut frames = Frames::default();
    assert_eq!(frames.begun(&[0x82]), 1);
    let mut rest = vec![0xff];
    rest.extend(u64::MAX.to_be_bytes());
    assert_eq!(frames.begun(&rest), 0);
    assert_eq!(frames.begun(&[0x80; 10_000]), 0, "all of it belongs to that frame");
}
