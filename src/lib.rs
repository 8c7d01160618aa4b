//! A bounded, thread-safe, dict-like cache of AWS SDK clients, with strict LRU and LFU eviction.
//!
//! Making a client of the AWS SDK for Rust costs thousands of times what cloning one costs, and its first call may cost a
//! new connection. A program that talks to AWS as many tenants, roles, regions or endpoints therefore keeps its
//! clients, and needs to bound how many. What is written by hand for that tends to be an unbounded map, with a key that
//! forgets what tells clients apart, so that one tenant gets another's client. [`ClientCache`] is that map done once:
//! keys are made from everything that tells clients of one configuration apart, and hold no credentials. [`Session`] makes
//! the clients as well: each exactly once, on one HTTP client, with credentials that are resolved once for each tenant.
//!
//! ```
//! use aws_client_cache::{AssumeRole, ClientParams, S3, SdkConfig, Session, SessionError};
//!
//! # async fn example(sdk_config: &SdkConfig) -> Result<(), SessionError> {
//! // once: a cheap handle, to be cloned
//! let session = Session::builder(sdk_config).max_size(200).build();
//! // for each request: who is asking
//! let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7");
//! let params = ClientParams::<S3>::builder().region("eu-central-1").assume_role(role).build()?;
//! // the client, from the cache or made now
//! let s3: aws_sdk_s3::Client = session.client(&params).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The cache by itself is a dict:
//!
//! ```
//! use aws_client_cache::{ClientCache, ClientCacheError, ClientParams, EvictionPolicy, SdkConfig, S3};
//!
//! # async fn example(sdk_config: &SdkConfig) -> Result<(), ClientCacheError> {
//! // an LRU client cache with a maximum size of 30
//! let cache = ClientCache::new(EvictionPolicy::Lru, 30);
//! // client parameters in an object
//! let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
//! // a cache key from those parameters
//! let key = params.key();
//! // the assignment
//! cache.insert(key.clone(), params.client(sdk_config).await?)?;
//! // retrieval, the error on a miss being ClientCacheError::NotFound
//! let s3: aws_sdk_s3::Client = cache.try_get(&key)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Which policy
//!
//! [`EvictionPolicy::Lru`] is for most programs: what was used lately will be used again. [`EvictionPolicy::Lfu`] suits a
//! few tenants that are always busy among many that come once: a burst of newcomers does not push the busy ones out. Its
//! counts do not age, so a tenant that was busy once stays long.
//!
//! # What makes two keys equal
//!
//! All parameters, compared in full: the service, region, endpoint, credentials, FIPS, dual stack, retries, timeouts,
//! app name, customisations, and the name of the base configuration. The traps:
//!
//! * What is not set is inherited from the base configuration, and differs from every value that is set, even if the base
//!   says the same.
//! * Static credentials are compared by a keyed digest, and so are a role's external id, policy and tags. A
//!   [`SharedCredentialsProvider`] is compared by its identity: clones of one are one, and wrapping the same provider again
//!   makes another.
//! * A customisation's closure is compared by its type: write it once and call it from where it is needed.
//! * **Base configurations are not compared.** If each tenant has an [`SdkConfig`] of its own, params that name only a region
//!   give all of them one key, and one tenant another's client. Give each tenant's credentials to the params; or name each
//!   base, by [`base`](ClientParamsBuilder::base); or keep a cache for each.
//!
//! # Other services
//!
//! [`service!`] makes a marker for any `aws-sdk-*` crate, and one cache holds clients of any mix of services. What comes
//! out of it without a typed key, as from [`pop_item`](ClientCache::pop_item), is an [`AnyClient`], which knows its
//! service.
//!
//! # Costs
//!
//! Every operation on one entry takes constant time under one lock, and a hit, about twice the cost of cloning a client,
//! allocates nothing. Snapshots are linear. The engine, [`map::EvictingMap`], is public, and makes a cache of anything else.
//!
//! # Seeing inside
//!
//! [`ClientCache::stats`] counts; [`ClientCacheBuilder::on_evict`] is told what leaves to make room. Snapshots
//! ([`items`](ClientCache::items), [`clients`](ClientCache::clients)) and [`peek_next_victim`](ClientCache::peek_next_victim) are no uses.
//! [`retain`](ClientCache::retain) removes by key: everything of one region, or of one tenant, whose credentials
//! [`Session::invalidate_credentials`] forgets as well.
//!
//! # Failure
//!
//! Nothing panics that a caller can pass, but for what is listed under *Panics* of [`ClientParams::client`]. A panic in a
//! caller's own code (a client's `Clone` or `Drop`, a listener, a value's `Eq`) reaches its caller, and leaves the cache
//! whole and usable. A creation that fails fails for all who wait for it, once; one that panics or is given up is taken over
//! by the next who waits.
//!
//! # Features
//!
//! | feature | default | what it brings |
//! |---|---|---|
//! | `s3` | yes | the marker [`S3`] and `aws-sdk-s3` |
//! | `rt-tokio` | yes | the SDK's sleep on Tokio, which its retries and timeouts need |
//! | `default-https-client` | yes | the SDK's own HTTPS client, for a base configuration that names none |
//! | `assume-role` | yes | credentials of roles and of profiles, and `aws-config` |
//! | `serde` | no | [`ClientCacheConfig`] and [`SessionConfig`] from a file, and [`Stats`] to be written |
//! | `tracing` | no | events of what a cache does, at debug level and without secrets, and a span around each creation |
//!
//! Without default features the crate depends on no service crate, and not on `aws-config`.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cache;
mod client;
mod error;
mod key;
pub mod map;
mod params;
mod redact;
mod service;
mod session;

pub use cache::{
    ClientCache, ClientCacheBuilder, ClientCacheConfig, Clients, Evicted, EvictionCause, Items, Keys, Stats, Values,
};
pub use client::AnyClient;
pub use error::ClientCacheError;
pub use key::{AnyKey, CacheKey, ClientCacheKey};
pub use map::{EvictionPolicy, ParseEvictionPolicyError};
#[cfg(feature = "assume-role")]
#[cfg_attr(docsrs, doc(cfg(feature = "assume-role")))]
pub use params::AssumeRole;
pub use params::{ClientParams, ClientParamsBuilder};
#[cfg(feature = "s3")]
#[cfg_attr(docsrs, doc(cfg(feature = "s3")))]
pub use service::S3;
pub use service::Service;
pub use session::{Session, SessionBuilder, SessionConfig, SessionError};

// The SDK's types that parameters are made of, so that a user need not depend on the crates that they come from.
#[doc(no_inline)]
pub use aws_credential_types::{Credentials, provider::SharedCredentialsProvider, provider::error::CredentialsError};
#[doc(no_inline)]
pub use aws_smithy_async::time::TimeSource;
#[doc(no_inline)]
pub use aws_smithy_runtime::client::retries::RetryPartition;
#[doc(no_inline)]
pub use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
#[doc(no_inline)]
pub use aws_types::{SdkConfig, region::Region};

/// The README's examples, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The examples for those who come from something else, compiled.
#[cfg(doctest)]
#[doc = include_str!("../docs/MIGRATION.md")]
struct Migration;

/// Compiles the examples of the guide.
#[cfg(doctest)]
#[doc = include_str!("../docs/GUIDE.md")]
struct Guide;
