use strum::IntoEnumIterator as _;

use super::*;

#[test]
fn every_kind_of_mail_is_listed_and_has_a_name_of_its_own() {
    let kinds: Vec<_> = MailKind::iter().map(WorkKind::Mail).collect();
    assert_eq!(kinds, WorkKind::NOTICES);
    let names = WorkKind::MAIL.map(WorkKind::name);
    assert_eq!(names[0], "mail.account_locked");
    assert!(names.iter().all(|name| name.starts_with("mail.")), "{names:?}");
    assert_eq!(MailKind::NewNetwork.name(), "new_network");
}
