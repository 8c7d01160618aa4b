//! [`Scope`], the state that the clients of one credential scope share.

use std::sync::Arc;

use aws_credential_types::provider::SharedCredentialsProvider;

use super::identity_cache::{Provider, ScopedIdentityCache};
use super::load_config::LoadConfig;
use super::retry_budgets::RetryBudgets;
use crate::key::CredentialScope;

/// The state that the clients of one credential scope share, and no other clients.
// T1
pub(super) struct Scope {
    /// `None` if requests are not signed.
    credentials: Option<Provider>,
    identities: ScopedIdentityCache,
    retry_budgets: RetryBudgets,
}

impl Scope {
    /// Creates a scope.
    ///
    /// A role is assumed with the credentials of `source`, or with those of the base configuration.
    pub(super) fn new(
        scope: &CredentialScope,
        provider: Option<SharedCredentialsProvider>,
        assumed_with: Option<Provider>,
        config: &Arc<LoadConfig>,
    ) -> Self {
        let credentials = provider.map(|provider| Provider::new(scope, provider, assumed_with, config));
        let identities = ScopedIdentityCache::new(credentials.clone(), None);
        Self { credentials, identities, retry_budgets: RetryBudgets::default() }
    }

    pub(super) fn credentials(&self) -> Option<&Provider> {
        self.credentials.as_ref()
    }

    pub(super) fn identities(&self) -> &ScopedIdentityCache {
        &self.identities
    }

    pub(super) fn retry_budgets(&self) -> &RetryBudgets {
        &self.retry_budgets
    }
}
