//! The search for the accounts of others.

use super::SignedIn;
use super::refusal::SignedRefusal;
use super::session::Signed;
use crate::account::{AccountId, MAX_NAME_BYTES};
use crate::audit::{Event, Origin, SearchedBy};
use crate::store::{Found, Page, Wanted};

/// The most accounts of one page.
const ACCOUNTS: u32 = 50;

/// Letters and digits in a row without which nothing is looked for: the index knows three of them at a time.
const IN_A_ROW: usize = 3;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Terms(SearchedBy, Wanted);

/// A part of what was found, in the order of ids.
#[derive(Debug, Clone)]
pub struct Searched {
    /// The accounts.
    pub accounts: Vec<Found>,
    /// After which one the next part begins, if there is more.
    pub next: Option<AccountId>,
}

impl Terms {
    /// Whose name contains this, in either case.
    pub fn name(typed: &str) -> Result<Self, SignedRefusal> {
        Ok(Self(SearchedBy::Name, Wanted::Name(part(typed)?)))
    }

    /// Whose telephone number contains this.
    pub fn phone(typed: &str) -> Result<Self, SignedRefusal> {
        Ok(Self(SearchedBy::Phone, Wanted::Phone(part(typed)?)))
    }
}

impl SignedIn {
    /// The accounts with this in them, after this one.
    pub async fn search(
        &self,
        signed: &Signed,
        Terms(by, wanted): Terms,
        after: Option<AccountId>,
        origin: &Origin,
    ) -> Result<Searched, SignedRefusal> {
        let page = Page { after, limit: ACCOUNTS + 1 };
        let mut accounts = self.look(signed, (by, wanted), page, origin).await?;
        let whole = usize::try_from(ACCOUNTS).unwrap_or(usize::MAX);
        let has_more = accounts.len() > whole;
        accounts.truncate(whole);
        let next = accounts.last().filter(|_| has_more).map(|found| found.id.into());
        Ok(Searched { accounts, next })
    }

    /// The account with this id.
    pub async fn find(
        &self,
        signed: &Signed,
        typed: &str,
        origin: &Origin,
    ) -> Result<Found, SignedRefusal> {
        self.may_search(signed)?;
        let id = AccountId::parse(typed).map_err(|_| SignedRefusal::NoSuchAccount)?;
        let wanted = (SearchedBy::Id, Wanted::Id(id));
        let found = self.look(signed, wanted, Page { after: None, limit: 1 }, origin).await?;
        found.into_iter().next().ok_or(SignedRefusal::NoSuchAccount)
    }

    /// Whether somebody may look for the accounts of others.
    pub fn may_search(&self, signed: &Signed) -> Result<(), SignedRefusal> {
        let is_member = signed.groups.iter().any(|group| self.search_groups.contains(group));
        if is_member { Ok(()) } else { Err(SignedRefusal::NotASearcher) }
    }

    async fn look(
        &self,
        signed: &Signed,
        (by, wanted): (SearchedBy, Wanted),
        page: Page,
        origin: &Origin,
    ) -> Result<Vec<Found>, SignedRefusal> {
        self.may_search(signed)?;
        let entry = self.entry(Event::AccountsSearched(by), signed, origin, self.now());
        let store = self.people.core().store.clone();
        let found = self
            .people
            .turns()
            .ask(Box::pin(async move { store.search(&wanted, page, &entry).await }));
        Ok(found.await?)
    }
}

/// What is looked for, if that is enough.
fn part(typed: &str) -> Result<String, SignedRefusal> {
    let typed = typed.trim();
    let in_a_row = typed.split(|c: char| !c.is_alphanumeric()).map(|word| word.chars().count());
    let is_enough = in_a_row.max().is_some_and(|longest| longest >= IN_A_ROW);
    if is_enough && typed.len() <= MAX_NAME_BYTES && !typed.contains(char::is_control) {
        Ok(typed.to_owned())
    } else {
        Err(SignedRefusal::ShortTerm)
    }
}
