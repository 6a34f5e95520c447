//! Limits of attempts per network and per name, held by each replica for itself.
