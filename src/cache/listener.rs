//! Evicted entries, the causes of eviction, and the listener that is notified.

use std::any::Any;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::{self, ThreadId};

use parking_lot::Mutex;

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
pub(super) struct Listener {
    call: Option<Box<Call>>,
    /// The threads that are notifying, and the evictions of which each has yet to notify.
    pending: Mutex<HashMap<ThreadId, VecDeque<(Evicted, EvictionCause)>>>,
}

type Call = dyn Fn(&Evicted, EvictionCause) + Send + Sync;

impl Listener {
    pub(super) fn new(call: impl Fn(&Evicted, EvictionCause) + Send + Sync + 'static) -> Self {
        Self { call: Some(Box::new(call)), pending: Mutex::default() }
    }

    /// Notifies of every victim, and of those that the listener itself evicts.
    ///
    /// A panic continues only after the last one. If this thread is already notifying, returns at once: the earlier
    /// call also notifies of these victims. So the listener does not recurse.
    // C2: the cache must not be locked.
    pub(super) fn notify(&self, victims: &[Evicted], cause: EvictionCause) {
        let has_listener = self.call.is_some() || cfg!(feature = "tracing");
        if victims.is_empty() || !has_listener || !self.begin(victims, cause) {
            return;
        }
        let mut panics = Panics(None);
        for victim in victims {
            self.report(victim, cause, &mut panics);
        }
        while let Some((victim, cause)) = self.next_pending() {
            self.report(&victim, cause, &mut panics);
            panics.catch(|| drop(victim));
        }
        if let Some(panic) = panics.0 {
            resume_unwind(panic);
        }
    }

    /// Returns `true` if this thread is to notify now.
    ///
    /// Otherwise, it is already notifying, and will notify of `victims` as well.
    fn begin(&self, victims: &[Evicted], cause: EvictionCause) -> bool {
        match self.pending.lock().entry(thread::current().id()) {
            Entry::Vacant(thread) => {
                thread.insert(VecDeque::new());
                true
            }
            Entry::Occupied(mut thread) => {
                thread.get_mut().extend(victims.iter().map(|victim| (victim.clone(), cause)));
                false
            }
        }
    }

    /// Returns the next eviction of which this thread has yet to notify.
    ///
    /// After the last one, the thread is no longer notifying.
    fn next_pending(&self) -> Option<(Evicted, EvictionCause)> {
        let thread = thread::current().id();
        let mut pending = self.pending.lock();
        let next = pending.get_mut(&thread).and_then(VecDeque::pop_front);
        if next.is_none() {
            pending.remove(&thread);
        }
        next
    }

    fn report(&self, victim: &Evicted, cause: EvictionCause, panics: &mut Panics) {
        panics.catch(|| trace::evicted(victim, cause));
        if let Some(call) = &self.call {
            panics.catch(|| call(victim, cause));
        }
    }
}

/// The first panic of several calls.
struct Panics(Option<Box<dyn Any + Send>>);

impl Panics {
    fn catch(&mut self, call: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(call)) {
            self.0.get_or_insert(panic);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.call.is_some() { "a listener" } else { "no listener" })
    }
}
