//! Writes the page of measurements.

use std::fmt::Write as _;
use std::fs;
use std::thread;

use anyhow::{Context, Result};

use super::Measured;
use crate::process;
use crate::project::Project;

const PEERS: [&str; 7] = ["lru", "hashlink", "schnellru", "quick_cache", "mini-moka", "moka", "lfu_cache"];

const TIMES: &str = "All caches run in one process, in turns. A cell is our time divided by the peer's: the median over SEEDS seeds of keys and of
hashes, with the smallest and the largest. Below 1, ours takes less. `lru`, `hashlink` and `schnellru` are strict LRU, and are
checked to hit as often as ours; the others evict in orders of their own.";

const GROWTH: &str = "Nanoseconds an operation, the median over 3 seeds.

![nanoseconds an operation, by the number of entries](growth.svg)";

const MEMORY: &str = "Bytes an entry, of `u64` keys and values, as requested from the allocator.";

const INSTRUCTIONS: &str =
    "As counted by callgrind through [gungraun](https://crates.io/crates/gungraun). Counts repeat, except for
`lfu_cache`, whose hasher is random. Each includes the loop around the operation.";

/// Returns the page, with the latest measurements.
pub(super) fn page(project: &Project, measured: &Measured) -> Result<String> {
    let lock = fs::read_to_string(project.root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let versions = versions(&lock, &PEERS)?;
    let rustc = process::read({
        let mut rustc = std::process::Command::new("rustc");
        rustc.arg("--version").current_dir(project.root());
        rustc
    })?;
    let rustc = rustc.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let machine = measured.read("machine")?;
    let mut page = format!(
        "# Measurements\n\n`cargo xtask bench` generates this page; do not edit it. Machine: {} ({cores} cores), {rustc}.\n\
         Each heading names the tree `src` that was measured.\n\nPeers: {versions}.\n\
         All caches use the same hasher, foldhash, where they accept one. Keys follow Zipf's law with an exponent of 0.9\n\
         unless stated otherwise. `10/20` is a cache of 10 entries and 20 keys.\n",
        machine.trim()
    );
    for (heading, part, text) in [
        ("Times", "compare", TIMES),
        ("Growth", "growth", GROWTH),
        ("Memory", "memory", MEMORY),
        ("Instructions", "instructions", INSTRUCTIONS),
    ] {
        let (tree, table) = (measured.read(&format!("{part}.tree"))?, measured.read(part)?);
        let text = text.replace("SEEDS", measured.read("seeds")?.trim());
        write!(page, "\n# {heading}\n\nTree: `{}`.\n\n{text}\n\n{}\n", tree.trim(), table.trim_end())?;
    }
    Ok(page)
}

/// Returns the packages with their newest versions in a lock file.
fn versions(lock: &str, packages: &[&str]) -> Result<String> {
    let lock: toml::Table = lock.parse()?;
    let locked = lock.get("package").and_then(toml::Value::as_array).context("the lock file has no packages")?;
    let version = |package: &&str| {
        let field = |entry: &toml::Value, name: &str| entry.get(name).and_then(toml::Value::as_str).map(str::to_owned);
        let found = locked.iter().rfind(|entry| field(entry, "name").as_deref() == Some(*package));
        let version = found.and_then(|entry| field(entry, "version"));
        version.map(|version| format!("{package} {version}")).with_context(|| format!("{package} is not locked"))
    };
    Ok(packages.iter().map(version).collect::<Result<Vec<_>>>()?.join(", "))
}

/// Returns the model of the processor, or its architecture.
pub(super) fn machine() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(':'));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, model)| model.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n[[package]]\nname = 'lru'\nversion = '0.12.5'\n[[package]]\nname = 'lru'\nversion = '0.19.0'\n\
                        [[package]]\nname = 'moka'\nversion = '0.12.11'\n";

    #[test]
    fn the_newest_version_of_a_peer_is_named() {
        assert_eq!(versions(LOCK, &["moka", "lru"]).unwrap(), "moka 0.12.11, lru 0.19.0");
        assert!(versions(LOCK, &["hashlink"]).is_err());
    }
}
