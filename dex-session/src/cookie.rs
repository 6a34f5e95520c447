//! Cookies that no script, no other host and no plain connection gets to see, and how they are read.

use chrono::TimeDelta;
use http::{HeaderMap, HeaderValue, header};
use thiserror::Error;

/// The longest value that is read. What is sealed here has less than 1 KiB, and browsers keep no cookie of more than
/// 4 KiB with its name (RFC 6265bis §5.5).
pub const MAX_COOKIE_BYTES: usize = 4096;

/// What names begin with, for browsers to take the cookie only over TLS (or on localhost), for this host and all its paths,
/// from an answer and not from a script. Those that do not know it know its beginning, `__Host-` (RFC 6265bis §4.1.3).
const PREFIX: &[u8] = b"__Host-Http-";

/// The name of a cookie that begins with `__Host-Http-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CookieName(&'static str);

/// A cookie that is not one of ours. It is as good as none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadCookie {
    /// There are two of the name: one of them is somebody else's.
    #[error("it came twice")]
    Twice,
    /// Its value has more than [`MAX_COOKIE_BYTES`] bytes.
    #[error("it is too long")]
    TooLong,
    /// Its value has other characters than base64url and a dot, or none.
    #[error("it has characters that none of ours has")]
    Characters,
}

impl CookieName {
    /// A name, which is checked when it is compiled.
    ///
    /// # Panics
    /// When it does not begin with `__Host-Http-`.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        let (bytes, mut n) = (name.as_bytes(), 0);
        assert!(bytes.len() > PREFIX.len(), "a name follows the prefix");
        while n < PREFIX.len() {
            assert!(bytes[n] == PREFIX[n], "the name begins with __Host-Http-");
            n += 1;
        }
        Self(name)
    }

    /// The value that a request brings; `None` without one. Other cookies may be whatever they are.
    pub fn read(self, headers: &HeaderMap) -> Result<Option<&str>, BadCookie> {
        let pairs = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
        let mut values =
            pairs.flat_map(|pairs| pairs.split(|byte| *byte == b';')).filter_map(|pair| {
                pair.trim_ascii().strip_prefix(self.0.as_bytes())?.strip_prefix(b"=")
            });
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(BadCookie::Twice);
        }
        if value.len() > MAX_COOKIE_BYTES {
            return Err(BadCookie::TooLong);
        }
        let is_ours = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        match str::from_utf8(value) {
            Ok(text) if !text.is_empty() && value.iter().all(is_ours) => Ok(Some(text)),
            _ => Err(BadCookie::Characters),
        }
    }

    /// Has the browser keep a value of ours for so long. `Lax`: it comes along when a link or Dex leads here from
    /// elsewhere, which `Strict` would forbid, and with no form or frame of another site.
    ///
    /// # Panics
    /// When the value has other characters than base64url and a dot.
    #[must_use]
    pub fn keep(self, value: &str, life: TimeDelta) -> HeaderValue {
        let (name, seconds) = (self.0, life.num_seconds());
        let text =
            format!("{name}={value}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Lax");
        HeaderValue::try_from(text).expect("a value of ours is base64url")
    }

    /// Has the browser forget it.
    #[must_use]
    pub fn forget(self) -> HeaderValue {
        self.keep("", TimeDelta::zero())
    }
}

#[cfg(test)]
#[path = "cookie_tests.rs"]
mod tests;
