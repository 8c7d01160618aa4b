//! A client of any service.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use aws_types::region::Region;

use crate::service::Service;

/// A client whose service is known only at run time, as snapshots and
/// [`pop_item`](crate::ClientCache::pop_item) return it. Cloning is cheap.
///
/// ```
/// use aws_client_cache::{AnyClient, ClientCache, ClientParams, EvictionPolicy, S3};
/// # use aws_client_cache::SdkConfig;
///
/// # async fn example(sdk_config: &SdkConfig) -> Result<(), aws_client_cache::ClientCacheError> {
/// let cache = ClientCache::new(EvictionPolicy::Lru, 30);
/// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
/// cache.insert(params.key(), params.client(sdk_config).await?)?;
///
/// let (_, client): (_, AnyClient) = cache.pop_item()?;
/// let s3: aws_sdk_s3::Client = client.downcast::<S3>().expect("only S3 clients were inserted");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AnyClient {
    /// An [`Of`] some service.
    client: Arc<dyn Any + Send + Sync>,
    service_name: &'static str,
}

/// A client as one of its service, so that its type tells of both.
struct Of<S: Service>(S::Client);

impl AnyClient {
    pub(crate) fn new<S: Service>(client: S::Client) -> Self {
        Self { client: Arc::new(Of::<S>(client)), service_name: S::NAME }
    }

    /// The name of the client's service.
    ///
    /// ```
    /// # use aws_client_cache::AnyClient;
    /// # fn example(client: AnyClient) {
    /// println!("a client of {}", client.service_name());
    /// # }
    /// ```
    pub fn service_name(&self) -> &'static str {
        self.service_name
    }

    /// The client, if it is one of service `S`.
    ///
    /// # Errors
    ///
    /// The client as it was, if it is of another service; also of another one with the same type of client.
    ///
    /// The type shows an example.
    pub fn downcast<S: Service>(self) -> Result<S::Client, Self> {
        let Some(client) = self.downcast_ref::<S>().cloned() else { return Err(self) };
        drop(self); // here, and not on return: the client would leak if this panicked then
        Ok(client)
    }

    /// A reference to the client, if it is one of service `S`.
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
        self.client.downcast_ref().map(|Of::<S>(client)| client)
    }
}

impl fmt::Debug for AnyClient {
    /// Shows the service only: the `Debug` of the SDK's clients shows access key ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyClient").field(&format_args!("{}", self.service_name)).finish()
    }
}

/// What of a key's region a client contradicts, if anything (K6).
pub(crate) fn contradicting_region<'a, S: Service>(
    expected: Option<&Region>,
    client: &'a S::Client,
) -> Option<&'a Region> {
    S::region(client).filter(|&region| expected.is_some_and(|expected| expected != region))
}
