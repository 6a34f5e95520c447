//! Starts the real servers for local use and for tests.
