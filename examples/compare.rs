//! Compares the engine with the reference model, over a given number of random operations.
//!
//! ```text
//! cargo run --example compare -- --policy lfu --operations 1000000 --seed 7
//! ```
//!
//! Prints the speed, and how often each branch of each operation was taken. If engine and model differ, it prints the
//! fewest operations that show the difference, as a Rust test. `--fault` replaces the engine by a cache with a known
//! fault, which shows such a difference.

#![expect(clippy::print_stdout, reason = "a program that reports its progress")]

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aws_client_cache_spec::check::{Branches, order};
use aws_client_cache_spec::faults::{Fault, Faulty};
use aws_client_cache_spec::{CounterExample, InsertionMode, Model, Policy, Random};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use support::engine::Engine;

/// Compares the engine with the reference model.
#[derive(Debug, Parser)]
struct Arguments {
    /// The eviction policy: lru, lfu or lfuda.
    #[arg(long, default_value = "lru", value_parser = policy)]
    policy: Policy,
    /// The number of operations to compare.
    #[arg(long, default_value_t = 1_000_000)]
    operations: u64,
    /// The seed; equal seeds give equal operations.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The number of keys.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..))]
    keys: u8,
    /// The largest `max_size` that is set.
    #[arg(long, default_value_t = 8)]
    max_size: u8,
    /// The use count at which counts saturate.
    #[arg(long, default_value_t = 5)]
    max_uses: u64,
    /// The number of operations on one engine, with one mix of operations, before a new engine is created.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    run: u64,
    /// The fault of a cache to compare instead of the engine.
    #[arg(long, value_parser = fault)]
    fault: Option<Fault>,
}

fn policy(name: &str) -> Result<Policy, String> {
    let named = Policy::ALL.into_iter().find(|policy| format!("{policy:?}").eq_ignore_ascii_case(name));
    named.ok_or_else(|| format!("expected one of {:?}", Policy::ALL))
}

fn fault(name: &str) -> Result<Fault, String> {
    let faults: Vec<_> = Fault::ALL.into_iter().filter(|fault| !fault.is_of_expiry()).collect();
    let named = faults.iter().find(|fault| format!("{fault:?}") == name);
    named.copied().ok_or_else(|| format!("expected one of {faults:?}"))
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} operations, {per_sec}, {eta} left")?;
    let progress = ProgressBar::new(arguments.operations).with_style(style);
    let begin = Instant::now();
    let compared = compare(&arguments, &progress);
    progress.finish_and_clear();
    Ok(match compared {
        Ok(branches) => {
            report(&arguments, &branches, begin.elapsed());
            ExitCode::SUCCESS
        }
        Err(found) => {
            println!("{found}");
            ExitCode::FAILURE
        }
    })
}

fn compare(arguments: &Arguments, progress: &ProgressBar) -> Result<Branches, CounterExample> {
    let Arguments { policy, max_uses, .. } = *arguments;
    let mut branches = Branches::default();
    let mut run = 0;
    while branches.operations() < arguments.operations {
        // Some faults show only if present keys are replaced.
        let insertion = arguments.fault.map_or_else(InsertionMode::default, |fault| fault.insertions()[0]);
        let model = |max_size| Model::with_max_uses(policy, max_size, max_uses).with_insertion(insertion);
        let random = Random {
            seed: arguments.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(run),
            runs: 1,
            operations: arguments.run.min(arguments.operations - branches.operations()),
            keys: arguments.keys,
            max_size: arguments.max_size,
        };
        branches += match arguments.fault {
            None => order(random, model, |max_size| Engine::with_max_uses(policy, max_size, max_uses))?,
            Some(fault) => {
                let faulty = |max_size| Faulty::new(fault, policy, max_size, max_uses);
                order(random, model, |max_size| faulty(max_size).with_insertion(insertion))?
            }
        };
        progress.set_position(branches.operations());
        run += 1;
    }
    Ok(branches)
}

#[expect(clippy::cast_precision_loss, reason = "a rate for display")]
fn report(arguments: &Arguments, branches: &Branches, took: Duration) {
    let operations = branches.operations();
    let rate = operations as f64 / took.as_secs_f64() / 1e6;
    println!("{operations} operations under {:?}, seed {}: no difference", arguments.policy, arguments.seed);
    println!("{took:.1?}, {rate:.2} million operations a second, every accessor compared after each one\n");
    // Rare branches matter most, so a bar shows the number of binary digits.
    let digits = |count: u64| (u64::BITS - count.leading_zeros()) as usize;
    // Under LFUDA, these include the branches of aging.
    for branch in branches.all() {
        let count = branches.count(branch);
        println!("{:<24}{count:>12} {}", format!("{branch:?}"), "##".repeat(digits(count)));
    }
    let never: Vec<_> = branches.never().collect();
    println!("\nbranches never taken: {}", if never.is_empty() { "none".to_owned() } else { format!("{never:?}") });
}
