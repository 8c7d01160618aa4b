//! A bounded, thread-safe, dict-like cache of AWS SDK clients, with strict LRU, LFU or LFUDA eviction.
//!
//! Creating a client of the AWS SDK for Rust costs far more than cloning one. The first request of a new
//! client may also have to open a connection. A program that calls AWS on behalf of many tenants, or with many roles,
//! regions or endpoints, therefore keeps its clients, and needs to bound their number. The usual hand-written solution
//! is an unbounded map whose key omits something that distinguishes clients, so that one tenant receives another
//! tenant's client.
//!
//! This crate has two layers:
//!
//! * [`ClientCache`] is the cache. Its keys are built from every parameter that distinguishes clients of one base
//!   configuration, and they hold no credentials.
//! * [`Session`] also creates the clients: each exactly once, all on one HTTP client, with credentials that are resolved
//!   once per tenant.
//!
//! ```
//! use aws_client_cache::{AssumeRole, ClientParams, S3, SdkConfig};
//! use aws_client_cache::{Session, SessionError};
//!
//! # async fn example(sdk_config: &SdkConfig) -> Result<(), SessionError> {
//! // Once: a cheap handle, to be cloned.
//! let session = Session::builder(sdk_config).max_size(200).build();
//!
//! // For each request: the parameters of the tenant's client.
//! let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7");
//! let params = ClientParams::<S3>::builder()
//!     .region("eu-central-1")
//!     .assume_role(role)
//!     .build()?;
//!
//! // The client, from the cache or newly created.
//! let s3: aws_sdk_s3::Client = session.client(&params).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The cache alone works like a dict:
//!
//! ```
//! use aws_client_cache::{ClientCache, ClientCacheError, ClientParams};
//! use aws_client_cache::{EvictionPolicy, S3, SdkConfig};
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
//! // the retrieval; a miss is ClientCacheError::NotFound
//! let s3: aws_sdk_s3::Client = cache.try_get(&key)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Choosing a policy
//!
//! [`EvictionPolicy::Lru`] suits most programs: it evicts the least recently used client. [`EvictionPolicy::Lfu`] suits a
//! few tenants that stay busy among many that appear once: newcomers evict each other instead of the busy ones. Its counts
//! do not age, so a tenant that was once busy stays for long. [`EvictionPolicy::Lfuda`] counts uses too, but lets old
//! counts lose their lead. [POLICIES.md] compares the hit ratios of all three.
//!
//! [POLICIES.md]: https://docs.rs/crate/aws-client-cache/latest/source/docs/POLICIES.md
//!
//! # Key equality
//!
//! Two keys are equal if and only if all their parameters are equal: service, region, endpoint, credentials, FIPS, dual
//! stack, retries, timeouts, HTTP client, app name, customizations, label, and the name of the base configuration. Note the
//! following:
//!
//! * An unset parameter is inherited from the base configuration. It differs from every set value, even from the value
//!   that the base configuration has.
//! * Static credentials are compared by a keyed digest, as are the external id, the policy and the tags of a role.
//! * A [`SharedCredentialsProvider`] is compared by identity. Its clones are equal; wrapping the same provider a second
//!   time gives a different one. The same holds for a [`KeyedHttpClient`].
//! * The closure of a customization is compared by its type. Write it once, in a function, and call that function.
//! * **Base configurations are not compared.** Suppose each tenant has its own [`SdkConfig`], and the parameters set only a
//!   region. Then all tenants share one key, and one tenant receives another tenant's client. Set each tenant's credentials
//!   in its parameters, name each base configuration with [`base`](ClientParamsBuilder::base), or keep one cache for each.
//!
//! # Other services
//!
//! [`service!`] declares a marker for any `aws-sdk-*` crate, and one cache holds clients of any mix of services.
//! Methods that take no typed key, such as [`pop_item`](ClientCache::pop_item), return an [`AnyClient`], which knows its
//! service.
//!
//! # Complexity
//!
//! Every operation on one entry is amortized O(1), under one lock. A hit costs little more than cloning a client. It
//! allocates nothing under LRU, and at most a list of use counts under LFU and LFUDA. Snapshots are O(n). The engine, [`map::EvictingMap`], is public and caches any other values.
//!
//! # Observing a cache
//!
//! [`ClientCache::stats`] returns counters. [`ClientCacheBuilder::on_evict`] sets a listener for evicted clients.
//! Snapshots ([`items`](ClientCache::items), [`clients`](ClientCache::clients)) and
//! [`peek_next_victim`](ClientCache::peek_next_victim) do not count as uses. [`retain`](ClientCache::retain) removes by
//! key, for example all clients of one region. [`Session::invalidate_credentials`] removes a tenant's clients together
//! with the tenant's credentials.
//!
//! # Failures
//!
//! No argument causes a panic, except as listed under *Panics* of [`ClientParams::client`]. A panic in a caller's code (the
//! `Clone` or `Drop` of a client, a listener, the `Eq` of a value) reaches the caller, and leaves the cache consistent and
//! usable. A failing creation fails once, for all its waiters. If the creating caller panics or is dropped, the next waiter
//! takes over. In a session, every caller drives a creation, and its panic is an error of all waiters.
//!
//! The guarantees are numbered rules in [SPEC.md]. [RULES.md] lists its tests.
//!
//! [SPEC.md]: https://docs.rs/crate/aws-client-cache/latest/source/docs/SPEC.md
//! [RULES.md]: https://docs.rs/crate/aws-client-cache/latest/source/docs/RULES.md
//!
//! # Features
//!
//! | feature | default | enables |
//! |---|---|---|
//! | `s3` | yes | the marker [`S3`] and the dependency `aws-sdk-s3` |
//! | `rt-tokio` | yes | the SDK's sleep on Tokio, which its retries and timeouts need |
//! | `default-https-client` | yes | the SDK's own HTTPS client, if the base configuration has none |
//! | `assume-role` | yes | credentials of roles and of profiles, and the dependencies `aws-config` and `aws-sdk-sts` |
//! | `serde` | no | `Serialize` and `Deserialize` for [`ClientCacheConfig`], [`SessionConfig`], [`Stats`] and [`SessionStats`]; `ClientParamsConfig` |
//! | `tracing` | no | events of caches and credentials, without secrets, and a span around each creation |
//!
//! Without default features, the crate depends neither on a service crate nor on `aws-config`.

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
mod shared_future;

