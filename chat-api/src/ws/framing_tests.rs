use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

use super::*;

/// What tungstenite makes of the same text.
fn of_tungstenite(text: &str) -> Vec<u8> {
    let mut socket = WebSocket::from_raw_socket(std::io::Cursor::new(vec![]), Role::Server, None);
    socket.send(Message::text(text)).unwrap();
    socket.into_inner().into_inner()
}

#[test]
fn a_frame_is_that_of_the_protocols_implementation_at_each_form_of_its_length() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
        let text = "x".repeat(length);
        let frame = framed(text.len(), |frame| frame.extend(text.as_bytes()));
        assert!(frame == of_tungstenite(&text), "{length}");
    }
}
