//! Events for `tracing`. Without the feature of that name, `untraced` replaces this module.

// K4: scopes are shown by their labels, and an error by its kind and by what AWS or the SDK says of it, since a provider of a
// caller could put a secret into its message.
// O4: the events of credentials.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use tracing::{debug, warn};

use super::refusal_code;
use crate::key::{CredentialScope, ScopeSelection};
use crate::redact;

/// Reports that credentials were loaded, or could not be loaded.
pub(super) fn loaded<E: AsRef<CredentialsError>>(scope: &CredentialScope, loaded: &Result<Credentials, E>) {
    match loaded {
        Ok(_) => debug!(%scope, "loaded credentials"),
        Err(error) => {
            let error = error.as_ref();
            let (reason, code) = (redact::aws_reason(error), refusal_code(error));
            warn!(%scope, %error, reason, code, "credentials could not be loaded");
        }
    }
}

/// Reports that AWS has refused credentials as expired.
pub(super) fn expired_token(scope: &CredentialScope) {
    debug!(%scope, "dropped credentials that AWS refused as expired");
}

/// Reports that a caller has invalidated or revoked credentials.
pub(super) fn invalidated(selection: ScopeSelection<'_>, is_revoked: bool) {
    if is_revoked {
        debug!(scope = %selection, "revoked credentials");
    } else {
        debug!(scope = %selection, "invalidated credentials");
    }
}

/// Reports that a caller has admitted revoked credentials.
pub(super) fn admitted(selection: ScopeSelection<'_>) {
    debug!(scope = %selection, "admitted credentials");
}
