//! People, a document each, made of what their tokens say. The log knows nothing of them, and a rebuild brings nobody
//! back who does not come again.

use mongodb::bson::{self, Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{Collection, Database, IndexModel};

use super::error::ArchiveError;
use super::mongo::{WRITE_TIMEOUT, limited, number, safe};
use crate::people::{Person, name_keys};

/// `DuplicateKey`: of two that write somebody for the first time, the other one was faster; or what is stored is
/// newer.
const DUPLICATE: i64 = 11_000;

/// The collection `people`. A handle, cheap to clone.
#[derive(Clone)]
pub struct People {
    database: Database,
    people: Collection<Document>,
}

/// What became of people who were to be stored.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    /// They are stored, or were by somebody who knew more.
    pub stored: usize,
    /// MongoDB will not take them.
    pub refused: usize,
}

/// The collection with people, for whoever reads it with another client.
pub(super) fn collection(database: &Database) -> Collection<Document> {
    database.collection_with_options("people", safe())
}

impl People {
    pub(super) fn of(database: &Database) -> Self {
        Self { database: database.clone(), people: collection(database) }
    }

    /// Stores what tokens say of people, unless a later token said something.
    pub async fn note(&self, people: &[Person]) -> Result<Noted, ArchiveError> {
        let mut noted = Noted { stored: people.len(), refused: 0 };
        let (duplicates, refused) = self.write(people).await?;
        noted.refused += refused;
        if !duplicates.is_empty() {
            // Somebody is there now: once more tells whether what is stored is newer.
            let again: Vec<Person> =
                duplicates.into_iter().filter_map(|index| people.get(index).cloned()).collect();
            let (_, refused) = self.write(&again).await?;
            noted.refused += refused;
        }
        noted.stored -= noted.refused;
        Ok(noted)
    }

    /// The numbers of those who were written by somebody else meanwhile or before, and how many are refused.
    async fn write(&self, people: &[Person]) -> Result<(Vec<usize>, usize), ArchiveError> {
        let updates: Vec<Document> = people.iter().map(statement).collect();
        // One command for all of them; the driver has no such call for older servers.
        let command = doc! {
            "update": self.people.name(),
            "updates": updates,
            "ordered": false,
            "writeConcern": { "w": "majority" },
        };
        let answer = limited(WRITE_TIMEOUT, self.database.run_command(command)).await?;
        if answer.contains_key("writeConcernError") {
            return Err(ArchiveError::People);
        }
        let (mut duplicates, mut refused) = (Vec::new(), 0);
        for failure in answer.get_array("writeErrors").into_iter().flatten() {
            let failure = failure.as_document().ok_or(ArchiveError::People)?;
            let of = |field| failure.get(field).and_then(number).ok_or(ArchiveError::People);
            if of("code")? == DUPLICATE {
                duplicates.push(usize::try_from(of("index")?).map_err(|_| ArchiveError::People)?);
            } else {
                tracing::warn!(code = of("code")?, "archive: a person is not taken");
                refused += 1;
            }
        }
        Ok((duplicates, refused))
    }

    /// Has the indexes made.
    pub(super) async fn create_indexes(&self) -> Result<(), ArchiveError> {
        let named = |name: &str| IndexOptions::builder().name(name.to_owned());
        let by_name = IndexModel::builder().keys(by_name()).options(named("name_keys").build());
        // Many have no address that was verified.
        let of_some = named("email_key").sparse(true).build();
        let by_email = IndexModel::builder().keys(by_email()).options(of_some);
        self.people.create_indexes([by_name.build(), by_email.build()]).await?;
        Ok(())
    }
}

/// The index by which names are found.
pub(super) fn by_name() -> Document {
    doc! { "name_keys": 1 }
}

/// The index by which addresses are found.
pub(super) fn by_email() -> Document {
    doc! { "email_key": 1 }
}

/// Writes somebody, unless what is stored is of a later token: then there is nobody to be replaced, and the insertion
/// that is tried instead fails.
fn statement(person: &Person) -> Document {
    let Person { id, name, email, issued_at } = person;
    let seen = bson::DateTime::from_millis(issued_at.timestamp_millis());
    let mut document = doc! {
        "_id": id.as_str(),
        "name": name.as_str(),
        "name_keys": name_keys(name.as_str()),
        "seen": seen,
    };
    if let Some(email) = email {
        document.insert("email_key", email.as_str());
    }
    let older = doc! { "_id": id.as_str(), "seen": { "$lte": seen } };
    doc! { "q": older, "u": document, "upsert": true }
}
