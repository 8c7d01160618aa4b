//! Holds the peers against the levels of the conformance kit, and writes what comes of it to `PEERS.md`.
//!
//! `--check` only compares it with what is there.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a program of the command line")]

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _};
use std::process::{Command, ExitCode, Stdio};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use aws_client_cache_benches::peers::{DEPTH, DEPTH_UNCOPIED, LEVELS, Peer, RUNS, Verdict};
use aws_client_cache_spec::{Difference, EvictionPolicy, Level};

const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/PEERS.md");
const LOCK: &str = include_str!("../../../Cargo.lock");

/// After which a level counts as one that does not come to an end.
const TIME_LIMIT: Duration = Duration::from_mins(2);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["hold", peer, level] => {
            let level = LEVELS.into_iter().find(|known| format!("{known:?}") == level).ok_or("no such level")?;
            print!("{}", told(&Peer::ALL[peer.parse::<usize>()?].hold(level)));
            Ok(ExitCode::SUCCESS)
        }
        [] => {
            fs::write(REPORT, report()?)?;
            Ok(ExitCode::SUCCESS)
        }
        ["--check"] => {
            let made = report()?;
            if fs::read_to_string(REPORT)? == made {
                return Ok(ExitCode::SUCCESS);
            }
            eprintln!(
                "benches/PEERS.md is not what `cargo run -p aws-client-cache-benches --bin peers` makes:\n\n{made}"
            );
            Ok(ExitCode::FAILURE)
        }
        _ => Err("arguments: none, or --check".into()),
    }
}

/// What became of a peer at a level in a process of its own.
enum Held {
    /// The level came to an end.
    Verdict(Verdict),
    /// The peer itself panicked.
    Panicked,
    /// The process was aborted.
    Aborted,
    /// There was no end.
    Endless,
    /// It was not held against the level.
    Untried,
}

impl Held {
    fn has_it(&self) -> bool {
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

/// How a child tells its parent a verdict.
fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passes => "passes".to_owned(),
        Verdict::PassesUpTo(depth) => format!("passes {depth}"),
        Verdict::Fails(test) => format!("fails {test}"),
        Verdict::NotApplicable => "not applicable".to_owned(),
    }
}

/// What a child has told.
fn heard(told: &str) -> Option<Verdict> {
    match told.split_once(' ') {
        None if told == "passes" => Some(Verdict::Passes),
        Some(("passes", depth)) => depth.parse().ok().map(Verdict::PassesUpTo),
        Some(("fails", test)) => Some(Verdict::Fails(test.to_owned())),
        Some(("not", "applicable")) => Some(Verdict::NotApplicable),
        _ => None,
    }
}

/// Holds a peer against a level in a process of its own: memory that a panic has corrupted is not to take the report down.
fn hold(peer: usize, level: Level) -> io::Result<Held> {
    let mut child = Command::new(env::current_exe()?)
        .args(["hold", &peer.to_string(), &format!("{level:?}")])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let since = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if since.elapsed() > TIME_LIMIT {
            child.kill()?;
            child.wait()?;
            return Ok(Held::Endless);
        }
        sleep(Duration::from_millis(5));
    };
    let mut told = String::new();
    if let Some(mut output) = child.stdout {
        output.read_to_string(&mut told)?;
    }
    match (status.code(), heard(&told)) {
        (Some(0), Some(verdict)) => Ok(Held::Verdict(verdict)),
        // What a Rust program that panics exits with.
        (Some(101), _) => Ok(Held::Panicked),
        _ => Ok(Held::Aborted),
    }
}

/// Holds a peer against several levels at once.
fn hold_all(peer: usize, levels: &[Level]) -> io::Result<Vec<(Level, Held)>> {
    scope(|scope| {
        let held = levels.iter().map(|level| (*level, scope.spawn(|| hold(peer, *level))));
        let held: Vec<_> = held.collect();
        held.into_iter().map(|(level, held)| Ok((level, held.join().expect("no panic")?))).collect()
    })
}

/// The version of a package that this one is built with.
fn version(package: &str) -> Option<&str> {
    let section = |name: &str, version: Option<&str>| {
        LOCK.split("[[package]]\n").find(|section| {
            field(section, "name") == Some(name)
                && version.is_none_or(|wanted| field(section, "version") == Some(wanted))
        })
    };
    let own = section(env!("CARGO_PKG_NAME"), None)?;
    // A dependency is named with its version if there are several.
    let dependency = own
        .lines()
        .map(|line| line.trim().trim_matches(['"', ',']))
        .find(|line| line.split(' ').next() == Some(package))?;
    field(section(package, dependency.split(' ').nth(1))?, "version")
}

fn field<'a>(section: &'a str, name: &str) -> Option<&'a str> {
    section.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'))
}

