//! Invalidation and revocation of credentials.

use super::{Session, trace};
use crate::client::AnyClient;
use crate::key::{AnyKey, ScopeSelection};
use crate::params::ClientParams;
use crate::service::Service;

impl Session {
    /// Removes all clients with these parameters' credentials, and drops the credentials.
    ///
    /// Call it when you rotate a key, or see an authentication error other than an expired token. To offboard a tenant, call [`revoke`](Self::revoke)
    /// instead. The call covers all services and regions, and all roles that are assumed with these credentials. Returns the
    /// clients in eviction order. The listener is not notified. Takes O(n) in the number of clients and credential scopes.
    ///
    /// Later calls return new clients, whose credentials are loaded anew. A client is not cached if its creation, or a call of
    /// [`ready`](Self::ready) for it, is in flight. Callers that still hold a removed client can use it: its next request loads
    /// credentials anew.
    ///
    /// Credentials that your own provider caches stay there. A backoff after failed loads ends.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3, Session};
    /// # fn example(session: &Session, tenant: &ClientParams<S3>) {
    /// let clients = session.invalidate_credentials(tenant);
    /// println!("{} clients were the tenant's", clients.len());
    /// # }
    /// ```
    pub fn invalidate_credentials<S: Service>(&self, params: &ClientParams<S>) -> Vec<(AnyKey, AnyClient)> {
        self.invalidate(ScopeSelection::Scope(params.scope()), false)
    }

    /// Refuses these parameters' credentials from now on, until [`admit`](Self::admit).
    ///
    /// Call it when you offboard or suspend a tenant. It covers all services and regions, and all roles that are assumed with
    /// these credentials. Like [`invalidate_credentials`](Self::invalidate_credentials), which refuses nothing, it drops the
    /// credentials, and removes and returns the clients.
    ///
    /// Calls of [`client`](Self::client) and [`ready`](Self::ready) then fail with
    /// [`ClientCacheError::CredentialsRevoked`](crate::ClientCacheError::CredentialsRevoked), even calls that are in
    /// flight. Clients that callers still hold sign nothing more: their requests fail, with an error that
    /// [`is_revoked`](crate::is_revoked) recognizes.
    ///
    /// Beyond the session's reach are unsigned requests, and requests and presigned URLs that are already signed. So is a
    /// client whose customization sets credentials or an identity cache of its own.
    ///
    /// The session remembers what is revoked for as long as it exists, without secrets.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientCacheError, ClientParams, S3, Session, SessionError};
    ///
    /// # async fn example(session: &Session, tenant: &ClientParams<S3>) {
    /// session.revoke(tenant);
    /// let error = session.client(tenant).await.unwrap_err();
    /// assert!(matches!(
    ///     error,
    ///     SessionError::Cache(ClientCacheError::CredentialsRevoked { .. })
    /// ));
    /// assert!(session.admit(tenant));
    /// # }
    /// ```
    pub fn revoke<S: Service>(&self, params: &ClientParams<S>) -> Vec<(AnyKey, AnyClient)> {
        self.invalidate(ScopeSelection::Scope(params.scope()), true) // T13
    }

    /// Ends [`revoke`](Self::revoke), but not [`revoke_role`](Self::revoke_role).
    ///
    /// Returns `true` if `revoke` had refused these credentials.
    ///
    /// The next call loads them anew, and clients that callers still hold sign again. Credentials remain refused as long as
    /// those that they are assumed with are revoked.
    ///
    /// [`revoke`](Self::revoke) shows an example.
    #[must_use = "`false` means that these credentials were not revoked by `revoke`"]
    pub fn admit<S: Service>(&self, params: &ClientParams<S>) -> bool {
        self.admit_selection(ScopeSelection::Scope(params.scope()))
    }

    fn invalidate(&self, selection: ScopeSelection<'_>, is_revoked: bool) -> Vec<(AnyKey, AnyClient)> {
        self.0.loads.counters.invalidations.increment();
        // T6: first the credentials, so that a client created in between has new ones, or is revoked below (S3).
        let retired = self.0.scopes.invalidate(selection, self.0.base_credentials.as_ref(), is_revoked);
        let removed = self.0.cache.remove_where(|key| selection.covers(&key.identity().credentials));
        drop(retired); // last: a provider may be a caller's own type
        trace::invalidated(selection, is_revoked);
        removed
    }

    // T13
    fn admit_selection(&self, selection: ScopeSelection<'_>) -> bool {
        let was_revoked = self.0.scopes.admit(selection, self.0.base_credentials.as_ref());
        if was_revoked {
            trace::admitted(selection);
        }
        was_revoked
    }
}

/// All credentials of a role, whichever parameters assume it.
#[cfg(feature = "assume-role")]
impl Session {
    /// Removes all clients with credentials of a role, and drops the credentials.
    ///
    /// Does the same as [`invalidate_credentials`](Self::invalidate_credentials), for all session names, external ids and
    /// other parameters with which callers have assumed the role. The ARN is compared as text: if it is misspelled, nothing
    /// is removed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::Session;
    /// # fn example(session: &Session) {
    /// let arn = "arn:aws:iam::123456789012:role/tenant-7";
    /// if session.invalidate_role(arn).is_empty() {
    ///     println!("no client of {arn}");
    /// }
    /// # }
    /// ```
    pub fn invalidate_role(&self, arn: &str) -> Vec<(AnyKey, AnyClient)> {
        self.invalidate(ScopeSelection::Role(arn), false)
    }

    /// Refuses all credentials of a role from now on, until [`admit_role`](Self::admit_role).
    ///
    /// Does the same as [`revoke`](Self::revoke), for all session names, external ids and other parameters. The ARN is
    /// compared as text.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::Session;
    /// # fn example(session: &Session) {
    /// let arn = "arn:aws:iam::123456789012:role/tenant-7";
    /// let clients = session.revoke_role(arn);
    /// println!("{} clients were the tenant's", clients.len());
    /// assert!(session.admit_role(arn));
    /// # }
    /// ```
    pub fn revoke_role(&self, arn: &str) -> Vec<(AnyKey, AnyClient)> {
        self.invalidate(ScopeSelection::Role(arn), true) // T13
    }

    /// Ends [`revoke_role`](Self::revoke_role), but not [`revoke`](Self::revoke).
    ///
    /// Returns `true` if `revoke_role` had refused the role.
    ///
    /// [`revoke_role`](Self::revoke_role) shows an example.
    #[must_use = "`false` means that the role was not revoked by `revoke_role`"]
    pub fn admit_role(&self, arn: &str) -> bool {
        self.admit_selection(ScopeSelection::Role(arn))
    }
}
