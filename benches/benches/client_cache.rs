//! The cost of a client: creating it, with and without a session, looking it up, cloning it.
//!
//! Also the cost of its parameters and of its key.

#![allow(missing_docs, reason = "made by Criterion's macros")]

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};

use aws_client_cache::{
    AssumeRole, ClientCache, ClientParams, Credentials, EvictionPolicy, Region, S3, SdkConfig, Session,
    SharedCredentialsProvider,
};
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
    // As a user has it who cares for nothing: each client validates an HTTP client, by making a TLS connector.
    let keys_of_base = Credentials::new("AKIDEXAMPLE", "secret", None, None, "bench");
    let mut with_keys = base.to_builder();
    with_keys.set_credentials_provider(Some(SharedCredentialsProvider::new(keys_of_base)));
    let with_keys = with_keys.build();
    group.bench_function("make a client by hand", |b| b.iter(|| aws_sdk_s3::Client::new(&with_keys)));
    let session = Session::new(&with_keys);
    let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7");
    let of_role = ClientParams::<S3>::builder().region("us-west-2").assume_role(role).build().expect("valid");
    for (name, params) in [("the base's credentials", &params[0]), ("a role", &of_role)] {
        group.bench_function(format!("make a client through a session, {name}, and remove it"), |b| {
            b.iter(|| {
                let client = runtime.block_on(session.client(params)).expect("the base is complete");
                session.cache().remove(&params.key()).expect("it is there");
                client
            });
        });
        runtime.block_on(session.client(params)).expect("the base is complete");
        group.bench_function(format!("find a client through a session, {name}"), |b| {
            b.iter(|| {
                let client = pin!(session.client(params)).poll(&mut Context::from_waker(Waker::noop()));
                assert!(client.is_ready());
            });
        });
    }
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
    group.bench_function("make a key with a role", |b| {
        b.iter(|| {
            let role = AssumeRole::new(black_box("arn:aws:iam::123456789012:role/tenant-7"));
            let builder = ClientParams::<S3>::builder().region("us-west-2").endpoint_url("http://localhost");
            builder.assume_role(role).build().expect("valid").key()
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
