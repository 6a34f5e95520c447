use super::*;
use crate::message::UserName;
use crate::people::EmailKey;

fn person(id: &str, name: &str, issued_at: i64) -> Person {
    Person {
        id: UserId::parse(id).unwrap(),
        name: UserName::parse(name).unwrap(),
        email: None,
        issued_at: DateTime::from_timestamp(issued_at, 0).unwrap(),
    }
}

fn waiting(people: &mut mpsc::Receiver<Person>) -> Vec<String> {
    let next = || people.try_recv().ok().map(|person| person.name.as_str().to_owned());
    std::iter::from_fn(next).collect()
}

#[test]
fn only_what_is_news_is_stored() {
    let (book, mut people) = Book::new();
    for (name, issued_at) in [("Ada", 10), ("Ada", 10), ("Ada", 20), ("Ada L.", 30), ("Ada", 15)] {
        book.note(person("ada", name, issued_at));
    }
    book.note(person("bob", "Ada", 10));
    assert_eq!(waiting(&mut people), ["Ada", "Ada L.", "Ada"], "hers, hers, and his");
    book.note(person("ada", "Ada", 40));
    assert_eq!(waiting(&mut people), ["Ada"], "the old name again is news");
    book.note(Person { email: EmailKey::parse("ada@example.org"), ..person("ada", "Ada", 40) });
    assert_eq!(waiting(&mut people), ["Ada"], "and so is an address");
}

#[test]
fn who_finds_no_place_is_made_up_for_by_the_next_token() {
    let (book, mut people) = Book::new();
    for number in 0..QUEUE {
        book.note(person(&format!("person-{number}"), "Crowd", 10));
    }
    book.note(person("ada", "Ada", 10));
    assert_eq!(waiting(&mut people).len(), QUEUE, "she is not among them, and nobody waited");
    book.note(person("ada", "Ada", 20));
    assert_eq!(waiting(&mut people), ["Ada"]);
}
