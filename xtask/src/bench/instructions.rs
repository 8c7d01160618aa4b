//! The instructions of an operation, as the benchmark `instructions` counts them.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;
use crate::project::cargo;

/// The operations of each benchmark.
const OPERATIONS: u32 = 20_000;

/// The rows of the table, with the names of the benchmarks.
const CACHES: [(&str, &str); 7] = [
    ("ours, LRU", "ours_lru"),
    ("lru", "lru"),
    ("hashlink", "hashlink"),
    ("schnellru", "schnellru"),
    ("ours, LFU", "ours_lfu"),
    ("lfu_cache", "lfu_cache"),
    ("`ClientCache`", "client_cache"),
];

/// The instructions of one operation of one cache.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Count {
    operation: String,
    cache: String,
    pub(super) instructions: f64,
}

/// Counts the instructions of all benchmarks of the tree in `folder`.
pub(super) fn count(folder: &Path, target: &Path) -> Result<Vec<Count>> {
    let arguments = ["bench", "--quiet", "--package", "aws-client-cache-benches", "--features", "instructions"];
    let mut command = cargo(folder, arguments);
    command.args(["--bench", "instructions", "--", "--output-format=json"]).env("CARGO_TARGET_DIR", target);
    let output = process::read(command);
    parse(&output.context("are valgrind and gungraun-runner installed, the latter in the version of gungraun?")?)
}

/// Returns the hits of `ClientCache`.
pub(super) fn client_hit(counts: &[Count]) -> Result<f64> {
    find(counts, "hit", "client_cache").context("the benchmark of ClientCache did not run")
}

fn find(counts: &[Count], operation: &str, cache: &str) -> Option<f64> {
    let count = counts.iter().find(|count| count.operation == operation && count.cache == cache)?;
    Some(count.instructions)
}

/// Reads gungraun's summaries, one per line.
fn parse(summaries: &str) -> Result<Vec<Count>> {
    let counts = summaries.lines().filter(|line| line.starts_with('{')).map(|line| {
        let summary: Value = serde_json::from_str(line).context("gungraun's summary is not JSON")?;
        let text = |name: &str| summary[name].as_str().map(str::to_owned);
        let total = summary["profiles"][0]["data"]["total"]["metrics"]["Ir"]["values"]["new"].as_f64();
        match (text("function_name"), text("id"), total) {
            (Some(operation), Some(cache), Some(total)) => {
                Ok(Count { operation, cache, instructions: total / f64::from(OPERATIONS) })
            }
            _ => bail!("gungraun's summary has another form: {line}"),
        }
    });
    counts.collect()
}

/// Returns the counts as a table.
pub(super) fn table(counts: &[Count]) -> String {
    let mut table = "| of 30 entries | a hit | a replacement |\n|---|---|---|\n".to_owned();
    for (name, cache) in CACHES {
        let cell = |operation| find(counts, operation, cache).map(|count| format!("{count:.0} ")).unwrap_or_default();
        writeln!(table, "| {name} | {}| {}|", cell("hit"), cell("replacement")).expect("text grows");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(operation: &str, cache: &str, total: u64) -> String {
        format!(
            r#"{{"function_name":"{operation}","id":"{cache}","profiles":[{{"data":{{"total":{{"metrics":
            {{"Ir":{{"values":{{"new":{total},"old":7}}}}}}}}}}}}]}}"#
        )
        .replace('\n', "")
    }

    #[test]
    fn counts_are_those_of_one_operation() {
        let output = ["a line of cargo".to_owned(), summary("hit", "client_cache", 2_719_025)].join("\n");
        let counts = parse(&output).unwrap();
        assert!((client_hit(&counts).unwrap() - 135.951).abs() < 0.001);
        assert!(client_hit(&[]).is_err());
    }

    #[test]
    fn a_summary_of_another_form_is_an_error() {
        assert!(parse("{\"function_name\":\"hit\"}\n").is_err());
    }

    #[test]
    fn the_table_has_a_row_for_each_cache() {
        let lines = [summary("hit", "lru", 1_764_238), summary("replacement", "lru", 3_904_963)].join("\n");
        let table = table(&parse(&lines).unwrap());
        assert_eq!(table.lines().nth(3), Some("| lru | 88 | 195 |"));
        assert_eq!(table.lines().last(), Some("| `ClientCache` | | |"));
    }
}
