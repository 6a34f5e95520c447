//! The way to an issuer and back, as a service takes it. The issuer is one of ours, which makes tokens that Dex would not
//! make; with Dex itself `e2e` goes the way.
#![expect(clippy::disallowed_methods, reason = "tests are the outermost layer")]

mod answers;
mod flows;
mod setup;
mod tokens;
