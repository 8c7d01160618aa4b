//! Checks the peers against the levels of the conformance kit, and writes the results to `PEERS.md`.
//!
//! `--check` compares the results with the file, and writes nothing.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a command-line program")]

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _};
use std::process::{Command, ExitCode, Stdio};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use aws_client_cache_benches::peers::{DEPTH, DEPTH_UNCOPIED, LEVELS, Peer, RUNS, Verdict};
use aws_client_cache_spec::check::{Difference, Level};
use aws_client_cache_spec::{InsertionMode, Policy};

const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/PEERS.md");
const LOCK: &str = include_str!("../../../Cargo.lock");

/// The time after which a level counts as endless: far longer than any takes, on a busy machine too.
const TIME_LIMIT: Duration = Duration::from_mins(30);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["check-peer", peer, level] => {
            let level = LEVELS.into_iter().find(|known| format!("{known:?}") == level).ok_or("no such level")?;
            print!("{}", serialize(&Peer::ALL[peer.parse::<usize>()?].check(level)));
            Ok(ExitCode::SUCCESS)
        }
        [] => {
            fs::write(REPORT, report()?)?;
            Ok(ExitCode::SUCCESS)
        }
        ["--check"] => {
            let generated = report()?;
            if fs::read_to_string(REPORT)? == generated {
                return Ok(ExitCode::SUCCESS);
            }
            eprintln!(
                "benches/PEERS.md is out of date; `cargo run -p aws-client-cache-benches --bin peers` writes:\n\n{generated}"
            );
            Ok(ExitCode::FAILURE)
        }
        _ => Err("arguments: none, or --check".into()),
    }
}

/// The result of a peer at a level, in a separate process.
enum CheckResult {
    /// The level ended with a verdict.
    Verdict(Verdict),
    /// The peer itself panicked.
    Panicked,
    /// The process was aborted.
    Aborted,
    /// The level did not end within the time limit.
    Endless,
    /// The peer was not checked against the level.
    Untried,
}

impl CheckResult {
    fn passes(&self) -> bool {
        matches!(self, Self::Verdict(Verdict::Passes | Verdict::PassesUpTo(_)))
    }

    fn cell(&self) -> String {
        match self {
            Self::Verdict(verdict) => verdict.to_string(),
            Self::Panicked => "✗ panics".to_owned(),
            Self::Aborted => "✗ aborts".to_owned(),
            Self::Endless => "✗ does not end".to_owned(),
            Self::Untried => "–".to_owned(),
        }
    }
}

/// Serializes a verdict, for the parent process.
fn serialize(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passes => "passes".to_owned(),
        Verdict::PassesUpTo(depth) => format!("passes {depth}"),
        Verdict::Fails(test) => format!("fails {test}"),
        Verdict::NotApplicable => "not applicable".to_owned(),
    }
}

/// Parses the output of a child process.
fn parse(output: &str) -> Option<Verdict> {
    match output.split_once(' ') {
        None if output == "passes" => Some(Verdict::Passes),
        Some(("passes", depth)) => depth.parse().ok().map(Verdict::PassesUpTo),
        Some(("fails", test)) => Some(Verdict::Fails(test.to_owned())),
        Some(("not", "applicable")) => Some(Verdict::NotApplicable),
        _ => None,
    }
}

/// Checks a peer against a level in a separate process.
///
/// So memory that a panic has corrupted cannot affect the report.
fn check(peer: usize, level: Level) -> io::Result<CheckResult> {
    let mut child = Command::new(env::current_exe()?)
        .args(["check-peer", &peer.to_string(), &format!("{level:?}")])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > TIME_LIMIT {
            child.kill()?;
            child.wait()?;
            return Ok(CheckResult::Endless);
        }
        sleep(Duration::from_millis(5));
    };
    let mut output = String::new();
    if let Some(mut stdout) = child.stdout {
        stdout.read_to_string(&mut output)?;
    }
    match (status.code(), parse(&output)) {
        (Some(0), Some(verdict)) => Ok(CheckResult::Verdict(verdict)),
        // The exit code of a Rust program that panics.
        (Some(101), _) => Ok(CheckResult::Panicked),
        _ => Ok(CheckResult::Aborted),
    }
}

