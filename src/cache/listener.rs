//! What leaves a cache to make room, and who is told.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::trace;
use crate::client::AnyClient;
use crate::key::AnyKey;

/// An entry that left a cache to make room.
///
/// ```
/// use aws_client_cache::{ClientCache, ClientParams, EvictionPolicy, S3};
/// # use aws_client_cache::SdkConfig;
///
/// # async fn example(sdk_config: &SdkConfig) -> Result<(), aws_client_cache::ClientCacheError> {
/// let cache = ClientCache::new(EvictionPolicy::Lru, 30);
/// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
/// if let Some(evicted) = cache.insert(params.key(), params.client(sdk_config).await?)? {
///     println!("{} made room", evicted.key);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Evicted {
    /// The key that it was cached under.
    pub key: AnyKey,
    /// The client.
    pub client: AnyClient,
}

impl Evicted {
    pub(super) fn new((key, client): (AnyKey, AnyClient)) -> Self {
        Self { key, client }
    }
}

/// Why an entry left a cache without being removed.
///
/// [`ClientCacheBuilder::on_evict`](crate::ClientCacheBuilder::on_evict) shows an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EvictionCause {
    /// The cache was full, and another client was inserted; or it holds none at all, and this is the one.
    Capacity,
    /// `max_size` was lowered.
    Shrunk,
    /// The static credentials of its key have expired (E3, E4).
    Expired,
}

/// Who is told of evictions.
#[derive(Default)]
pub(super) struct Listener(Option<Box<Call>>);

type Call = dyn Fn(&Evicted, EvictionCause) + Send + Sync;

impl Listener {
    pub(super) fn new(call: impl Fn(&Evicted, EvictionCause) + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(call)))
    }

    /// Tells of every victim, and passes a panic on only after the last (C2). The cache must not be locked.
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
