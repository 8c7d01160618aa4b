//! Which AWS service a client speaks to, as a type.

use aws_smithy_runtime::client::retries::RetryPartition;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// An AWS service: what its clients are, and how one is made.
///
/// Services are marker types, because keys are typed by their service and the clients of the SDK are foreign
/// types. [`service!`](crate::service!) makes one for any `aws-sdk-*` crate in a line. Implement the trait by hand
/// only for a client that is not the SDK's own.
///
/// ```
/// use aws_client_cache::{Service, SdkConfig, Region};
///
/// /// Our own client of something behind AWS.
/// #[derive(Clone, Debug)]
/// struct Gateway { region: Option<Region> }
///
/// enum OurGateway {}
///
/// impl Service for OurGateway {
///     type Client = Gateway;
///     type ConfigBuilder = SdkConfig;
///     const NAME: &'static str = "OurGateway";
///
///     fn config_builder(config: &SdkConfig) -> SdkConfig {
///         config.clone()
///     }
///
///     fn client(config: SdkConfig) -> Gateway {
///         Gateway { region: config.region().cloned() }
///     }
///
///     fn region(client: &Gateway) -> Option<&Region> {
///         client.region.as_ref()
///     }
/// }
/// ```
pub trait Service: 'static {
    /// The service's client, cheap to clone as the SDK's are: a shared handle. It is cloned while the cache is
    /// locked, so its `Clone` must not call the cache. Its `Drop` may.
    type Client: Clone + Send + Sync + 'static;

    /// What a client is configured with, and what customisations change.
    type ConfigBuilder: Send + 'static;

    /// The service's name in labels and errors. It is no part of a key's identity: the marker type is.
    const NAME: &'static str;

    /// Begins the configuration of a client from the shared one.
    fn config_builder(config: &SdkConfig) -> Self::ConfigBuilder;

    /// Has a client share its retries' budget with those of its partition only; a [`Session`](crate::Session) gives each
    /// credential scope partitions of its own, so that one that is throttled starves no other. A client without retries need
    /// not do anything.
    fn retry_partition(config: Self::ConfigBuilder, partition: RetryPartition) -> Self::ConfigBuilder {
        let _ = partition;
        config
    }

    /// Lets a client send requests that are not signed. A client that does so anyhow, if it has no credentials, need not do
    /// anything.
    fn allow_no_auth(config: Self::ConfigBuilder) -> Self::ConfigBuilder {
        config
    }

    /// Makes a client. It should keep the configuration's identity cache as long as it lives, as the SDK's own clients do: by
    /// that, a [`Session`](crate::Session) knows that its credentials are in use.
    fn client(config: Self::ConfigBuilder) -> Self::Client;

    /// The region that a client is for, so that one of another region is refused under a key (K6). With `None`
    /// nothing is checked.
    fn region(client: &Self::Client) -> Option<&Region>;
}

/// Declares a marker type for the service of an `aws-sdk-*` crate, and implements [`Service`](crate::Service)
/// for it.
///
/// The crate must be a dependency of yours, and as recent as `aws-sdk-s3` 1.157. Attributes and visibility go in front of the name.
///
/// ```
/// # mod documented {
/// aws_client_cache::service!(
///     /// Object storage, under our own name.
///     pub Storage = aws_sdk_s3
/// );
/// # }
/// # use documented::Storage;
/// use aws_client_cache::{ClientParams, Service};
///
/// assert_eq!(Storage::NAME, "Storage");
/// let params = ClientParams::<Storage>::builder().region("us-west-2").build()?;
/// # Ok::<(), aws_client_cache::ClientCacheError>(())
/// ```
#[macro_export]
macro_rules! service {
    ($(#[$attribute:meta])* $visibility:vis $name:ident = $($sdk:ident)::+) => {
        #[doc = concat!("The marker of the service behind `", stringify!($($sdk)::+), "`.")]
        #[doc = ""]
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug)]
        $visibility enum $name {}

        impl $crate::Service for $name {
            type Client = $($sdk)::+::Client;
            type ConfigBuilder = $($sdk)::+::config::Builder;
            const NAME: &'static str = stringify!($name);

            fn config_builder(config: &$crate::SdkConfig) -> Self::ConfigBuilder {
                <Self::ConfigBuilder as ::core::convert::From<&$crate::SdkConfig>>::from(config)
            }

            fn retry_partition(
                config: Self::ConfigBuilder,
                partition: $crate::RetryPartition,
            ) -> Self::ConfigBuilder {
                config.retry_partition(partition)
            }

            fn allow_no_auth(config: Self::ConfigBuilder) -> Self::ConfigBuilder {
                config.allow_no_auth()
            }

            fn client(config: Self::ConfigBuilder) -> Self::Client {
                Self::Client::from_conf(config.build())
            }

            fn region(client: &Self::Client) -> ::core::option::Option<&$crate::Region> {
                client.config().region()
            }
        }
    };
}

#[cfg(feature = "s3")]
service! {
    /// It comes with the feature `s3`.
    ///
    /// ```
    /// use aws_client_cache::{ClientParams, S3};
    ///
    /// let params = ClientParams::<S3>::builder().region("us-west-2").build()?;
    /// assert_eq!(params.key().to_string(), "S3(region=us-west-2)");
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    pub S3 = aws_sdk_s3
}
