//! People as others find them.

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use mongodb::options::Hint;

use super::document::{BadField, readable, text};
use super::error::ReadError;
use super::mongo::READ_TIMEOUT;
use super::people::{by_email, by_name};
use super::reads::Reader;
use crate::message::{UserId, UserName};
use crate::people::{EmailKey, NamePrefix};

/// Somebody, as others see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPerson {
    /// Who it is.
    pub id: UserId,
    /// The name to show.
    pub name: UserName,
}

/// Looks for people, for somebody who was admitted.
pub struct Directory<'a>(&'a Reader<'a>);

impl<'a> Directory<'a> {
    /// Reads by the admission of this reader.
    #[must_use]
    pub fn of(reader: &'a Reader<'_>) -> Self {
        Self(reader)
    }

    /// People with a word in their name that begins so, at most so many, in the order of what begins so.
    pub async fn by_name(
        &self,
        prefix: &NamePrefix,
        limit: u16,
    ) -> Result<Vec<ListedPerson>, ReadError> {
        // Within one key: otherwise its end would be looked for in any other key of the same name.
        let within = doc! { "$gte": prefix.first(), "$lt": prefix.behind() };
        self.find(doc! { "name_keys": { "$elemMatch": within } }, by_name(), limit).await
    }

    /// People with that address, at most so many.
    pub async fn by_email(
        &self,
        email: &EmailKey,
        limit: u16,
    ) -> Result<Vec<ListedPerson>, ReadError> {
        self.find(doc! { "email_key": email.as_str() }, by_email(), limit).await
    }

    /// Those of these people who are known, in any order.
    pub async fn by_id(&self, ids: &[UserId]) -> Result<Vec<ListedPerson>, ReadError> {
        let texts: Vec<&str> = ids.iter().map(UserId::as_str).collect();
        let limit = u16::try_from(ids.len()).unwrap_or(u16::MAX);
        self.find(doc! { "_id": { "$in": texts } }, doc! { "_id": 1 }, limit).await
    }

    /// By one index and no other way: without it there is no answer, and never a look at everybody.
    async fn find(
        &self,
        query: Document,
        index: Document,
        limit: u16,
    ) -> Result<Vec<ListedPerson>, ReadError> {
        let people = self.0.people();
        let found = async move {
            let find = people.find(query).hint(Hint::Keys(index)).limit(i64::from(limit));
            // One more than there can be: otherwise the server keeps the cursor for a second answer.
            let find = find.batch_size(u32::from(limit) + 1);
            let find = find.projection(doc! { "name": 1 }).max_time(READ_TIMEOUT);
            find.await?.try_collect::<Vec<_>>().await
        };
        let found: Vec<Document> = self.0.operate(found).await?;
        Ok(found.iter().filter_map(|document| readable(document, to_person)).collect())
    }
}

fn to_person(document: &Document) -> Result<ListedPerson, BadField> {
    Ok(ListedPerson {
        id: UserId::parse(text(document, "_id")?).map_err(|_| "_id")?,
        name: UserName::parse(text(document, "name")?).map_err(|_| "name")?,
    })
}
