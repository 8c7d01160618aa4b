//! Counts instructions, which repeat on a machine whose times do not: runs itself under `valgrind --tool=callgrind`.

#![expect(clippy::print_stdout, reason = "it is what it is for")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "counts are far from where that matters"
)]

use std::env;
use std::error::Error;
use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;

use aws_client_cache::{ClientCache, ClientParams, EvictionPolicy, Region, SdkConfig, Service};
use aws_client_cache_benches::contender::{Contender, Hasher, Lfu, Lru};
use clap::Parser;

/// Counts the instructions of one operation, of the engine and of peers. Needs valgrind.
#[derive(Parser)]
struct Arguments {
    /// Does one of the operations, so often, and counts nothing: what runs under valgrind.
    #[arg(long, num_args = 2, value_names = ["NAME", "TIMES"])]
    run: Option<Vec<String>>,

    /// Counts a hit of `ClientCache` only, and prints the number.
    #[arg(long)]
    cache: bool,
}

/// How many entries there are: few enough for the first level of the processor's caches.
const ENTRIES: u64 = 30;

type Run = fn(u64);

/// Every key is there.
fn hits<C: Contender<u64>>(times: u64) {
    let mut cache = C::new(ENTRIES as usize, 7);
    for key in 0..ENTRIES {
        cache.get_or_insert(&key);
    }
    // Not one after another, which would always be the next victim.
    let hits = (0..times).filter(|turn| cache.get_or_insert(black_box(&(turn * 7 % ENTRIES)))).count();
    assert_eq!(hits as u64, times);
}

/// No key is there.
fn replacements<C: Contender<u64>>(times: u64) {
    let mut cache = C::new(ENTRIES as usize, 7);
    for key in 0..ENTRIES {
        cache.get_or_insert(&key);
    }
    let hits = (0..times).filter(|turn| cache.get_or_insert(black_box(&(ENTRIES + turn)))).count();
    assert_eq!(hits, 0);
}

/// A service whose clients are handles, as the SDK's are.
enum Handles {}

impl Service for Handles {
    type Client = Arc<u64>;
    type ConfigBuilder = u64;
    const NAME: &'static str = "Handles";

    fn config_builder(_: &SdkConfig) -> u64 {
        0
    }

    fn client(number: u64) -> Arc<u64> {
        Arc::new(number)
    }

    fn region(_: &Arc<u64>) -> Option<&Region> {
        None
    }
}

/// Every client is there.
fn client_hits(times: u64) {
    let cache = ClientCache::new(EvictionPolicy::Lru, ENTRIES as usize);
    let keys: Vec<_> = (0..ENTRIES)
        .map(|number| {
            let params = ClientParams::<Handles>::builder().base(number.to_string()).build();
            let key = params.expect("a number is a valid name").key();
            cache.insert(key.clone(), Arc::new(number)).expect("it is absent");
            key
        })
        .collect();
    let hits = (0..times).filter(|turn| cache.get(black_box(&keys[(turn * 7 % ENTRIES) as usize])).is_some()).count();
    assert_eq!(hits as u64, times);
}

const CLIENT_CACHE: &str = "hit ClientCache";

const ALL: [(&str, Run, Run); 6] = [
    ("ours, LRU", hits::<Lru<u64>>, replacements::<Lru<u64>>),
    ("lru", hits::<lru::LruCache<u64, u64, Hasher>>, replacements::<lru::LruCache<u64, u64, Hasher>>),
    ("hashlink", hits::<hashlink::LruCache<u64, u64, Hasher>>, replacements::<hashlink::LruCache<u64, u64, Hasher>>),
    (
        "schnellru",
        hits::<schnellru::LruMap<u64, u64, schnellru::ByLength, Hasher>>,
        replacements::<schnellru::LruMap<u64, u64, schnellru::ByLength, Hasher>>,
    ),
    ("ours, LFU", hits::<Lfu<u64>>, replacements::<Lfu<u64>>),
    ("lfu_cache", hits::<lfu_cache::LfuCache<u64, u64>>, replacements::<lfu_cache::LfuCache<u64, u64>>),
];

/// All instructions of this program when it does an operation so often.
fn counted(operation: &str, times: u64) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args(["--run", operation, &times.to_string()])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.lines().find_map(|line| line.split_once("Collected : ")).ok_or_else(|| said.to_string())?;
    Ok(count.1.trim().parse()?)
}

/// The instructions of one: those that so many more of them take, the rest of the program being the same.
fn of_one(operation: &str) -> Result<f64, Box<dyn Error>> {
    let (few, many) = (counted(operation, 20_000)?, counted(operation, 40_000)?);
    Ok((many - few) as f64 / 20_000.0)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if let Some(run) = arguments.run {
        let [operation, times] = &run[..] else { return Err("a name and a number".into()) };
        if operation == CLIENT_CACHE {
            client_hits(times.parse()?);
            return Ok(());
        }
        let (kind, name) = operation.split_once(' ').ok_or("an operation of a cache")?;
        let (_, hits, replacements) = ALL.iter().find(|(known, ..)| *known == name).ok_or("a cache that is known")?;
        (if kind == "hit" { hits } else { replacements })(times.parse()?);
        return Ok(());
    }
    let client_hit = of_one(CLIENT_CACHE)?;
    if arguments.cache {
        println!("{client_hit:.1}");
        return Ok(());
    }
    println!("| of {ENTRIES} entries | a hit | a replacement |\n|---|---|---|");
    for (name, ..) in ALL {
        println!("| {name} | {:.0} | {:.0} |", of_one(&format!("hit {name}"))?, of_one(&format!("replace {name}"))?);
    }
    println!("| `ClientCache` | {client_hit:.0} | |");
    Ok(())
}
