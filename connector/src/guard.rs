//! What stands before an account: charges, lockout, known networks.
