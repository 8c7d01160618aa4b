//! What identifies a client.

mod credential_scope;
mod customization;
mod identity;
mod process_key;

use std::any::TypeId;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::SystemTime;

use aws_types::region::Region;

use crate::client::AnyClient;
use crate::service::Service;

#[cfg(feature = "assume-role")]
pub(crate) use credential_scope::RoleScope;
pub(crate) use credential_scope::{CredentialScope, Digest};
pub(crate) use customization::Customization;
pub(crate) use identity::{App, Identity, Retry, Timeout};

/// The key of a client of service `S`: everything that tells it from other clients, and no secret.
///
/// [`ClientParams::key`](crate::ClientParams::key) makes it. Two keys are equal exactly if all parameters are
/// (K1, K2), compared in full; the hash is computed once, when the key is made, and keyed anew for each process
/// (K3). Cloning is cheap. `Display` is a label for logs, without secrets (K4).
///
/// ```
/// use aws_client_cache::{ClientParams, S3};
///
/// let here = ClientParams::<S3>::builder().region("us-west-2").use_fips(true).build()?;
/// let same = ClientParams::<S3>::builder().use_fips(true).region("us-west-2").build()?;
/// let other = ClientParams::<S3>::builder().region("us-west-2").build()?;
/// assert_eq!(here.key(), same.key());
/// assert_ne!(here.key(), other.key()); // unset is inherited, which differs from any value
/// assert_eq!(here.key().to_string(), "S3(region=us-west-2, use_fips=true)");
/// # Ok::<(), aws_client_cache::ClientCacheError>(())
/// ```
pub struct ClientCacheKey<S> {
    key: AnyKey,
    service: PhantomData<fn() -> S>,
}

/// The key of a client whose service is known only at run time, as snapshots and
/// [`pop_item`](crate::ClientCache::pop_item) return it.
///
/// It is made from a [`ClientCacheKey`], and finds the same client, as an [`AnyClient`].
///
/// ```
/// use aws_client_cache::{AnyKey, ClientParams, S3};
///
/// let key = ClientParams::<S3>::builder().region("us-west-2").build()?.key();
/// let any = AnyKey::from(key.clone());
/// assert_eq!((any.service_name(), any.region().map(AsRef::as_ref)), ("S3", Some("us-west-2")));
/// assert_eq!(any.downcast::<S3>(), Ok(key));
/// # Ok::<(), aws_client_cache::ClientCacheError>(())
/// ```
#[derive(Clone)]
pub struct AnyKey(Arc<KeyInner>);

struct KeyInner {
    hash: u64,
    service_name: &'static str,
    /// E1: of static credentials, which take part in the identity with it.
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

    /// K3: in full, behind the hash. Out of the way of a key that is found by itself.
    #[inline(never)]
    fn is_same(&self, other: &Self) -> bool {
        self.0.hash == other.0.hash && self.identity() == other.identity()
    }

    /// The name of the client's service.
    ///
    /// The type shows an example.
    pub fn service_name(&self) -> &'static str {
        self.0.service_name
    }

    /// The region that the key names, if it names one.
    ///
    /// The type shows an example.
    pub fn region(&self) -> Option<&Region> {
        self.identity().region.as_ref()
    }

    /// When the static credentials that it stands for expire, if they do (E1).
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use aws_client_cache::{AnyKey, ClientParams, Credentials, S3};
    /// let expiry = SystemTime::now() + Duration::from_secs(3_600);
    /// let keys = Credentials::new("ASIAEXAMPLE", "secret", Some("token".into()), Some(expiry), "docs");
    /// let params = ClientParams::<S3>::builder().credentials(keys).build()?;
    /// assert_eq!(AnyKey::from(params.key()).expiry(), Some(expiry));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    #[inline]
    pub fn expiry(&self) -> Option<SystemTime> {
        self.0.expiry
    }

    /// Whether it is a key of service `S`.
    ///
    /// ```
    /// use aws_client_cache::{AnyKey, ClientParams, S3};
    ///
    /// assert!(AnyKey::from(ClientParams::<S3>::builder().build()?.key()).is::<S3>());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn is<S: Service>(&self) -> bool {
        self.identity().service == TypeId::of::<S>()
    }

    /// Whether its clients sign with the credentials of `other`, or with those of a role that is assumed with them, directly or
    /// by others. Where a key names no credentials, they are those of the base configuration, by the name that it has
    /// ([`base`](crate::ClientParamsBuilder::base)).
    ///
    /// ```
    /// use aws_client_cache::{AnyKey, AssumeRole, ClientParams, S3};
    ///
    /// let hub = AssumeRole::new("arn:aws:iam::123456789012:role/hub");
    /// let reader = AssumeRole::new("arn:aws:iam::210987654321:role/reader").source_role(hub.clone());
    /// let hub = AnyKey::from(ClientParams::<S3>::builder().assume_role(hub).build()?.key());
    /// let reader = AnyKey::from(ClientParams::<S3>::builder().assume_role(reader).region("us-west-2").build()?.key());
    /// assert!(reader.derives_credentials_from(&hub));
    /// assert!(!hub.derives_credentials_from(&reader));
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub fn derives_credentials_from(&self, other: &impl CacheKey) -> bool {
        let (own, other) = (self.identity(), other.as_any().identity());
        own.credentials.derives_from(&other.credentials)
            && (!own.credentials.derives_from_base() || own.base == other.base)
    }

    /// The typed key, if it is one of service `S`.
    ///
    /// # Errors
    ///
    /// The key as it was, if it is of another service.
    ///
    /// The type shows an example.
    pub fn downcast<S: Service>(self) -> Result<ClientCacheKey<S>, Self> {
        if self.is::<S>() { Ok(ClientCacheKey::new(self)) } else { Err(self) }
    }
}

impl PartialEq for AnyKey {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.is_same(other)
    }
}

impl Eq for AnyKey {}

impl Hash for AnyKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl fmt::Display for AnyKey {
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

    /// The region that the key names, if it names one.
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

    /// When the static credentials that it stands for expire, if they do (E1).
    ///
    /// [`AnyKey::expiry`] shows an example.
    #[inline]
    pub fn expiry(&self) -> Option<SystemTime> {
        self.key.expiry()
    }
}

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

/// A key of either kind: [`ClientCacheKey`], which finds the service's own client, or [`AnyKey`], which finds an
/// [`AnyClient`]. It cannot be implemented elsewhere.
///
/// ```
/// use aws_client_cache::{CacheKey, ClientCache};
///
/// fn remove(cache: &ClientCache, key: &impl CacheKey) {
///     let _ = cache.remove(key);
/// }
/// ```
pub trait CacheKey: sealed::Sealed {
    /// What the key finds.
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
mod tests {
    use super::*;

    fn identity(region: &'static str) -> Identity {
        Identity {
            service: TypeId::of::<()>(),
            base: None,
            region: Some(Region::from_static(region)),
            endpoint_url: None,
            credentials: CredentialScope::Base,
            use_fips: None,
            use_dual_stack: None,
            retry_config: None,
            timeout_config: None,
            app_name: None,
            customizations: Vec::new(),
        }
    }

    /// K3
    #[test]
    fn keys_whose_hashes_collide_are_compared_in_full() {
        let inner = |region| KeyInner { hash: 7, service_name: "Test", expiry: None, identity: identity(region) };
        let key = |region| AnyKey(Arc::new(inner(region)));
        assert_eq!(key("a"), key("a"));
        assert_ne!(key("a"), key("b"));
    }
}
