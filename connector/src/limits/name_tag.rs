//! A name in tables that hold millions of them.

use crate::keys::NameKey;

/// What the tables know of a name. Eight bytes of a keyed MAC: that one of a million names shares
/// them with a given other has a chance of 10⁶ / 2⁶⁴, without the key nobody can look for such a
/// pair, and all it would share is a rate.
pub(super) type NameTag = [u8; 8];

pub(super) fn tag(name_key: &NameKey) -> NameTag {
    std::array::from_fn(|index| name_key.as_bytes()[index])
}
