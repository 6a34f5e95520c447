use std::fs;

use super::*;

/// Reads a crate of these files. What is said of it names them without their folder.
fn read(files: &[(&str, &str)]) -> Layers {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    }
    let layers = Layers::read("house", &folder.path().join("lib.rs")).expect("a crate");
    let shown = folder.path().strip_prefix(checkout::root()).unwrap_or(folder.path());
    let prefix = format!("{}/", shown.display());
    let faults = layers.faults.iter().map(|fault| fault.replace(&prefix, "")).collect();
    Layers { faults, ..layers }
}

/// What is wrong with two siblings, of which the first uses the second.
fn siblings(second: &str) -> Vec<String> {
    read(&[
        ("lib.rs", "mod first;\nmod second;"),
        ("first.rs", "use crate::second::Second;\npub struct First;"),
        ("second.rs", second),
    ])
    .faults
}

/// What is wrong with a child of a parent that imports a sibling of it.
fn child(text: &str) -> Vec<String> {
    let parent =
        "mod child;\nmod other;\nuse other::Other;\npub struct Parent;\nconst LIMIT: u8 = 1;";
    let other = "pub struct Other;\npub struct Hidden;";
    read(&[
        ("lib.rs", "mod parent;"),
        ("parent.rs", parent),
        ("parent/child.rs", text),
        ("parent/other.rs", other),
    ])
    .faults
}

#[test]
fn a_circle_of_siblings_is_told_with_both_files_and_lines() {
    let expected = "house: a circle\n  \
                    first.rs:1 uses crate::second::Second, of second.rs\n  \
                    second.rs:3 uses super::first::First, of first.rs";
    assert_eq!(siblings("pub struct Second;\n\nuse super::first::First;"), [expected]);
}

#[test]
fn a_child_that_uses_its_parent_is_told_with_both_files_and_the_line() {
    let expected = "house: an arrow up\n  parent/child.rs:2 uses super::LIMIT, of parent.rs";
    assert_eq!(child("//! A child.\nuse super::LIMIT;"), [expected]);
    let expected = "house: an arrow up\n  parent/child.rs:1 uses crate::parent::*, of parent.rs";
    assert_eq!(child("use crate::parent::*;"), [expected]);
}

#[test]
fn a_module_uses_the_siblings_below_it() {
    assert_eq!(siblings("pub struct Second;"), [""; 0]);
    assert_eq!(child("use super::other::Hidden;\nuse std::fmt;"), [""; 0]);
}

#[test]
fn every_place_where_a_path_stands_counts() {
    let places = [
        "use crate::{\n    first::{self, First as One},\n};",
        "pub use super::first::*;",
        "fn f() -> u8 { crate::first::ONE }",
        "fn f() { use crate::first::First; }",
        "struct Second(Vec<super::first::First>);",
        "impl crate::first::Trait for Second {}",
        "fn f() { select! { _ = x => { assert!(crate::first::is_one()) } } }",
        "#[derive(Args)] struct Second { #[arg(value_parser = crate::first::parse)] one: u8 }",
        "mod inner { use super::super::first::First; }",
    ];
    for place in places {
        let faults = siblings(place);
        assert!(faults.len() == 1 && faults[0].contains("a circle"), "{place}: {faults:?}");
    }
}

#[test]
fn words_tests_and_visibility_are_no_use() {
    let places = [
        "//! As [`crate::first::First`] does.\nconst NAME: &str = \"crate::first\";",
        "#[cfg(test)]\nmod tests { use crate::first::First; }",
        "/// Tests.\n#[cfg(test)]\n#[path = \"second_tests.rs\"]\nmod tests;",
        "pub(in crate::first) struct Second;\npub(crate) fn second() {}",
    ];
    for place in places {
        assert_eq!(siblings(place), [""; 0], "{place}");
    }
}

#[test]
fn what_a_parent_has_imported_counts_for_where_it_comes_from() {
    assert_eq!(child("use super::Other;"), [""; 0]);
    let faults = read(&[
        ("lib.rs", "mod child;\nmod other;\nuse other::Other as Renamed;"),
        ("child.rs", "use super::Renamed;"),
        ("other.rs", "use crate::child::Child;"),
    ])
    .faults;
    assert!(faults.len() == 1 && faults[0].contains("a circle"), "{faults:?}");
}

#[test]
fn a_part_of_the_parents_type_may_name_it_and_nothing_else() {
    assert_eq!(child("use super::Parent;\nimpl Parent { fn f() {} }"), [""; 0]);
    assert_eq!(child("impl From<u8> for super::Parent {}"), [""; 0]);
    assert_eq!(child("use super::Parent;\nfn f(_: Parent) {}").len(), 1);
    assert_eq!(child("use super::{LIMIT, Parent};\nimpl Parent {}").len(), 1);
}

#[test]
fn folders_form_circles_where_files_form_none() {
    let faults = read(&[
        ("lib.rs", "mod a;\nmod b;"),
        ("a.rs", "mod high;\nmod low;"),
        ("a/high.rs", "use crate::b::B;"),
        ("a/low.rs", "pub struct Low;"),
        ("b.rs", "use crate::a::low::Low;"),
    ])
    .faults;
    let expected = "house: a circle\n  \
                    a/high.rs:1 uses crate::b::B, of b.rs\n  \
                    b.rs:1 uses crate::a::low::Low, of a/low.rs";
    assert_eq!(faults, [expected]);
}

#[test]
fn layers_are_drawn_from_the_top() {
    let layers = read(&[
        ("lib.rs", "mod app;\nmod door;\nmod room;"),
        ("app.rs", "use crate::{door, room};"),
        ("door.rs", "mod lock;"),
        ("door/lock.rs", ""),
        ("room.rs", "use crate::door;"),
    ]);
    let expected = "house\n    app\n    room\n    door\nhouse::door\n    lock\n";
    assert_eq!(layers.drawing, expected);
}
