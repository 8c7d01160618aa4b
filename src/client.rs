//! [`AnyClient`], a client whose service is known only at run time.

use std::any::Any;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use aws_types::region::Region;

use crate::service::Service;

/// A client whose service is known only at run time.
///
/// Cloning is cheap. Snapshots and [`pop_item`](crate::ClientCache::pop_item) return clients of this type.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{AnyClient, ClientCache, ClientParams};
/// use aws_client_cache::{EvictionPolicy, S3};
/// # use aws_client_cache::{ClientCacheError, SdkConfig};
///
/// # async fn example(sdk_config: &SdkConfig) -> Result<(), ClientCacheError> {
/// let cache = ClientCache::new(EvictionPolicy::Lru, 30);
/// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
/// cache.insert(params.key(), params.client(sdk_config).await?)?;
///
/// let (_, client): (_, AnyClient) = cache.pop_item()?;
/// let s3: aws_sdk_s3::Client =
///     client.downcast::<S3>().expect("only S3 clients were inserted");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AnyClient(Arc<dyn AnyService>);

/// A [`Tagged`] client of some service.
trait AnyService: Any + Send + Sync {
    fn service_name(&self) -> &'static str;
}

/// A client whose type names its service, because two services may share one client type.
struct Tagged<S: Service>(S::Client);

impl<S: Service> AnyService for Tagged<S> {
    fn service_name(&self) -> &'static str {
        S::NAME
    }
}

impl AnyClient {
    pub(crate) fn new<S: Service>(client: S::Client) -> Self {
        Self(Arc::new(Tagged::<S>(client)))
    }

    /// Returns the name of the client's service.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::AnyClient;
    /// # fn example(client: AnyClient) {
    /// println!("a client of {}", client.service_name());
    /// # }
    /// ```
    pub fn service_name(&self) -> &'static str {
        self.0.service_name()
    }

    /// Converts into the client of service `S`.
    ///
    /// [`AnyClient`] shows an example.
    ///
    /// # Errors
    ///
    /// Returns the unchanged client if it belongs to another service, even to one with the same client type.
    pub fn downcast<S: Service>(self) -> Result<S::Client, Self> {
        let Some(client) = self.downcast_ref::<S>().cloned() else { return Err(self) };
        drop(self); // explicitly: a panic in this drop on return would leak the client
        Ok(client)
    }

    /// Returns the client of service `S` itself, if this is its only handle.
    pub(crate) fn into_inner<S: Service>(self) -> Option<S::Client> {
        let client: Arc<dyn Any + Send + Sync> = self.0;
        Arc::into_inner(client.downcast().ok()?).map(|Tagged::<S>(client)| client)
    }

    /// Returns a reference to the client, or `None` if it does not belong to service `S`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{AnyClient, S3};
    /// # fn example(client: AnyClient) {
    /// if let Some(s3) = client.downcast_ref::<S3>() {
    ///     println!("an S3 client in {:?}", s3.config().region());
    /// }
    /// # }
    /// ```
    #[inline]
    pub fn downcast_ref<S: Service>(&self) -> Option<&S::Client> {
        let client: &dyn Any = &*self.0;
        client.downcast_ref().map(|Tagged::<S>(client)| client)
    }
}

impl fmt::Debug for AnyClient {
    /// Shows only the service, because the `Debug` of SDK clients shows access key ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyClient").field(&format_args!("{}", self.service_name())).finish()
    }
}

// P1: this crate never changes a client.
impl UnwindSafe for AnyClient {}
impl RefUnwindSafe for AnyClient {}

/// Returns the client's region if it differs from the region that its key names.
// K6
pub(crate) fn contradicting_region<'a, S: Service>(
    expected: Option<&Region>,
    client: &'a S::Client,
) -> Option<&'a Region> {
    S::region(client).filter(|&region| expected.is_some_and(|expected| expected != region))
}
