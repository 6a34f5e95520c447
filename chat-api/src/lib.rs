//! A chat backend whose only way in is the log.
