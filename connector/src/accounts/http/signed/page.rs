//! Which pages there are for who is signed in.

/// Where people sign in.
pub(super) const SIGN_IN: &str = "/accounts/sign-in";

/// A page of who is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Profile,
    Password,
    Email,
    Activity,
    Close,
}

impl Page {
    /// All, in the order in which they are shown.
    pub(super) const ALL: [Self; 5] =
        [Self::Profile, Self::Password, Self::Email, Self::Activity, Self::Close];

    /// The page at a path.
    pub(super) fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.path() == path)
    }

    /// Where it is.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Profile => "/accounts/profile",
            Self::Password => "/accounts/password",
            Self::Email => "/accounts/email",
            Self::Activity => "/accounts/activity",
            Self::Close => "/accounts/close",
        }
    }
}
