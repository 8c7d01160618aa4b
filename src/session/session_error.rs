//! What can go wrong in a session.

use aws_credential_types::provider::error::CredentialsError;

use crate::error::ClientCacheError;
use crate::key::AnyKey;
use crate::redact;

/// Why a session gave no client. No message holds a secret (K4).
///
/// ```
/// use aws_client_cache::{ClientParams, S3, SessionError};
///
/// let refused = ClientParams::<S3>::builder().region("").build();
/// let error = SessionError::from(refused.unwrap_err());
/// assert_eq!(error.to_string(), "invalid region: it is empty");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// No client could be made, or none may be cached.
    #[error(transparent)]
    Cache(#[from] ClientCacheError),
    /// The credentials of a client could not be resolved.
    #[error("no credentials for {key}")]
    #[non_exhaustive]
    Credentials {
        /// The client's key.
        key: AnyKey,
        /// Why, as the provider says it.
        source: CredentialsError,
    },
}

impl SessionError {
    /// The code by which AWS has refused credentials, as `"AccessDenied"` for a role that may not be assumed; `None` for a
    /// code that the operation's model names, as `"RegionDisabledException"`, and for what is no refusal: no
    /// answer, or an error of the caller's own.
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
            Self::Credentials { source, .. } => redact::code(source),
            Self::Cache(_) => None,
        }
    }

    pub(super) fn credentials(key: impl Into<AnyKey>, source: CredentialsError) -> Self {
        Self::Credentials { key: key.into(), source }
    }
}
