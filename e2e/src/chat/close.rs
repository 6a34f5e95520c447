//! What a client does after its socket has ended: the close code decides.

/// The code of a connection that ended without one (RFC 6455, section 7.4.1).
pub const CUT: u16 = 1006;
const TRY_AGAIN_LATER: u16 = 1013;
/// The replica is leaving.
const DRAIN: u16 = 4001;

/// What follows a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Come back, at this replica or another.
    Return,
    /// Come back at another replica, if there is one.
    ReturnElsewhere,
    /// Something must be changed first.
    StayAway,
}

/// What follows a close with this code.
#[must_use]
pub fn after(code: u16) -> Then {
    match code {
        DRAIN | CUT | TRY_AGAIN_LATER => Then::ReturnElsewhere,
        4002..4500 => Then::Return,
        _ => Then::StayAway,
    }
}

#[cfg(test)]
mod tests {
    use super::{Then, after};

    #[test]
    fn the_code_decides_whether_a_client_comes_back() {
        for code in [1006, 1013, 4001] {
            assert_eq!(after(code), Then::ReturnElsewhere, "{code}");
        }
        for code in [4008, 4010, 4012, 4029, 4401, 4499] {
            assert_eq!(after(code), Then::Return, "{code}");
        }
        for code in [1000, 1002, 1009, 4500, 4501, 4502, 4503, 4504] {
            assert_eq!(after(code), Then::StayAway, "{code}");
        }
    }
}
