//! Why a session ends.

use std::io::ErrorKind;

use tokio::time::error::Elapsed;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::sockets::SocketCommand;
use crate::ws::close::Close;
use crate::ws::frame::Inbound;
use crate::ws::socket::TooManyFrames;

/// Why a session ends.
pub(super) enum End {
    /// This side closes, with a reason for people.
    Close(Close, String),
    /// The other side closed, or is gone.
    Gone,
}

impl End {
    pub(super) fn bad_frame(reason: &str) -> Self {
        Self::Close(Close::BadFrame, reason.to_owned())
    }

    pub(super) fn of_command(command: SocketCommand) -> Self {
        let (close, reason) = match command {
            SocketCommand::Resync => {
                (Close::Resync, "this replica lost its place: go on by cursor")
            }
            SocketCommand::Drain => (Close::Drain, "this replica is leaving"),
            SocketCommand::Replace => {
                (Close::Replaced, "too many sockets of one person: this was the oldest")
            }
        };
        Self::Close(close, reason.to_owned())
    }

    fn slow() -> Self {
        Self::Close(Close::Slow, "nothing was taken for too long".to_owned())
    }

    /// Its label in the metric: the close code, or `gone`.
    pub(super) fn code(&self) -> String {
        match self {
            Self::Close(close, _) => close.code().to_string(),
            Self::Gone => "gone".to_owned(),
        }
    }
}

/// What a write with a limit in time means for the session.
pub(super) fn written(written: &Result<Result<(), Error>, Elapsed>) -> Result<(), End> {
    match written {
        Ok(Ok(())) => Ok(()),
        // The connection has the same limit.
        Ok(Err(Error::Io(error))) if error.kind() == ErrorKind::TimedOut => Err(End::slow()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::slow()),
    }
}

/// What came in, as a frame of ours; `None` for what the protocol itself sees to.
pub(super) fn understand(message: Option<Result<Message, Error>>) -> Result<Option<Inbound>, End> {
    match message {
        Some(Ok(Message::Text(text))) => {
            Inbound::parse(&text).map(Some).map_err(|error| End::bad_frame(&error.to_string()))
        }
        Some(Ok(Message::Binary(_))) => Err(End::bad_frame("binary frames are not spoken here")),
        // A frame by itself is never read.
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
        None | Some(Ok(Message::Close(_))) => Err(End::Gone),
        Some(Err(error)) => Err(of_read_error(&error)),
    }
}

fn of_read_error(error: &Error) -> End {
    match error {
        Error::Capacity(_) => {
            End::Close(Close::TooLarge, "a frame holds 100 KiB at most".to_owned())
        }
        Error::Io(error) if matches!(error.get_ref(), Some(cause) if cause.is::<TooManyFrames>()) => {
            End::Close(Close::Rate, TooManyFrames.to_string())
        }
        Error::Io(error) if error.kind() == ErrorKind::TimedOut => End::slow(),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Gone,
        Error::Utf8(_) | Error::Protocol(_) => {
            End::bad_frame("not a text frame of RFC 6455 without extensions")
        }
        _ => End::Gone,
    }
}
