//! What a client costs: to make, to find in the cache, to clone; and what its parameters and key cost.

#![allow(missing_docs, reason = "made by Criterion's macros")]

use std::hint::black_box;

use aws_client_cache::{ClientCache, ClientParams, Credentials, EvictionPolicy, Region, S3, SdkConfig};
use aws_config::BehaviorVersion;
use criterion::{Criterion, criterion_group, criterion_main};

fn client_cache(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let base = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .build();
    let regions = ["us-west-2", "us-east-1", "eu-central-1", "ap-south-1"];
    let params = regions.map(|region| ClientParams::<S3>::builder().region(region).build().expect("valid"));
    let keys = params.each_ref().map(ClientParams::key);

    let mut group = c.benchmark_group("client_cache");
    group.bench_function("make a client", |b| {
        b.iter(|| runtime.block_on(params[0].client(&base)).expect("the base is complete"));
    });
    for policy in [EvictionPolicy::Lru, EvictionPolicy::Lfu] {
        let cache = ClientCache::new(policy, 30);
        for (params, key) in params.iter().zip(&keys) {
            let client = runtime.block_on(params.client(&base)).expect("the base is complete");
            cache.insert(key.clone(), client).expect("the key is absent");
        }
        group.bench_function(format!("find a client, {policy}"), |b| {
            let mut turn = keys.iter().cycle();
            b.iter(|| cache.get(turn.next().expect("it never ends")));
        });
    }
    let client = runtime.block_on(params[0].client(&base)).expect("the base is complete");
    group.bench_function("clone a client", |b| b.iter(|| client.clone()));
    group.bench_function("make a key", |b| {
        b.iter(|| {
            let builder = ClientParams::<S3>::builder().region(black_box("us-west-2")).endpoint_url("http://localhost");
            builder.build().expect("valid").key()
        });
    });
    group.bench_function("make a key with static credentials", |b| {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "bench");
        b.iter(|| {
            let builder = ClientParams::<S3>::builder().region(black_box("us-west-2")).credentials(credentials.clone());
            builder.build().expect("valid").key()
        });
    });
    group.finish();
}

criterion_group!(benches, client_cache);
criterion_main!(benches);
