//! Why a session ends.

use axum::extract::ws::Message;
use tokio::time::error::Elapsed;
use tokio_tungstenite::tungstenite;

use crate::sockets::Order;
use crate::ws::close::Close;
use crate::ws::frame::Inbound;

/// Why a session ends.
pub(super) enum End {
    /// We close.
    Close(Close, String),
    /// The other side closed, or is gone.
    Gone,
}

impl End {
    pub(super) fn bad_frame(reason: &str) -> Self {
        Self::Close(Close::BadFrame, reason.to_owned())
    }

    pub(super) fn of_order(order: Order) -> Self {
        let (close, reason) = match order {
            Order::Resync => (Close::Resync, "this replica lost its place: go on by cursor"),
            Order::Drain => (Close::Drain, "this replica is leaving"),
            Order::Replace => {
                (Close::Replaced, "too many sockets of one person: this was the oldest")
            }
        };
        Self::Close(close, reason.to_owned())
    }

    /// For the metric.
    pub(super) fn code(&self) -> String {
        match self {
            Self::Close(close, _) => close.code().to_string(),
            Self::Gone => "gone".to_owned(),
        }
    }
}

/// What a write that was waited for comes to.
pub(super) fn written<E>(written: &Result<Result<(), E>, Elapsed>) -> Result<(), End> {
    match written {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Close(Close::Slow, "nothing was read for too long".to_owned())),
    }
}

/// What came in, as a frame of ours; `None` for what the protocol itself sees to.
pub(super) fn understand(
    message: Option<Result<Message, axum::Error>>,
) -> Result<Option<Inbound>, End> {
    match message {
        Some(Ok(Message::Text(text))) => {
            Inbound::parse(&text).map(Some).map_err(|error| End::bad_frame(&error.to_string()))
        }
        Some(Ok(Message::Binary(_))) => Err(End::bad_frame("binary frames are not spoken here")),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        None | Some(Ok(Message::Close(_))) => Err(End::Gone),
        Some(Err(error)) => Err(of_read_error(error)),
    }
}

fn of_read_error(error: axum::Error) -> End {
    use tungstenite::Error;
    use tungstenite::error::ProtocolError;
    match error.into_inner().downcast_ref::<Error>() {
        Some(Error::Capacity(_)) => {
            End::Close(Close::TooLarge, "a frame holds 64 KiB at most".to_owned())
        }
        None | Some(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => End::Gone,
        Some(Error::Utf8(_) | Error::Protocol(_)) => {
            End::bad_frame("not a text frame of RFC 6455 without extensions")
        }
        _ => End::Gone,
    }
}
