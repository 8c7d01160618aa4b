//! [`SessionError`], the error of a session.

use std::error::Error;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;

use crate::error::ClientCacheError;
use crate::key::AnyKey;
use crate::redact;

/// The error of a [`Session`](crate::Session).
///
/// The message contains the cause, so that `{error}` is enough for a log. Only that of a panic is left to the panic hook. No
/// message contains a secret.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{ClientParams, S3, SessionError};
///
/// let error = ClientParams::<S3>::builder().region("").build().unwrap_err();
/// let error = SessionError::from(error);
/// assert_eq!(error.to_string(), "invalid region: must not be empty");
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    // K4: no message contains a secret.
    /// The client could not be created, or must not be cached.
    #[error(transparent)]
    Cache(#[from] ClientCacheError),
    /// The credentials of a client could not be loaded.
    ///
    /// The message contains that of `cause`, which therefore is no [`source`](std::error::Error::source).
    #[error("failed to load the credentials of {key}: {}", redact::cause(cause))]
    #[non_exhaustive]
    Credentials {
        /// The key of the client.
        key: AnyKey,
        /// The error of the provider, without secrets. All waiters share it.
        cause: Arc<CredentialsError>,
    },
}

impl SessionError {
    /// Returns the error code with which AWS refused credentials, such as `"AccessDenied"`.
    ///
    /// [`refusal_code`] finds it in an error of a request.
    ///
    /// Returns `None` if AWS refused nothing, for example after a timeout or an error of the caller's own provider. The codes
    /// of the AWS Security Token Service (STS) are known in every case. Those of other services, such as IAM Identity Center,
    /// are unknown if the model of the operation names the error.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::SessionError;
    ///
    /// fn status(error: &SessionError) -> u16 {
    ///     if error.code() == Some("AccessDenied") { 403 } else { 502 }
    /// }
    /// ```
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Credentials { cause, .. } => redact::chain(&**cause).find_map(redact::redacted_code),
            Self::Cache(_) => None,
        }
    }

    pub(super) fn credentials(key: impl Into<AnyKey>, cause: Arc<CredentialsError>) -> Self {
        Self::Credentials { key: key.into(), cause }
    }
}

// An error does not change.
impl UnwindSafe for SessionError {}
impl RefUnwindSafe for SessionError {}

/// Returns the error code with which AWS refused credentials, from any of an error's sources.
///
/// If credentials cannot be loaded for a request of a [`Session`](crate::Session)'s client, the SDK fails with a dispatch
/// failure, which has no code. The refusal is one of its sources. To log it with all sources, use the SDK's
/// `DisplayErrorContext`.
///
/// Returns `None` where [`SessionError::code`] does, and if a service refused the request itself.
///
/// # Examples
///
/// ```
/// use aws_client_cache::refusal_code;
/// use aws_sdk_s3::error::DisplayErrorContext;
///
/// # async fn example(s3: aws_sdk_s3::Client) {
/// if let Err(error) = s3.list_buckets().send().await {
///     match refusal_code(&error) {
///         Some(code) => println!("the role is refused: {code}"),
///         None => println!("{}", DisplayErrorContext(&error)),
///     }
/// }
/// # }
/// ```
pub fn refusal_code<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a str> {
    redact::chain(error).find_map(|error| match error.downcast_ref::<SessionError>() {
        Some(error) => error.code(),
        None => redact::redacted_code(error),
    })
}

/// Returns `true` if an error, or any of its sources, is a refusal of revoked credentials.
///
/// See [`Session::revoke`](crate::Session::revoke). Requests of a client in use fail with a dispatch failure of the SDK, which
/// has the refusal among its sources. The session's own error is [`ClientCacheError::CredentialsRevoked`].
///
/// # Examples
///
/// ```
/// use aws_client_cache::is_revoked;
///
/// # async fn example(s3: aws_sdk_s3::Client) {
/// if let Err(error) = s3.list_buckets().send().await {
///     println!("HTTP status {}", if is_revoked(&error) { 410 } else { 502 });
/// }
/// # }
/// ```
// T13
pub fn is_revoked(error: &(dyn Error + 'static)) -> bool {
    redact::chain(error).any(|error| match error.downcast_ref::<SessionError>() {
        Some(SessionError::Cache(error)) => is_revoked(error),
        Some(SessionError::Credentials { cause, .. }) => is_revoked(&**cause),
        None => {
            matches!(error.downcast_ref(), Some(ClientCacheError::CredentialsRevoked { .. }))
                || redact::is_redacted_revocation(error)
        }
    })
}
