//! Replays a file of keys under every eviction policy, and compares the hit ratios.
//!
//! ```text
//! cargo run --example policies -- keys.txt --sizes 10,20,50 --plot policies.svg
//! ```
//!
//! The file has one key per line, in the order of the requests, such as the tenant names from an access log. Any text
//! that identifies a client will do. Without a file, the example replays `sample.txt`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]

mod plot;
mod replay;

use std::fmt;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aws_client_cache::EvictionPolicy;
use clap::Parser;
use replay::Row;

/// The keys to replay if the user names no file: 4,000 requests by 100 tenants, drawn at random.
///
/// The sample spans five days. On each day, 700 requests follow Zipf's law with an exponent of 1. Then a report runs, and
/// requests each tenant once, in alphabetical order. Overnight, 30 of the 100 tenants exchange their ranks at random.
const SAMPLE: &str = include_str!("sample.txt");

/// Replays a file of keys under every eviction policy, and prints the hit ratios.
#[derive(Parser)]
struct Arguments {
    /// A file with one key per line; empty lines are skipped [default: a sample]
    file: Option<PathBuf>,
    /// Maximum sizes of the cache [default: powers of two, up to the number of distinct keys]
    #[arg(long, value_delimiter = ',')]
    sizes: Vec<NonZeroUsize>,
    /// Writes a plot of the hit ratios, in SVG
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let (name, text) = match &arguments.file {
        Some(file) => (file.display().to_string(), read(file)?),
        None => ("the sample".to_owned(), SAMPLE.to_owned()),
    };
    let keys: Vec<&str> = text.lines().map(str::trim).filter(|key| !key.is_empty()).collect();
    if keys.is_empty() {
        return Err(format!("FILE {name}: no keys; all lines are empty"));
    }
    let distinct = replay::count_distinct(&keys);
    let rows = replay::hit_ratios(&keys, &sizes(&arguments.sizes, distinct));
    println!("{name}: {} keys, {distinct} distinct\n", keys.len());
    println!("{}", Table(&rows));
    if let Some(path) = &arguments.plot {
        plot::write(path, &rows, &name).map_err(|error| format!("--plot {}: {error}", path.display()))?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("FILE {}: {error}", file.display()))
}

/// Returns the sizes to replay, ascending: the given ones, or powers of two.
fn sizes(given: &[NonZeroUsize], distinct: usize) -> Vec<usize> {
    if given.is_empty() {
        let powers = std::iter::successors(Some(1_usize), |size| size.checked_mul(2));
        return powers.take_while(|size| *size <= distinct).collect();
    }
    let mut sizes: Vec<_> = given.iter().map(|size| size.get()).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// A table with one row per size and one column per policy. An asterisk marks the best cells of a row.
struct Table<'a>(&'a [Row]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10}", "max_size")?;
        for policy in EvictionPolicy::ALL {
            write!(f, "{policy:>9}")?;
        }
        for row in self.0 {
            write!(f, "\n{:>10}", row.size)?;
            let best = row.hits.iter().max();
            for (hits, percent) in row.hits.iter().zip(row.percent()) {
                let mark = if Some(hits) == best { '*' } else { ' ' };
                write!(f, "{percent:>8.1}{mark}")?;
            }
        }
        f.write_str("\n\nhit ratio in percent, * best of the row")
    }
}
