//! Errors of providers of credentials, as they may be shown.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;

/// An error of a provider, whose `Debug` may show an answer of the Security Token Service, credentials and all, if it is one
/// that could not be read (K4).
pub(crate) fn quiet(error: &CredentialsError) -> CredentialsError {
    like(error, Quiet(chain(error)))
}

/// One error for all who have waited for it.
pub(crate) fn shared(error: &CredentialsError) -> CredentialsError {
    let quiet = error.source().and_then(|source| source.downcast_ref::<Quiet>().cloned());
    like(error, quiet.unwrap_or_else(|| Quiet(chain(error))))
}

/// An error of the same kind.
fn like(error: &CredentialsError, source: Quiet) -> CredentialsError {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => CredentialsError::not_loaded(source),
        CredentialsError::InvalidConfiguration(_) => CredentialsError::invalid_configuration(source),
        CredentialsError::ProviderError(_) | CredentialsError::ProviderTimedOut(_) => {
            CredentialsError::provider_error(source)
        }
        _ => CredentialsError::unhandled(source),
    }
}

/// What an error and its sources say, in one line.
fn chain(error: &CredentialsError) -> Arc<str> {
    let sources = std::iter::successors(error.source(), |error| (*error).source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ").into()
}

/// What is left of an error: what it says.
#[derive(Clone)]
struct Quiet(Arc<str>);

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Error for Quiet {}
