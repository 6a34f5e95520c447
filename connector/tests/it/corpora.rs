//! The corpora of the fuzz targets, as ordinary tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use auth_connector::password::{Calibration, Caller, Cost, Credential, Peppers, Pool};

use crate::properties::ALL;

fn corpus(target: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry of a folder").path())
        .map(|path| (path.clone(), fs::read_to_string(&path).expect("a text")))
        .collect();
    assert!(files.len() >= 3, "{} holds {} texts", folder.display(), files.len());
    files
}

#[test]
fn every_text_of_every_corpus_has_its_property() {
    for (target, property) in ALL {
        for (path, text) in corpus(target) {
            println!("{}", path.display());
            property(&text);
        }
    }
}

#[test]
fn every_corpus_belongs_to_a_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let names = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let stem = |path: PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
        paths.map(stem).collect::<BTreeSet<String>>()
    };
    assert_eq!(names("corpus"), names("targets"));
    // Other targets are the chat's.
    let properties: BTreeSet<String> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert!(properties.is_subset(&names("targets")));
}

#[tokio::test]
async fn every_hash_that_is_accepted_can_be_verified() {
    let key = "A".repeat(44);
    let peppers = Peppers::parse(&format!("p:{key}")).unwrap();
    let pool = Pool::new(1, Cost::MIN, peppers, Calibration::NONE);
    let mut verified = 0;
    for (path, text) in corpus("stored_hash") {
        let hash = text.lines().next().unwrap_or_default();
        let Ok(credential) = Credential::parse(1, hash, None) else { continue };
        let permit = pool.acquire(Caller::Known, None).await.unwrap();
        let answer = permit.verify(Arc::new("a guess".into()), Some(credential), true).await;
        assert!(!answer.fits, "{}", path.display());
        verified += 1;
    }
    assert!(verified > 0, "the corpus holds no usable hash");
}