/// Checks a peer against several levels at once.
fn check_all(peer: usize, levels: &[Level]) -> io::Result<Vec<(Level, CheckResult)>> {
    scope(|scope| {
        let threads = levels.iter().map(|level| (*level, scope.spawn(|| check(peer, *level))));
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|(level, thread)| Ok((level, thread.join().expect("no panic")?))).collect()
    })
}

/// Returns the version of a package that this package is built with.
fn version(package: &str) -> Option<&str> {
    let section = |name: &str, version: Option<&str>| {
        LOCK.split("[[package]]\n").find(|section| {
            field(section, "name") == Some(name)
                && version.is_none_or(|wanted| field(section, "version") == Some(wanted))
        })
    };
    let own = section(env!("CARGO_PKG_NAME"), None)?;
    // Cargo.lock adds the version to a dependency if it contains several.
    let dependency = own
        .lines()
        .map(|line| line.trim().trim_matches(['"', ',']))
        .find(|line| line.split(' ').next() == Some(package))?;
    field(section(package, dependency.split(' ').nth(1))?, "version")
}

fn field<'a>(section: &'a str, name: &str) -> Option<&'a str> {
    section.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'))
}

fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::Lru => "LRU",
        Policy::Lfu => "LFU",
        Policy::Lfuda => "LFUDA",
    }
}

fn insertion(insertion: InsertionMode) -> &'static str {
    match insertion {
        InsertionMode::Refuse => "refused",
        InsertionMode::Replace => "replaced",
        InsertionMode::KeepFirst => "kept",
    }
}

/// Returns the text of a difference, unless `missing` tells it in detail.
fn difference(difference: Difference) -> Option<String> {
    Some(match difference {
        Difference::NoZero => "has no bound of 0".to_owned(),
        Difference::VictimsNotReturned => return None,
        Difference::NoPop => "has no pop".to_owned(),
        Difference::Unordered => "lists entries in no order".to_owned(),
        other => format!("{other:?}"),
    })
}

fn introduction() -> String {
    format!(
        "\
# The peers under the conformance kit

Each cache is checked against the levels of [the kit](../spec/src/lib.rs), as a cache of the policy named. A present key that
is inserted again must be refused (rule [D3](../spec/SPEC.md)) or replaced (D13), as the table says. A level includes those
before it. A level is tried even if a weaker one has failed. But if the eviction order differs, the later levels make no
sense, and are skipped (–).

* **dict**: a bounded dict, whichever of its entries is evicted. {RUNS} random runs of 100 operations.
* **eviction order**: every victim is the first in strict LRU or LFU order. As many random runs.
* **every state**: the same, for every operation in every state of the model, at bounds up to 3, with 4 keys. Under LFU,
  whose counts make the number of states infinite: in every state that up to {DEPTH} operations reach. For a cache that cannot be
  copied: in every sequence of up to {DEPTH_UNCOPIED} operations, at bounds up to 2, with 3 keys.
* **panic safety**: in every state at bounds up to 2, with 3 keys, every call of `Hash`, `Eq`, `Clone` and `Drop` of keys
  and values panics once. Afterwards, the cache must be as before the operation or as after it, behave accordingly from
  then on, and leak nothing. A cache that cannot be copied is not tried.

`cargo run -p aws-client-cache-benches --bin peers` writes this file; the same versions of the crates give the same file.
`cargo test -p aws-client-cache-benches` checks that it is up to date. The adapters are in [`src/peers`](src/peers). Each
forwards to its peer, and declares the peer's deliberate differences, which are then not compared. `moka` runs its
postponed tasks after each operation (`run_pending_tasks`). Checked as LFU, it has its default policy, TinyLFU. `lru` returns
no entries that `resize` and `get_or_insert` evict: its adapter compares the entries before and after them.

Each counterexample was reproduced with the crate's own functions alone, without the kit and the adapters:
[`tests/peers_by_hand.rs`](tests/peers_by_hand.rs) asserts the behavior of these versions.

A ✗ is not always a fault. `moka`, under its own policy, and `quick_cache` do not promise strict LRU or LFU: their policies
aim at better hit ratios. Nor are they bounded dicts: both may refuse a new key, and `quick_cache` may evict more than
necessary when it shrinks. `lfu_cache` documents that it evicts the latest of equal entries, and that a replacement resets the
count. No peer documents its state after a panic in a caller's code. A leak, which is safe, is shown only if
nothing worse was found.

The other counterexamples concern no known advisory:

* `lru`: after a panic of `Hash`, the list holds an entry that the table does not. Later evictions and `clear` panic.
  The advisories about `lru` concern earlier versions: RUSTSEC-2021-0130 before 0.7.1, RUSTSEC-2026-0002 before 0.16.3, and
  RUSTSEC-2026-0253, a use after free if `Drop` of a removed key panics, before 0.18.2. The kit finds the last one in 0.16.4.
* `hashlink`: after a panic of `Hash`, the cache holds one entry too many. It does so however many are inserted.
* `schnellru`: after a panic of `Drop`, the victim is gone, but the new entry is not inserted.
* `lfu_cache`: `entry` inserts entries without counting them. In a full cache, it frees the victim and keeps it in the
  table: a use after free in safe code. The adapter therefore calls `entry` only below the bound.
"
    )
}

