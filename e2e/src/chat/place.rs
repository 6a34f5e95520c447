//! What a cursor holds. Cursors are opaque to clients: only the checker looks inside, to see whether what a
//! client got ascends.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A place in one partition of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The partition.
    pub partition: i32,
    /// The position in it; −1 is before everything.
    pub position: i64,
}

impl Place {
    /// What a cursor holds: four bytes of partition and eight of position, big endian, as base64url.
    pub fn of(cursor: &str) -> Result<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).context("a cursor is base64url")?;
        let (partition, position) = bytes.split_first_chunk().context("a cursor is too short")?;
        let position: [u8; 8] = position.try_into().context("a cursor holds twelve bytes")?;
        let place = Self {
            partition: i32::from_be_bytes(*partition),
            position: i64::from_be_bytes(position),
        };
        ensure!(place.partition >= 0 && place.position >= -1, "a cursor of no place: {place:?}");
        Ok(place)
    }

    /// The cursor of this place.
    #[must_use]
    pub fn cursor(self) -> String {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.partition.to_be_bytes());
        bytes[4..].copy_from_slice(&self.position.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_cursor_holds_partition_and_position() {
        let place = Place::of("AAAAHgAAAAAAAAAp").unwrap();
        assert_eq!(place, Place { partition: 30, position: 41 });
        assert_eq!(place.cursor(), "AAAAHgAAAAAAAAAp");
        assert_eq!(Place::of("AAAAHv__________").unwrap().position, -1);
        for forged in ["", "AAAA", "AAAAHgAAAAAAAAApAA", "f____wAAAAAAAAAA=", "________________"] {
            assert!(Place::of(forged).is_err(), "{forged}");
        }
    }
}
