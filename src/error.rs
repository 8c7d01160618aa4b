//! [`ClientCacheError`], the error of a cache's operations, and [`InsertError`], that of an insertion.

use std::error::Error;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use aws_types::region::Region;

use crate::key::{AnyKey, ClientCacheKey};
use crate::map::ParseEvictionPolicyError;
use crate::service::Service;

/// The error of a [`ClientCache`](crate::ClientCache), or of the parameters of a client.
///
/// A failed operation has changed nothing, unless its documentation says otherwise. No message contains a secret.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{ClientCache, ClientCacheError, ClientParams, S3};
///
/// let cache = ClientCache::default();
/// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
/// let error = cache.try_get(&params.key()).unwrap_err();
/// assert!(matches!(error, ClientCacheError::NotFound { .. }));
/// assert_eq!(
///     error.to_string(),
///     "no client is cached under S3(region=us-west-2)",
/// );
/// # Ok::<(), ClientCacheError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientCacheError {
    /// The key to insert is present.
    ///
    /// Its client has not been replaced.
    // D3
    #[non_exhaustive]
    AlreadyExists {
        /// The key.
        key: AnyKey,
    },
    /// The key is absent.
    // D4, D6
    #[non_exhaustive]
    NotFound {
        /// The key.
        key: AnyKey,
    },
    /// The cache is empty, so there is no entry to pop.
    // D6
    Empty,
    /// The client to insert is configured for another region than its key.
    // K6
    #[non_exhaustive]
    ClientMismatch {
        /// The key.
        key: AnyKey,
        /// The region of the client.
        found: Region,
    },
    /// The static credentials of the key have expired.
    // E2, E3
    #[non_exhaustive]
    CredentialsExpired {
        /// The key.
        key: AnyKey,
    },
    /// The session refuses the credentials of the key, after [`Session::revoke`](crate::Session::revoke).
    // T13
    #[non_exhaustive]
    CredentialsRevoked {
        /// The key.
        key: AnyKey,
    },
    /// The caller's `create` failed, or a shared creation panicked.
    // S5, S9
    #[non_exhaustive]
    CreationFailed {
        /// The key.
        key: AnyKey,
        /// The error of `create`, shared by all waiters.
        ///
        /// It is shown unchanged, so keep secrets out of it. That of a panic does not show the message.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// A parameter is invalid.
    // K5, K7
    #[non_exhaustive]
    InvalidParams {
        /// The name of the parameter, which is the name of its setter.
        parameter: &'static str,
        /// The reason, without the value of the parameter.
        reason: String,
    },
    /// A string does not name an eviction policy.
    InvalidEvictionPolicy(ParseEvictionPolicyError),
}

impl ClientCacheError {
    pub(crate) fn invalid(parameter: &'static str, reason: impl Into<String>) -> Self {
        Self::InvalidParams { parameter, reason: reason.into() }
    }
}

// K4: no message contains a secret.
impl fmt::Display for ClientCacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyExists { key } => write!(f, "a client is already cached under {key}"),
            Self::NotFound { key } => write!(f, "no client is cached under {key}"),
            Self::Empty => f.write_str("the cache is empty"),
            Self::ClientMismatch { key, found } => {
                write!(f, "a client for {} cannot be cached under {key}", found.as_ref().escape_debug())
            }
            Self::CredentialsExpired { key } => write!(f, "the credentials of {key} have expired"),
            Self::CredentialsRevoked { key } => write!(f, "the credentials of {key} have been revoked"),
            Self::CreationFailed { key, source: _ } => write!(f, "failed to create a client for {key}"),
            Self::InvalidParams { parameter, reason } => write!(f, "invalid {parameter}: {reason}"),
            Self::InvalidEvictionPolicy(error) => error.fmt(f),
        }
    }
}

impl Error for ClientCacheError {
    /// Returns the error of `create` itself, not the `Arc` around it, so that it can be downcast.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::CreationFailed { source, .. } => Some(&**source),
            _ => None,
        }
    }
}

// An error does not change.
impl UnwindSafe for ClientCacheError {}
impl RefUnwindSafe for ClientCacheError {}

impl From<ParseEvictionPolicyError> for ClientCacheError {
    fn from(error: ParseEvictionPolicyError) -> Self {
        Self::InvalidEvictionPolicy(error)
    }
}

/// The error of [`ClientCache::insert`](crate::ClientCache::insert), with the refused key and client.
///
/// With `?` it becomes a [`ClientCacheError`].
///
/// # Examples
///
/// ```
/// use aws_client_cache::{ClientCache, ClientCacheError, ClientCacheKey, S3};
///
/// /// Returns the client that is cached, or else caches this one.
/// fn cached(
///     cache: &ClientCache,
///     key: ClientCacheKey<S3>,
///     client: aws_sdk_s3::Client,
/// ) -> Result<aws_sdk_s3::Client, ClientCacheError> {
///     match cache.insert(key.clone(), client.clone()) {
///         Ok(_) => Ok(client),
///         Err(refused) => match refused.error {
///             // If the key has been removed again: the refused client.
///             ClientCacheError::AlreadyExists { .. } => {
///                 Ok(cache.get(&key).unwrap_or(refused.client))
///             }
///             error => Err(error),
///         },
///     }
/// }
/// ```
#[non_exhaustive]
pub struct InsertError<S: Service> {
    /// The reason.
    pub error: ClientCacheError,
    /// The refused key.
    pub key: ClientCacheKey<S>,
    /// The refused client.
    pub client: S::Client,
}

impl<S: Service> fmt::Display for InsertError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<S: Service> fmt::Debug for InsertError<S> {
    /// Shows only the reason, because the `Debug` of SDK clients shows access key ids.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InsertError").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<S: Service> Error for InsertError<S> {}

impl<S: Service> From<InsertError<S>> for ClientCacheError {
    fn from(refused: InsertError<S>) -> Self {
        refused.error
    }
}
