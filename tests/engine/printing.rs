//! The exact output of the `Debug` and `Display` of the engine.

use std::hash::BuildHasher;

use aws_client_cache::EvictionPolicy;
use aws_client_cache::map::{DefaultHashBuilder, EvictingMap};

#[test]
fn a_map_prints_its_entries_in_eviction_order() {
    let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    for (key, value) in [("a", 1), ("b", 2), ("c", 3)] {
        map.insert(key, value).unwrap();
    }
    map.get("a");
    assert_eq!(format!("{map:?}"), r#"{"b": 2, "c": 3, "a": 1}"#);
    assert_eq!(format!("{:?}", map.iter()), r#"[("b", 2), ("c", 3), ("a", 1)]"#);
    assert_eq!(format!("{:?}", map.keys()), r#"["b", "c", "a"]"#);
    assert_eq!(format!("{:?}", map.values()), "[2, 3, 1]");
    // An iterator prints its remaining items.
    let mut iterator = map.iter();
    iterator.next();
    iterator.next_back();
    assert_eq!(format!("{iterator:?}"), r#"[("c", 3)]"#);
}

#[test]
fn refused_entries_and_the_state_of_hashers_are_not_printed() {
    let mut map = EvictingMap::new(EvictionPolicy::Lru, 10);
    map.insert("key", "value").unwrap();
    let refused = map.insert("key", "other").unwrap_err();
    assert_eq!(format!("{refused:?}"), "KeyExists { .. }");
    assert_eq!(refused.to_string(), "the key is already present");
    let hasher = DefaultHashBuilder::default().build_hasher();
    assert_eq!(format!("{hasher:?}"), "DefaultHasher { .. }");
}
