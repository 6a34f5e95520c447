//! The role `accounts`: the pages people see to their account on.
