//! Every public item says by an example how it is used, or where there is one.

use std::fs;
use std::path::{Path, PathBuf};

/// The files of a folder, and of those in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The public functions and types of a file, each with its documentation and attributes. A macro's are what it is given.
fn public_items(source: &str) -> Vec<(String, String)> {
    let mut items = Vec::new();
    let mut above = String::new();
    for line in source.lines().map(str::trim) {
        let item = line.trim_start_matches("pub ").trim_start_matches("const ").trim_start_matches("async ");
        let kinds = ["fn ", "struct ", "enum ", "trait "];
        // A macro's items are what it is given, and what seals a trait is nobody's.
        let is_public = line.starts_with("pub ") && !item.contains('$') && item != "trait Sealed {}";
        if is_public && kinds.iter().any(|kind| item.starts_with(kind)) {
            items.push((item.split(['(', '<', '{', ';', ':']).next().unwrap().to_owned(), std::mem::take(&mut above)));
        } else if line.starts_with("///") || line.starts_with("#[") {
            above += line;
            above.push('\n');
        } else {
            above.clear();
        }
    }
    items
}

fn is_shown(documentation: &str) -> bool {
    ["```", "shows an example", "so there is no example", "#[doc(hidden)]"]
        .iter()
        .any(|reason| documentation.contains(reason))
}

#[test]
fn every_public_item_has_an_example_or_says_where_one_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut items, mut missing) = (0, Vec::new());
    for path in files(&root.join("src")).into_iter().chain(files(&root.join("spec/src"))) {
        let source = fs::read_to_string(&path).unwrap();
        // What a test declares is nobody's but its own.
        let source = source.split("#[cfg(test)]\nmod ").next().unwrap();
        for (item, documentation) in public_items(source) {
            items += 1;
            if !is_shown(&documentation) {
                missing.push(format!("{}: {item}", path.display()));
            }
        }
    }
    assert!(items > 150, "only {items} items are seen");
    assert!(missing.is_empty(), "without an example:\n{}", missing.join("\n"));
}

#[test]
fn what_has_no_example_is_missed() {
    let source = "/// Says it.\n#[must_use]\npub const fn one() {}\n\n/// ```\n/// two();\n/// ```\npub fn two() {}\n";
    let items = public_items(source);
    let missed: Vec<_> = items.iter().filter(|(_, documentation)| !is_shown(documentation)).collect();
    assert_eq!((items.len(), missed.len(), &*missed[0].0), (2, 1, "fn one"));
}
