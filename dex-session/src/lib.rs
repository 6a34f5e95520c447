//! Signs people in at Dex for a service of ours, a confidential client: authorization code with PKCE (RFC 6749, RFC 7636,
//! OIDC Core 1.0), by crate `openidconnect`.
//!
//! [`SignIn::begin`] says where to send a browser, and what it has to bring back: the sealed [flow](ReturnPath) of a cookie.
//! [`SignIn::finish`] checks what it came back with. What browsers hold for us is sealed by a [`Sealer`], whose keys can be
//! replaced without signing anybody out, and comes in [cookies](CookieName) that are read strictly.
//!
//! Nothing is stored here, and nothing read that is not handed in: time and randomness are [`Sources`].
//!
//! [`Sources`]: service_process::sources::Sources

mod cookie;
mod error;
mod flow;
mod http;
mod seal;
mod sign_in;

pub use cookie::{BadCookie, CookieName, MAX_COOKIE_BYTES};
pub use error::SignInError;
pub use flow::{FLOW_LIFE, ReturnPath};
pub use http::DexError;
pub use seal::{Binding, InvalidSealKeys, Sealer};
pub use sign_in::{Begun, ClientSettings, InvalidClient, SignIn, SignedIn};
