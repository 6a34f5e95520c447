//! Verifies JSON Web Tokens that Dex issued.