pub use cache::{ClientCache, ClientCacheBuilder, ClientCacheConfig, Evicted, EvictionCause, Stats};
pub use client::AnyClient;
pub use error::{ClientCacheError, InsertError};
pub use key::{AnyKey, CacheKey, ClientCacheKey};
pub use map::{EvictionPolicy, ParseEvictionPolicyError};
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub use params::ClientParamsConfig;
#[cfg(feature = "assume-role")]
#[cfg_attr(docsrs, doc(cfg(feature = "assume-role")))]
pub use params::{AssumeRole, WebIdentityToken};
pub use params::{ClientParams, ClientParamsBuilder, KeyedHttpClient};
#[cfg(feature = "s3")]
#[cfg_attr(docsrs, doc(cfg(feature = "s3")))]
pub use service::S3;
pub use service::Service;
#[doc(hidden)]
pub use service::diagnostics as __service;
pub use session::{Session, SessionBuilder, SessionConfig, SessionError, SessionStats, is_revoked, refusal_code};

// The SDK types that parameters consist of, so that users need not depend on the crates that define them.
#[doc(no_inline)]
pub use aws_credential_types::{Credentials, provider::SharedCredentialsProvider, provider::error::CredentialsError};
#[doc(no_inline)]
pub use aws_smithy_async::time::TimeSource;
#[doc(no_inline)]
pub use aws_smithy_runtime::client::retries::RetryPartition;
#[doc(no_inline)]
pub use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
#[doc(no_inline)]
pub use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
#[doc(no_inline)]
pub use aws_types::{SdkConfig, region::Region};

/// The iterators of a [`ClientCache`], named after the methods that return them.
///
/// Each owns its entries. Those of the engine are in [`map`].
///
/// # Examples
///
/// ```
/// use aws_client_cache::{ClientCache, iter};
///
/// fn newest(cache: &ClientCache) -> std::iter::Take<std::iter::Rev<iter::Keys>> {
///     cache.keys().rev().take(3)
/// }
/// ```
pub mod iter {
    pub use crate::cache::{Clients, Drain, IntoIter, Items, Iter, Keys, Values};
}

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Compiles the examples of the migration guide.
#[cfg(doctest)]
#[doc = include_str!("../docs/MIGRATION.md")]
struct Migration;

/// Compiles the examples of the guide.
#[cfg(doctest)]
#[doc = include_str!("../docs/GUIDE.md")]
struct Guide;

/// Compiles the examples of the page on connections.
#[cfg(doctest)]
#[doc = include_str!("../docs/HTTP.md")]
struct Http;

/// Compiles the example of the page on policies.
#[cfg(doctest)]
#[doc = include_str!("../docs/POLICIES.md")]
struct Policies;

/// Compiles the examples of the page on fleets.
#[cfg(doctest)]
#[doc = include_str!("../docs/FLEET.md")]
struct Fleet;
