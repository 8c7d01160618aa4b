//! x
#![forbid(unsafe_code)]

mod cache;
mod client;
mod error;
mod key;
pub mod map;
mod params;
mod service;

pub use cache::{ClientCache, ClientCacheBuilder, Evicted, EvictionCause, Items, Keys, Values};
pub use client::AnyClient;
pub use error::ClientCacheError;
pub use key::{AnyKey, CacheKey, ClientCacheKey};
pub use map::{EvictionPolicy, UnknownEvictionPolicy};
pub use params::{ClientParams, ClientParamsBuilder};
#[cfg(feature = "s3")]
pub use service::S3;
pub use service::Service;

#[doc(no_inline)]
pub use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
#[doc(no_inline)]
pub use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
#[doc(no_inline)]
pub use aws_types::{SdkConfig, region::Region};
