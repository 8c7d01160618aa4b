//! Errors of providers of credentials, as they may be shown.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_types::error::ErrorMetadata;

/// An error of a provider, whose `Debug` may show an answer of the Security Token Service, credentials and all, if it is one
/// that could not be read (K4). One that is quiet already says the same.
pub(crate) fn redact(error: &CredentialsError) -> CredentialsError {
    let redacted = error.source().and_then(|source| source.downcast_ref::<Redacted>().cloned());
    like(error, redacted.unwrap_or_else(|| Redacted::of(error)))
}

/// The code by which a service has refused it, if one has.
pub(crate) fn code(error: &CredentialsError) -> Option<&str> {
    error.source()?.downcast_ref::<Redacted>()?.code.as_deref()
}

/// An error of the same kind.
fn like(error: &CredentialsError, source: Redacted) -> CredentialsError {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => CredentialsError::not_loaded(source),
        CredentialsError::InvalidConfiguration(_) => CredentialsError::invalid_configuration(source),
        CredentialsError::ProviderError(_) | CredentialsError::ProviderTimedOut(_) => {
            CredentialsError::provider_error(source)
        }
        _ => CredentialsError::unhandled(source),
    }
}

/// What is left of an error: what it and its sources say, in one line.
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

/// The code of a refusal: the SDK's error of an operation has it as a source, unless the operation's model names the error;
/// and so has one that was refused what it is assumed with.
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
