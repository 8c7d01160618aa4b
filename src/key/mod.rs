//! Keys of clients: [`ClientCacheKey`] and [`AnyKey`].

mod credential_scope;
mod customization;
mod http_client_id;
mod identity;
mod process_key;
mod scope_selection;

use std::any::TypeId;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::SystemTime;

use aws_types::region::Region;

use crate::client::AnyClient;
use crate::service::Service;

pub(crate) use credential_scope::CredentialScope;
#[cfg(feature = "assume-role")]
pub(crate) use credential_scope::{RoleScope, WebIdentity};
pub(crate) use customization::{Customization, Unhashed};
pub(crate) use http_client_id::HttpClientId;
pub(crate) use identity::{App, Identity, Retry, Timeout};
pub(crate) use process_key::Digest;
pub(crate) use scope_selection::ScopeSelection;

/// The key of a client of service `S`.
///
/// A key holds every parameter that distinguishes clients, and no secret. [`ClientParams::key`](crate::ClientParams::key)
/// returns it. Two keys are equal if and only if all their parameters are equal. The hash is computed once, when the key is
/// created, under a random key of the process. Cloning is cheap. `Display` writes a label for logs, without secrets.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{ClientParams, S3};
///
/// let west = || ClientParams::<S3>::builder().region("us-west-2");
/// let fips = west().use_fips(true).build()?.key();
/// let unset = west().build()?.key();
/// assert_eq!(fips, west().use_fips(true).build()?.key());
/// assert_ne!(fips, unset); // an unset parameter is inherited
/// assert_eq!(fips.to_string(), "S3(region=us-west-2, use_fips=true)");
/// # Ok::<(), aws_client_cache::ClientCacheError>(())
/// ```
pub struct ClientCacheKey<S> {
    key: AnyKey,
    service: PhantomData<fn() -> S>,
}

/// The key of a client whose service is known only at run time.
///
/// Snapshots and [`pop_item`](crate::ClientCache::pop_item) return keys of this type. A [`ClientCacheKey`] converts into an
/// `AnyKey`, which finds the same client, in the form of an [`AnyClient`].
///
/// # Examples
///
/// ```
/// use aws_client_cache::{AnyKey, ClientParams, S3};
///
/// let key = ClientParams::<S3>::builder().region("us-west-2").build()?.key();
/// let any = AnyKey::from(key.clone());
/// assert_eq!(any.service_name(), "S3");
/// assert_eq!(any.region().unwrap().as_ref(), "us-west-2");
/// assert_eq!(any.downcast::<S3>(), Ok(key));
/// # Ok::<(), aws_client_cache::ClientCacheError>(())
/// ```
#[derive(Clone)]
pub struct AnyKey(Arc<KeyInner>);

struct KeyInner {
    hash: u64,
    service_name: &'static str,
    /// The expiry of static credentials.
    ///
    /// It is part of their digest in the identity.
    // E1
    expiry: Option<SystemTime>,
    identity: Identity,
}

impl AnyKey {
    pub(crate) fn new(service_name: &'static str, identity: Identity, expiry: Option<SystemTime>) -> Self {
        let hash = process_key::hash(&identity);
        Self(Arc::new(KeyInner { hash, service_name, expiry, identity }))
    }

    #[inline]
    pub(crate) fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// Returns the hash, which was computed when the key was made.
    // K3
    #[inline]
    pub(crate) fn own_hash(&self) -> u64 {
        self.0.hash
    }

    /// Returns `true` if one key is a clone of the other. Runs no code of the caller.
    #[inline]
    pub(crate) fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Compares in full; out of line, so that the comparison of identical `Arc`s stays small.
    // K3
    #[inline(never)]
    fn is_same(&self, other: &Self) -> bool {
        self.0.hash == other.0.hash && self.identity() == other.identity()
    }

