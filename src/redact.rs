//! Errors of credential providers, redacted so that they can be shown.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;
#[cfg(feature = "assume-role")]
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
#[cfg(feature = "assume-role")]
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
#[cfg(feature = "assume-role")]
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_types::error::ErrorMetadata;

/// Returns an error of the same kind that keeps only messages and the service's error code.
///
/// Redacting an error twice changes nothing.
// K4: the `Debug` of a provider's error may show an unreadable response of STS, including credentials.
pub(crate) fn redact(error: &CredentialsError) -> CredentialsError {
    let redacted = error.source().and_then(|source| source.downcast_ref::<Redacted>().cloned());
    like(error, redacted.unwrap_or_else(|| Redacted::of(error)))
}

/// Returns the cause of a redacted error, in one line.
pub(crate) fn cause(error: &CredentialsError) -> String {
    error.source().unwrap_or(error).to_string()
}

/// Returns the code with which a service refused the request, if `error` is a redacted refusal.
pub(crate) fn redacted_code<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a str> {
    error.downcast_ref::<Redacted>()?.code.as_deref()
}

/// The error codes that say that a session token has expired.
const EXPIRED_TOKEN: [&str; 3] = ["ExpiredToken", "ExpiredTokenException", "InvalidToken"];

/// Returns `true` if `error` is a service's refusal of an expired session token.
// T12
pub(crate) fn is_expired_token(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|error| {
        redacted_code(error).or_else(|| metadata(error)?.code()).map_or_else(
            // If the operation's model names the error, its message begins with the code.
            || EXPIRED_TOKEN.contains(&error.to_string().split(':').next().unwrap_or_default()),
            |code| EXPIRED_TOKEN.contains(&code),
        )
    })
}

/// Returns an error and its sources.
pub(crate) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// Returns the metadata of a service's refusal, if it has a code.
///
/// The SDK's error of an operation has its metadata as a source, unless the operation's model names the error.
fn metadata<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a ErrorMetadata> {
    let metadata = error.downcast_ref::<ErrorMetadata>();
    #[cfg(feature = "assume-role")]
    let metadata = metadata
        .or_else(|| Some(error.downcast_ref::<SdkError<AssumeRoleError>>()?.meta()))
        .or_else(|| Some(error.downcast_ref::<SdkError<AssumeRoleWithWebIdentityError>>()?.meta()));
    metadata.filter(|metadata| metadata.code().is_some())
}

/// Returns an error of the same kind as `error`, with another source.
fn like(error: &CredentialsError, source: Redacted) -> CredentialsError {
    match error {
        CredentialsError::CredentialsNotLoaded(_) if source.text.is_empty() => CredentialsError::not_loaded_no_source(),
        CredentialsError::CredentialsNotLoaded(_) => CredentialsError::not_loaded(source),
        CredentialsError::InvalidConfiguration(_) => CredentialsError::invalid_configuration(source),
        CredentialsError::ProviderTimedOut(details) => CredentialsError::provider_timed_out(details.timeout_duration()),
        CredentialsError::ProviderError(_) => CredentialsError::provider_error(source),
        _ => CredentialsError::unhandled(source),
    }
}

/// The messages of an error's sources, in one line, and the service's error code.
#[derive(Clone)]
struct Redacted {
    text: Arc<str>,
    code: Option<Arc<str>>,
}

impl Redacted {
    fn of(error: &CredentialsError) -> Self {
        let (mut texts, mut code) = (Vec::new(), None);
        for source in chain(error).skip(1) {
            if let Some(refusal) = metadata(source) {
                texts.extend([refusal.code(), refusal.message()].into_iter().flatten().map(str::to_owned));
                code = refusal.code().map(Arc::from);
                break;
            }
            // If a chained role was refused, the last source is the redacted error of the role before it.
            code = redacted_code(source).map(Arc::from);
            texts.push(source.to_string());
        }
        // An error that the model of an operation names has the text of the operation's error.
        texts.dedup();
        Self { text: one_line(&texts.join(": ")).into(), code }
    }
}

/// Replaces each run of white space and control characters by a space.
fn one_line(text: &str) -> String {
    let is_gap = |character: char| character.is_whitespace() || character.is_control();
    text.split(is_gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
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
