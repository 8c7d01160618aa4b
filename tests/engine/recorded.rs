//! The recorded behavior of the Python package `boto3-client-cache` 2.1.19, replayed step by step.
//!
//! Each line of the recordings is a trace: a policy, a `max_size` and steps. A step has its outcome and the content of
//! the cache after it, in eviction order.

use aws_client_cache_spec::{Model, Policy, Refusal, SystemUnderTest};
use serde_json::{Value, json};
use support::cache::Cache;
use support::engine::Engine;
use support::report::report;

const RECORDINGS: &str = include_str!("data/boto3-client-cache-2.1.19.jsonl");

fn number<T: TryFrom<u64, Error: std::fmt::Debug>>(value: &Value) -> T {
    T::try_from(value.as_u64().expect("a number")).expect("in range")
}

fn outcome<T: Into<Value>>(result: Result<T, Refusal>) -> Value {
    match result {
        Ok(value) => json!({ "ok": value.into() }),
        Err(Refusal::AlreadyExists) => json!({ "err": "exists" }),
        Err(Refusal::NotFound | Refusal::Empty) => json!({ "err": "not_found" }),
        Err(Refusal::Expired) => unreachable!("nothing expires in Python"),
    }
}

/// Performs one recorded step, and returns its outcome in the words of the recordings.
fn perform<C: SystemUnderTest<u8, u64>>(cache: &mut C, step: &Value) -> Value {
    let key = || number(&step["key"]);
    match step["op"].as_str().expect("an operation") {
        "set" => outcome(cache.insert(key(), number(&step["value"])).map(|_| Value::Null)),
        "get" => outcome(Ok(cache.get(&key()))),
        "getitem" => outcome(cache.try_get(&key())),
        "contains" => outcome(Ok(cache.contains_key(&key()))),
        "del" => outcome(cache.remove(&key()).map(|_| Value::Null)),
        "pop" => outcome(cache.remove(&key())),
        "popitem" => outcome(cache.pop().map(|(key, value)| json!([key, value]))),
        "len" => outcome(Ok(cache.len())),
        "keys" => outcome(Ok(cache.keys())),
        "values" => outcome(Ok(cache.values())),
        "reversed" => outcome(Ok(cache.reversed().into_iter().map(|(key, _)| key).collect::<Vec<_>>())),
        "set_max_size" => {
            cache.set_max_size(number(&step["value"])).expect("a cache whose bound can be set");
            outcome(Ok(Value::Null))
        }
        "clear" => {
            cache.clear();
            outcome(Ok(Value::Null))
        }
        "copy" => {
            *cache = cache.copy().expect("a cache that can be copied");
            outcome(Ok(Value::Null))
        }
        unknown => panic!("unknown operation {unknown}"),
    }
}

fn replay<C: SystemUnderTest<u8, u64>>(whose: &str, new: impl Fn(Policy, usize) -> C) {
    let (mut traces, mut steps) = (0, 0);
    for line in RECORDINGS.lines() {
        let trace: Value = serde_json::from_str(line).expect("a line is a trace");
        let policy = match trace["policy"].as_str() {
            Some("LRU") => Policy::Lru,
            Some("LFU") => Policy::Lfu,
            other => panic!("unknown policy {other:?}"),
        };
        let mut cache = new(policy, number(&trace["max_size"]));
        for step in trace["steps"].as_array().expect("steps") {
            let at = format!("trace {traces}, {step}");
            assert_eq!(perform(&mut cache, step), step["out"], "outcome of {at}");
            assert_eq!(json!(cache.items()), step["state"], "state after {at}");
            assert_eq!(cache.max_size(), number::<usize>(&step["max_size"]), "max_size after {at}");
            assert_eq!(cache.check(), Ok(()), "check after {at}");
            steps += 1;
        }
        traces += 1;
    }
    assert_eq!((traces, steps), (240, 12_000), "all recordings are replayed");
    report("recordings", format!("of the Python package, on the {whose}"), format!("{traces} traces, {steps} steps"));
}

// Proves every rule D, L, F.
#[test]
fn the_model_does_what_the_python_package_does() {
    replay("model", Model::new);
}

// Proves every rule D, L, F.
#[test]
fn the_engine_does_what_the_python_package_does() {
    replay("engine", Engine::new);
}

// Proves every rule D, L, F.
#[test]
fn the_cache_does_what_the_python_package_does() {
    replay("cache", Cache::new);
}
