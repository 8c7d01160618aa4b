//! Errors of credential providers, redacted so that they can be shown.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_types::error::ErrorMetadata;

/// Returns an error of the same kind that keeps only messages and the service's error code.
///
/// Redacting an error twice changes nothing.
// K4: the `Debug` of a provider's error may show an unreadable response of STS, including credentials.
pub(crate) fn redact(error: &CredentialsError) -> CredentialsError {
    let redacted = error.source().and_then(|source| source.downcast_ref::<Redacted>().cloned());
    like(error, redacted.unwrap_or_else(|| Redacted::of(error)))
}

/// Returns the code with which a service refused the request, if a service did.
pub(crate) fn code(error: &CredentialsError) -> Option<&str> {
    error.source()?.downcast_ref::<Redacted>()?.code.as_deref()
}

/// The error codes that say that a session token has expired.
const EXPIRED_TOKEN: [&str; 3] = ["ExpiredToken", "ExpiredTokenException", "InvalidToken"];

/// Returns `true` if `error` is a service's refusal of an expired session token.
// T12
pub(crate) fn is_expired_token(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| (*error).source()).any(|error| {
        refusal(error).map_or_else(
            // If the operation's model names the error, its message begins with the code.
            || EXPIRED_TOKEN.contains(&error.to_string().split(':').next().unwrap_or_default()),
            |code| EXPIRED_TOKEN.contains(&&*code),
        )
    })
}

/// Returns an error of the same kind as `error`, with another source.
fn like(error: &CredentialsError, source: Redacted) -> CredentialsError {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => CredentialsError::not_loaded(source),
        CredentialsError::InvalidConfiguration(_) => CredentialsError::invalid_configuration(source),
        CredentialsError::ProviderTimedOut(details) => CredentialsError::provider_timed_out(details.timeout_duration()),
        CredentialsError::ProviderError(_) => CredentialsError::provider_error(source),
        _ => CredentialsError::unhandled(source),
    }
}

/// The messages of an error and its sources, in one line, and the service's error code.
#[derive(Clone)]
struct Redacted {
    text: Arc<str>,
    code: Option<Arc<str>>,
}

impl Redacted {
    fn of(error: &CredentialsError) -> Self {
        let sources = || std::iter::successors(error.source(), |error| (*error).source());
        let text = sources().map(ToString::to_string).collect::<Vec<_>>().join(": ").into();
        Self { text, code: sources().find_map(refusal) }
    }
}

/// Returns the error code if `source` is a service's refusal.
///
/// The SDK's error of an operation has its metadata as a source, unless the operation's model names the error. If a chained
/// role was refused, the source is the redacted error of the role before it.
fn refusal(source: &(dyn Error + 'static)) -> Option<Arc<str>> {
    let refused = source.downcast_ref::<ErrorMetadata>().and_then(|refusal| refusal.code().map(Arc::from));
    refused.or_else(|| source.downcast_ref::<Redacted>()?.code.clone())
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl Error for Redacted {}
