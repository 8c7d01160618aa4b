//! Evicted entries, the causes of eviction, and the listener that is notified.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::trace;
use crate::client::AnyClient;
use crate::key::AnyKey;

/// An entry that was evicted or has expired.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{ClientCache, ClientParams, EvictionPolicy, S3};
/// # use aws_client_cache::SdkConfig;
///
/// # async fn example(base: &SdkConfig) -> Result<(), aws_client_cache::ClientCacheError> {
/// let cache = ClientCache::new(EvictionPolicy::Lru, 30);
/// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
/// let s3 = params.client(base).await?;
/// if let Some(evicted) = cache.insert(params.key(), s3)? {
///     println!("{} was evicted", evicted.key);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Evicted {
    /// The key of the entry.
    pub key: AnyKey,
    /// The client of the entry.
    pub client: AnyClient,
}

impl Evicted {
    pub(super) fn new((key, client): (AnyKey, AnyClient)) -> Self {
        Self { key, client }
    }
}

/// The reason why an entry was evicted.
///
/// [`ClientCacheBuilder::on_evict`](crate::ClientCacheBuilder::on_evict) shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EvictionCause {
    /// Another client was inserted into a full cache, or this one was inserted at a `max_size` of 0.
    Capacity,
    /// `max_size` was lowered.
    Shrunk,
    /// The static credentials of the key have expired.
    // E3, E4
    Expired,
}

/// The function to notify of evictions, if one is set.
#[derive(Default)]
pub(super) struct Listener(Option<Box<Call>>);

type Call = dyn Fn(&Evicted, EvictionCause) + Send + Sync;

impl Listener {
    pub(super) fn new(call: impl Fn(&Evicted, EvictionCause) + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(call)))
    }

    /// Notifies of every victim.
    ///
    /// A panic continues only after the last one.
    // C2: the cache must not be locked.
    pub(super) fn notify(&self, victims: &[Evicted], cause: EvictionCause) {
        let mut first_panic: Option<Box<dyn Any + Send>> = None;
        let mut attempt = |notify: &dyn Fn()| {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(notify)) {
                first_panic.get_or_insert(panic);
            }
        };
        for victim in victims {
            attempt(&|| trace::evicted(victim, cause));
            if let Some(call) = &self.0 {
                attempt(&|| call(victim, cause));
            }
        }
        if let Some(panic) = first_panic {
            resume_unwind(panic);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a listener" } else { "no listener" })
    }
}