    /// Returns the name of the client's service.
    ///
    /// [`AnyKey`] shows an example.
    pub fn service_name(&self) -> &'static str {
        self.0.service_name
    }

    /// Returns the region of the key, if it is set.
    ///
    /// [`AnyKey`] shows an example.
    pub fn region(&self) -> Option<&Region> {
        self.identity().region.as_ref()
    }

    /// Returns the label of the key, if [`label`](crate::ClientParamsBuilder::label) set one.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{AnyKey, ClientParams, S3};
    ///
    /// let params = ClientParams::<S3>::builder().label("tenant-7").build()?;
    /// assert_eq!(AnyKey::from(params.key()).label(), Some("tenant-7"));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn label(&self) -> Option<&str> {
        self.identity().label.as_deref()
    }

    /// Returns the ARN of the role that the client assumes, if it assumes one.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{AnyKey, AssumeRole, ClientParams, S3};
    ///
    /// let arn = "arn:aws:iam::123456789012:role/tenant-7";
    /// let params = ClientParams::<S3>::builder().assume_role(AssumeRole::new(arn));
    /// assert_eq!(AnyKey::from(params.build()?.key()).role_arn(), Some(arn));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    #[cfg(feature = "assume-role")]
    pub fn role_arn(&self) -> Option<&str> {
        self.identity().credentials.role_arn()
    }

    /// Returns the expiry of the static credentials of the key, if they have one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use aws_client_cache::{AnyKey, ClientParams, Credentials, S3};
    /// let expiry = SystemTime::now() + Duration::from_secs(3_600);
    /// let token = Some("token".to_owned());
    /// let credentials =
    ///     Credentials::new("ASIAEXAMPLE", "secret", token, Some(expiry), "docs");
    /// let params = ClientParams::<S3>::builder().credentials(credentials).build()?;
    /// assert_eq!(AnyKey::from(params.key()).expiry(), Some(expiry));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    #[inline]
    pub fn expiry(&self) -> Option<SystemTime> {
        self.0.expiry
    }

    /// Returns `true` if this is a key of service `S`.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{AnyKey, ClientParams, S3};
    ///
    /// let key = AnyKey::from(ClientParams::<S3>::builder().build()?.key());
    /// assert!(key.is::<S3>());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn is<S: Service>(&self) -> bool {
        self.identity().service == TypeId::of::<S>()
    }

    /// Returns `true` if this key has the credentials of `other`, or of a role assumed with them.
    ///
    /// The role may be assumed directly or through other roles. A key without credentials stands for those of the base
    /// configuration, which is identified by its name ([`base`](crate::ClientParamsBuilder::base)).
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{AnyKey, AssumeRole, ClientParams, S3};
    ///
    /// let key = |role| {
    ///     let params = ClientParams::<S3>::builder().assume_role(role).build();
    ///     params.map(|params| AnyKey::from(params.key()))
    /// };
    /// let hub = AssumeRole::new("arn:aws:iam::123456789012:role/hub");
    /// let reader = AssumeRole::new("arn:aws:iam::210987654321:role/reader")
    ///     .source_role(hub.clone());
    /// let (hub, reader) = (key(hub)?, key(reader)?);
    /// assert!(reader.derives_credentials_from(&hub));
    /// assert!(!hub.derives_credentials_from(&reader));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn derives_credentials_from(&self, other: &impl CacheKey) -> bool {
        let (own, other) = (self.identity(), other.as_any().identity());
        own.credentials.derives_from(&other.credentials)
            && (!own.credentials.derives_from_base() || own.base == other.base)
    }

    /// Converts into the typed key of service `S`.
    ///
    /// [`AnyKey`] shows an example.
    ///
    /// # Errors
    ///
    /// Returns the unchanged key if it belongs to another service.
    pub fn downcast<S: Service>(self) -> Result<ClientCacheKey<S>, Self> {
        if self.is::<S>() { Ok(ClientCacheKey::new(self)) } else { Err(self) }
    }
}

impl PartialEq for AnyKey {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.is_clone_of(other) || self.is_same(other)
    }
}

impl Eq for AnyKey {}

impl Hash for AnyKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.own_hash());
    }
}

impl fmt::Display for AnyKey {
    /// Writes the service and the parameters that are set, without secrets.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.service_name())?;
        self.identity().write_settings(f)?;
        f.write_str(")")
    }
}

impl fmt::Debug for AnyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyKey({self})")
    }
}

impl<S> ClientCacheKey<S> {
    pub(crate) fn new(key: AnyKey) -> Self {
        Self { key, service: PhantomData }
    }