fn policy(policy: EvictionPolicy) -> &'static str {
    match policy {
        EvictionPolicy::Lru => "LRU",
        EvictionPolicy::Lfu => "LFU",
        EvictionPolicy::Lfuda => "LFUDA",
    }
}

fn difference(difference: Difference) -> String {
    match difference {
        Difference::NoZero => "has no bound of 0".to_owned(),
        Difference::VictimsUntold => "does not tell what goes".to_owned(),
        Difference::Replaces => "replaces what is present".to_owned(),
        Difference::NoPop => "pops nothing".to_owned(),
        Difference::Unordered => "shows entries in no order".to_owned(),
        other => format!("{other:?}"),
    }
}

fn introduction() -> String {
    format!(
        "\
# The peers, held against the conformance kit

Each cache is held against the levels of [the kit](../spec/src/lib.rs), as a cache of the policy named. A level includes
those before it; one is tried even if a weaker one has failed, but without the order (L1) there is no sense in L2 and L3 (–).

* **L0 dict**: a bounded dict, whichever of its entries goes. {RUNS} random runs of 100 operations.
* **L1 eviction order**: it is always the first in strict LRU or LFU order that goes. As many random runs.
* **L2 every state**: the same, for every operation in every state of the model at bounds up to 3, with 4 keys. Under LFU,
  whose counts make states without end: in every state that up to {DEPTH} operations lead to. What cannot be copied: in every
  sequence of up to {DEPTH_UNCOPIED} operations, at bounds up to 2, with 3 keys.
* **L3 panic safety**: in every state at bounds up to 2, with 3 keys, every call of `Hash`, `Eq`, `Clone` and `Drop` of keys
  and values panics once. Afterwards the cache is as before the operation or as after it, goes on so, and nothing leaks.
  What cannot be copied is not tried.

`cargo run -p aws-client-cache-benches --bin peers` makes this file, the same each time for the same versions, and
`cargo test -p aws-client-cache-benches` sees that it is up to date. The adapters are in [`src/peers`](src/peers): each
forwards to its peer, and declares what the peer does in another way on purpose, which is then left out of the comparison.
`moka` does after each operation what it would postpone (`run_pending_tasks`); held as LFU, it has its default policy, TinyLFU.

A ✗ is not always a fault. `moka`, under its own policy, and `quick_cache` do not promise strict LRU or LFU: theirs are made for
better hit ratios. `lfu_cache` says that of equals it evicts the latest. And no peer documents what holds after a panic in a
caller's code; L3 shows a leak, which is safe, only where there is no other harm.
"
    )
}

fn report() -> Result<String, Box<dyn Error>> {
    let mut table = format!("| cache | held as |{}\n", LEVELS.map(|level| format!(" {level} |")).concat());
    writeln!(table, "|---|---|{}", "---|".repeat(LEVELS.len()))?;
    let mut differences = String::new();
    let mut tests = String::new();
    for (number, peer) in Peer::ALL.iter().enumerate() {
        let version = match peer.package {
            "aws-client-cache" => env!("CARGO_PKG_VERSION"),
            package => version(package).ok_or_else(|| format!("{package} is not in Cargo.lock"))?,
        };
        let name = format!("`{}` {version}", peer.package);
        let policy = policy(peer.policy);
        write!(table, "| {name} | {policy} |")?;
        let weaker = hold_all(number, &[Level::Dict, Level::Order])?;
        let stronger = if weaker.iter().any(|(level, held)| *level == Level::Order && !held.has_it()) {
            [Level::Closure, Level::Panics].map(|level| (level, Held::Untried)).into()
        } else {
            hold_all(number, &[Level::Closure, Level::Panics])?
        };
        for (level, held) in weaker.into_iter().chain(stronger) {
            write!(table, " {} |", held.cell())?;
            if let Held::Verdict(Verdict::Fails(test)) = held {
                write!(tests, "\n### {name}, {policy}: {level}\n\n```rust\n{test}\n```\n")?;
            }
        }
        writeln!(table)?;
        let declared: Vec<_> = peer.differences.iter().copied().map(difference).collect();
        let missing: Vec<_> = (peer.missing)(peer.policy).into_iter().map(str::to_owned).collect();
        let all = [declared, missing].concat();
        let all = if all.is_empty() { "none".to_owned() } else { all.join("; ") };
        writeln!(differences, "| {name} | {policy} | {all} |")?;
    }
    Ok(format!(
        "{}\n{table}\n## Differences that are declared\n\n| cache | held as | differences |\n|---|---|---|\n\
         {differences}\n## Counter-examples\n\nAs the kit prints them: the shortest that it finds, or shrunk until nothing can be left out.\n{tests}",
        introduction()
    ))
}