fn report() -> Result<String, Box<dyn Error>> {
    let mut table =
        format!("| cache | checked as | a present key is |{}\n", LEVELS.map(|level| format!(" {level} |")).concat());
    writeln!(table, "|---|---|---|{}", "---|".repeat(LEVELS.len()))?;
    let mut differences = String::new();
    let mut tests = String::new();
    for (number, peer) in Peer::ALL.iter().enumerate() {
        let version = match peer.package {
            "aws-client-cache" => env!("CARGO_PKG_VERSION"),
            package => version(package).ok_or_else(|| format!("{package} is not in Cargo.lock"))?,
        };
        let name = format!("`{}` {version}", peer.package);
        let policy = policy(peer.policy);
        let insertion = insertion(peer.insertion);
        write!(table, "| {name} | {policy} | {insertion} |")?;
        let weaker = check_all(number, &[Level::Dict, Level::Order])?;
        let stronger = if weaker.iter().any(|(level, result)| *level == Level::Order && !result.passes()) {
            [Level::Exhaustive, Level::Panics].map(|level| (level, CheckResult::Untried)).into()
        } else {
            check_all(number, &[Level::Exhaustive, Level::Panics])?
        };
        for (level, result) in weaker.into_iter().chain(stronger) {
            write!(table, " {} |", result.cell())?;
            if let CheckResult::Verdict(Verdict::Fails(test)) = result {
                write!(tests, "\n### {name}, {policy}: {level}\n\n```rust\n{test}\n```\n")?;
            }
        }
        writeln!(table)?;
        let declared: Vec<_> = peer.differences.iter().copied().filter_map(difference).collect();
        let missing: Vec<_> = (peer.missing)(peer.policy).into_iter().map(str::to_owned).collect();
        let all = [declared, missing].concat();
        let all = if all.is_empty() { "none".to_owned() } else { all.join("; ") };
        writeln!(differences, "| {name} | {policy} | {insertion} | {all} |")?;
    }
    Ok(format!(
        "{}\n{table}\n## Declared differences\n\n| cache | checked as | a present key is | differences |\n|---|---|---|---|\n\
         {differences}\n## Counterexamples\n\nAs the kit prints them: the shortest that it finds, or shrunk until no operation can be omitted.\n{tests}",
        introduction()
    ))
}