    pub(crate) fn identity(&self) -> &Identity {
        self.key.identity()
    }

    /// Returns the region of the key, if it is set.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{ClientParams, Region, S3};
    ///
    /// let key = ClientParams::<S3>::builder().region("us-west-2").build()?.key();
    /// assert_eq!(key.region(), Some(&Region::new("us-west-2")));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn region(&self) -> Option<&Region> {
        self.key.region()
    }

    /// Returns the expiry of the static credentials of the key, if they have one.
    ///
    /// [`AnyKey::expiry`] shows an example.
    #[inline]
    pub fn expiry(&self) -> Option<SystemTime> {
        self.key.expiry()
    }
}

// A key does not change.
impl UnwindSafe for AnyKey {}
impl RefUnwindSafe for AnyKey {}

impl<S> From<ClientCacheKey<S>> for AnyKey {
    fn from(key: ClientCacheKey<S>) -> Self {
        key.key
    }
}

impl<S> Clone for ClientCacheKey<S> {
    fn clone(&self) -> Self {
        Self::new(self.key.clone())
    }
}

impl<S> PartialEq for ClientCacheKey<S> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<S> Eq for ClientCacheKey<S> {}

impl<S> Hash for ClientCacheKey<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl<S> fmt::Display for ClientCacheKey<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}

impl<S> fmt::Debug for ClientCacheKey<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCacheKey({self})")
    }
}

/// A key of a cache: a [`ClientCacheKey`] or an [`AnyKey`].
///
/// A [`ClientCacheKey`] finds the client of its service, and an [`AnyKey`] finds an [`AnyClient`]. The trait is sealed.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{CacheKey, ClientCache};
///
/// fn remove(cache: &ClientCache, key: &impl CacheKey) {
///     let _ = cache.remove(key);
/// }
/// ```
pub trait CacheKey: sealed::Sealed {
    /// The client that the key finds.
    type Client;

    #[doc(hidden)]
    fn as_any(&self) -> &AnyKey;

    #[doc(hidden)]
    fn client(client: &AnyClient) -> Option<Self::Client>;
}

impl<S: Service> CacheKey for ClientCacheKey<S> {
    type Client = S::Client;

    #[inline]
    fn as_any(&self) -> &AnyKey {
        &self.key
    }

    #[inline]
    fn client(client: &AnyClient) -> Option<S::Client> {
        client.downcast_ref::<S>().cloned()
    }
}

impl CacheKey for AnyKey {
    type Client = AnyClient;

    #[inline]
    fn as_any(&self) -> &AnyKey {
        self
    }

    fn client(client: &AnyClient) -> Option<AnyClient> {
        Some(client.clone())
    }
}

mod sealed {
    pub trait Sealed {}
    impl<S> Sealed for super::ClientCacheKey<S> {}
    impl Sealed for super::AnyKey {}
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns a key of no service, which differs from those of other regions.
    pub(crate) fn key(region: &'static str) -> AnyKey {
        AnyKey::new("Test", identity(region), None)
    }

    fn identity(region: &'static str) -> Identity {
        Identity {
            service: TypeId::of::<()>(),
            label: None,
            base: None,
            region: Some(Region::from_static(region)),
            endpoint_url: None,
            credentials: CredentialScope::Base,
            use_fips: None,
            use_dual_stack: None,
            retry_config: None,
            timeout_config: None,
            http_client: None,
            app_name: None,
            customizations: Vec::new(),
        }
    }

    // Proves K3.
    /// K3
    #[test]
    fn keys_with_colliding_hashes_are_compared_in_full() {
        let inner = |region| KeyInner { hash: 7, service_name: "Test", expiry: None, identity: identity(region) };
        let key = |region| AnyKey(Arc::new(inner(region)));
        assert_eq!(key("a"), key("a"));
        assert_ne!(key("a"), key("b"));
    }

    // Proves K7.
    #[test]
    fn keys_of_one_base_have_its_credentials() {
        let of_base = |base: &str| AnyKey::new("Test", Identity { base: Some(base.into()), ..identity("a") }, None);
        assert!(of_base("a").derives_credentials_from(&of_base("a")));
        assert!(!of_base("a").derives_credentials_from(&of_base("b")));
    }
}
