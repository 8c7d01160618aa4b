//! The public items of a crate, and the crates whose types they name.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use regex::Regex;

/// The crates that a public item may name.
///
/// `arbitrary`, `proptest`, `quickcheck` and `serde` are included for their traits, each behind the feature of that name.
const ALLOWED: &str = "^(std|core|alloc|aws_(client_cache|client_cache_spec|config|credential_types|sdk_[a-z0-9]+|\
                       smithy_[a-z_]+|types)|arbitrary|proptest|quickcheck|serde|serde_core)$";

/// A package's manifest.
#[derive(Debug)]
pub(super) struct Manifest(toml::Table);

impl Manifest {
    pub(super) fn parse(text: &str) -> Result<Self> {
        Ok(Self(text.parse().context("not a manifest")?))
    }

    /// Returns the names in a section.
    fn names<'a>(&'a self, section: &str) -> impl Iterator<Item = &'a str> {
        self.0.get(section).and_then(toml::Value::as_table).into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// Returns the stable features.
    pub(super) fn public_features(&self) -> Vec<&str> {
        self.names("features").filter(|name| !name.starts_with("__")).collect()
    }
}

/// Removes the implementations of `Freeze` and `UnsafeUnpin`.
///
/// A stable Rust cannot name these traits, and they come and go with nightlies.
pub(super) fn stable(surface: &str) -> String {
    let unstable = Regex::new(r"^impl(<.*>)? !?core::marker::(Freeze|UnsafeUnpin) for ").expect("a valid expression");
    surface.lines().filter(|line| !unstable.is_match(line)).map(|line| line.to_owned() + "\n").collect()
}

/// Returns the crates that the items name and that are not allowed.
///
/// The list of items does not show the origin of a re-exported type, so `pub use` in the sources counts as well.
pub(super) fn foreign(surface: &str, manifest: &Manifest, sources: &[String]) -> BTreeSet<String> {
    let path = Regex::new(r"(?:^|[^:A-Za-z0-9_])([a-z_][a-z0-9_]*)::").expect("a valid expression");
    let mut crates: BTreeSet<_> =
        surface.lines().flat_map(|line| path.captures_iter(line)).map(|found| found[1].to_owned()).collect();
    let dependencies: BTreeSet<_> = manifest.names("dependencies").map(|name| name.replace('-', "_")).collect();
    let export = Regex::new(r"(?m)^ *pub use (?:::)?([a-z_][a-z0-9_]*)").expect("a valid expression");
    let exported = sources.iter().flat_map(|source| export.captures_iter(source)).map(|found| found[1].to_owned());
    crates.extend(exported.filter(|name| dependencies.contains(name)));
    let allowed = Regex::new(ALLOWED).expect("a valid expression");
    crates.retain(|name| !allowed.is_match(name));
    crates
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "
[features]
default = []
serde = []
__internals = []

[dependencies]
http = '1'
aws-types = '1'
";

    #[test]
    fn internal_features_are_not_public() {
        assert_eq!(Manifest::parse(MANIFEST).unwrap().public_features(), ["default", "serde"]);
    }

    #[test]
    fn unstable_markers_are_left_out() {
        let surface = "impl core::marker::Freeze for A\nimpl<T> !core::marker::UnsafeUnpin for A<T>\nimpl core::marker::Send for A\n";
        assert_eq!(stable(surface), "impl core::marker::Send for A\n");
    }

    #[test]
    fn foreign_crates_are_those_of_items_and_of_exports() {
        let surface = "pub fn aws_client_cache::Map::get(&self, &tokio::Thing) -> core::option::Option<hmac::Key>\n";
        let sources =
            ["pub use http::Uri;\npub use aws_types::SdkConfig;\npub use map::Thing;\nuse sha2::X;\n".to_owned()];
        let found = foreign(surface, &Manifest::parse(MANIFEST).unwrap(), &sources);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["hmac", "http", "tokio"]);
    }
}
