//! Why a socket is closed.

use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// RFC 6455 §5.5: a control frame carries 125 bytes, two of them the code.
const REASON_MAX: usize = 123;

/// Close codes. After 4001 to 4499 a client comes back by itself; after 4500 and above it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// This replica is leaving.
    Drain,
    /// Nothing was read for too long.
    Slow,
    /// This replica lost its place in the log.
    Resync,
    /// No answer to a ping.
    NoPong,
    /// Too many frames.
    Rate,
    /// The token has expired.
    Expired,
    /// The token does not pass.
    BadToken,
    /// A frame that cannot be understood.
    BadFrame,
    /// No token in time.
    AuthTimeout,
    /// The same person opened too many others.
    Replaced,
    /// A frame or message over the limit (RFC 6455 §7.4.1).
    TooLarge,
    /// The issuer's keys are not available now (1013: try again later).
    TryAgainLater,
}

impl Close {
    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Drain => 4001,
            Self::Slow => 4008,
            Self::Resync => 4010,
            Self::NoPong => 4012,
            Self::Rate => 4029,
            Self::Expired => 4401,
            Self::BadToken => 4500,
            Self::BadFrame => 4501,
            Self::AuthTimeout => 4502,
            Self::Replaced => 4504,
            Self::TooLarge => 1009,
            Self::TryAgainLater => 1013,
        }
    }

    /// The frame to send, with a reason for people.
    #[must_use]
    pub fn frame(self, reason: &str) -> CloseFrame {
        let end = reason.floor_char_boundary(REASON_MAX);
        CloseFrame { code: self.code().into(), reason: reason[..end].into() }
    }
}
