//! A hit allocates nothing, with the SDK's own clients.
//!
//! This program has one test, because the counters are global to the process.

use std::alloc::System;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_client_cache::{
    AnyKey, AssumeRole, ClientCache, ClientParams, Credentials, EvictionPolicy, Region, S3, SdkConfig, Session,
};
use aws_config::BehaviorVersion;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region as Counts, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn allocations(mut call: impl FnMut()) -> usize {
    let counts = Counts::new(ALLOCATOR);
    for _ in 0..1_000 {
        call();
    }
    let counts = counts.change();
    counts.allocations + counts.reallocations
}

#[test]
fn a_hit_allocates_nothing_and_this_test_would_see_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let base = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .build();
    for policy in EvictionPolicy::ALL.iter().copied() {
        let cache = ClientCache::new(policy, 30);
        let regions = ["us-west-2", "us-east-1", "eu-central-1"];
        let params = regions.map(|region| ClientParams::<S3>::builder().region(region).build().unwrap());
        let keys = params.each_ref().map(ClientParams::key);
        for (params, key) in params.iter().zip(&keys) {
            let client = runtime.block_on(params.client(&base)).unwrap();
            cache.insert(key.clone(), client).unwrap();
        }
        let erased = AnyKey::from(keys[0].clone());
        // The first uses may create the frequency buckets of LFU and LFUDA.
        if policy != EvictionPolicy::Lru {
            for key in keys.iter().chain(&keys) {
                assert!(cache.get(key).is_some());
            }
        }

        let mut turn = keys.iter().cycle();
        let mut next = || turn.next().unwrap();
        assert_eq!(allocations(|| drop(black_box(cache.get(next())))), 0, "get");
        assert_eq!(allocations(|| drop(black_box(cache.try_get(next())))), 0, "try_get");
        assert_eq!(allocations(|| drop(black_box(cache.get(&erased)))), 0, "get, erased");
        assert_eq!(allocations(|| drop(black_box(cache.peek(next())))), 0, "peek");
        assert_eq!(allocations(|| assert!(cache.contains_key(next()))), 0, "contains_key");
        assert_eq!(allocations(|| drop(black_box(params[0].key()))), 0, "key");

        assert!(allocations(|| drop(black_box(cache.keys()))) >= 1_000, "a snapshot allocates");

        let session = Session::builder(&base).policy(policy).max_size(30).build();
        let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant");
        let keys = Credentials::new("AKID", "secret", None, None, "test");
        let of_role = ClientParams::<S3>::builder().credentials(keys).assume_role(role).build().unwrap();
        for params in params.iter().chain([&of_role]) {
            for _ in 0..2 {
                runtime.block_on(session.client(params)).unwrap();
            }
            let hit = || {
                let client = pin!(session.client(params)).poll(&mut Context::from_waker(Waker::noop()));
                assert!(matches!(client, Poll::Ready(Ok(_))), "a hit does not suspend");
            };
            assert_eq!(allocations(hit), 0, "a session's client");
            let size = size_of_val(&session.client(params));
            assert!(size <= 256, "a caller moves the future of {size} bytes, also for a hit");
        }
        let keys = Credentials::new("AKID", "secret", None, None, "test");
        let of_keys = ClientParams::<S3>::builder().credentials(keys).build().unwrap();
        let ready = || drop(runtime.block_on(session.ready(&of_keys)).unwrap());
        ready();
        assert_eq!(allocations(ready), 0, "a client of a known scope with credentials");
    }
}
