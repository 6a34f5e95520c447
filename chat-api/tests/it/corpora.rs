//! The corpora of the fuzz targets, as ordinary tests.

use std::fs;
use std::path::Path;

use crate::properties::ALL;

#[test]
fn every_text_of_every_corpus_has_its_property() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    for (target, property) in ALL {
        assert!(root.join("targets").join(target).with_extension("rs").exists(), "{target}");
        let texts = fs::read_dir(root.join("corpus").join(target)).unwrap();
        let paths: Vec<_> = texts.map(|entry| entry.unwrap().path()).collect();
        assert!(paths.len() >= 3, "{target} has {} texts", paths.len());
        for path in paths {
            println!("{}", path.display());
            property(&fs::read_to_string(&path).unwrap());
        }
    }
}
