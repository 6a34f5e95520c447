//! How a service starts, is observed and stops.
