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

/// Returns why AWS did not issue credentials, in one line, without a text of a caller's provider.
#[cfg(feature = "tracing")]
pub(crate) fn aws_reason(error: &CredentialsError) -> Option<&str> {
    chain(error).find_map(|error| error.downcast_ref::<Redacted>()?.aws_reason.as_deref())
}

/// Returns the code with which a service refused the request, if `error` is a redacted refusal.
pub(crate) fn redacted_code<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a str> {
    error.downcast_ref::<Redacted>()?.code.as_deref()
}

/// Returns the error of revoked credentials.
pub(crate) fn revoked(scope: &impl fmt::Display) -> CredentialsError {
    let text = format!("the credentials of {scope} have been revoked").into();
    CredentialsError::provider_error(Redacted { text, code: None, aws_reason: None, is_revoked: true })
}

/// Returns `true` if `error` is the redacted error of revoked credentials.
pub(crate) fn is_redacted_revocation(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<Redacted>().is_some_and(|error| error.is_revoked)
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

/// Returns `true` for the SDK's error of a request for credentials, such as "dispatch failure".
fn is_failed_request(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "assume-role")]
    let is_failed_request =
        error.is::<SdkError<AssumeRoleError>>() || error.is::<SdkError<AssumeRoleWithWebIdentityError>>();
    #[cfg(not(feature = "assume-role"))]
    let is_failed_request = {
        let _ = error;
        false
    };
    is_failed_request
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
    /// The part of `text` that is from AWS, or from the SDK's request to it.
    aws_reason: Option<Arc<str>>,
    is_revoked: bool,
}

impl Redacted {
    fn of(error: &CredentialsError) -> Self {
        let (mut texts, mut code, mut aws_reason, mut is_revoked) = (Vec::new(), None, None, false);
        for source in chain(error).skip(1) {
            if let Some(refusal) = metadata(source) {
                // Further lines may repeat the signed request, including its session token.
                let message = refusal.message().and_then(|message| message.trim_start().lines().next());
                let refusal_texts = || [refusal.code(), message].into_iter().flatten();
                texts.extend(refusal_texts().map(str::to_owned));
                code = refusal.code().map(Arc::from);
                aws_reason = Some(one_line(&refusal_texts().collect::<Vec<_>>().join(": ")).into());
                break;
            }
            let text = source.to_string();
            if is_failed_request(source) {
                aws_reason = Some(one_line(&text).into());
            }
            // A caller's provider may wrap an error that is redacted already.
            if let Some(inner) = source.downcast_ref::<Self>() {
                (code, is_revoked) = (inner.code.clone(), inner.is_revoked);
                aws_reason = inner.aws_reason.clone().or(aws_reason);
            }
            texts.push(text);
        }
        // An error that the model of an operation names has the text of the operation's error.
        texts.dedup();
        Self { text: one_line(&texts.join(": ")).into(), code, aws_reason, is_revoked }
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
