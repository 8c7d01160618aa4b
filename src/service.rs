//! [`Service`], an AWS service as a type, and the macro that declares one.

use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// An AWS service: the type of its clients, and how to create one.
///
/// Services are marker types, because keys are typed by service and the clients of the SDK are foreign types.
/// [`service!`](crate::service!) declares a marker for any `aws-sdk-*` crate in one line. Implement this trait manually
/// only for clients that the SDK does not provide.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{Region, SdkConfig, Service};
///
/// /// Our own client of a gateway in front of AWS.
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
    /// The client of the service: a shared handle that is cheap to clone, as the SDK's clients are.
    ///
    /// The cache clones it while it holds its lock, so `Clone` must not call the cache. `Drop` may.
    type Client: Clone + Send + Sync + 'static;

    /// The builder of a client's configuration, which customizations change.
    type ConfigBuilder: Send + 'static;

    /// The name of the service in labels and errors.
    ///
    /// The name does not identify the service in keys; the marker type does.
    const NAME: &'static str;

    /// Returns a builder with the settings of the shared configuration.
    fn config_builder(config: &SdkConfig) -> Self::ConfigBuilder;

    /// Assigns the client to a retry partition, within which it shares its retry budget.
    ///
    /// A [`Session`](crate::Session) gives each credential scope its own partitions, so that a throttled scope does not use
    /// up the retries of the others. The default ignores the partition, which suits clients without retries.
    fn retry_partition(config: Self::ConfigBuilder, partition: RetryPartition) -> Self::ConfigBuilder {
        let _ = partition;
        config
    }

    /// Adds an interceptor to the client, after its other ones.
    ///
    /// A [`Session`](crate::Session) adds one that detects expired credentials. The default ignores it, which suits clients that
    /// sign nothing with the session's credentials.
    fn interceptor(config: Self::ConfigBuilder, interceptor: SharedInterceptor) -> Self::ConfigBuilder {
        let _ = interceptor;
        config
    }

    /// Allows the client to send unsigned requests.
    ///
    /// The default changes nothing, which suits clients that send unsigned requests whenever they have no credentials.
    fn allow_no_auth(config: Self::ConfigBuilder) -> Self::ConfigBuilder {
        config
    }

    /// Creates a client.
    ///
    /// The client should keep the identity cache of its configuration alive, as the SDK's clients do: a
    /// [`Session`](crate::Session) uses it to know that the credentials are in use.
    fn client(config: Self::ConfigBuilder) -> Self::Client;

    /// Returns the region of a client, so that the cache can refuse it under a key of another region.
    ///
    /// `None` skips this check.
    fn region(client: &Self::Client) -> Option<&Region>;
}

/// The error of [`service!`](crate::service!) for an SDK crate that is too old.
#[doc(hidden)]
pub mod diagnostics {
    /// The method that the expansion calls if the SDK's builder has none of this name.
    pub trait AllowNoAuth: Sized {
        /// Never compiles.
        #[must_use]
        fn allow_no_auth(self) -> Self
        where
            Self: RecentSdkCrate;
    }

    // The method is never called, and coverage is not measured in derived code.
    #[automatically_derived]
    impl<T> AllowNoAuth for T {
        fn allow_no_auth(self) -> Self
        where
            Self: RecentSdkCrate,
        {
            self
        }
    }

    /// A trait that no type implements.
    #[diagnostic::on_unimplemented(
        message = "the SDK crate of `{Self}` is too old for `service!`",
        label = "its configuration has no method `allow_no_auth`",
        note = "`service!` needs an SDK crate that depends on `aws-smithy-runtime` 1.9.8 or later",
        note = "for example `aws-sdk-dynamodb` 1.102, `aws-sdk-s3` 1.120 or `aws-sdk-sqs` 1.92"
    )]
    pub trait RecentSdkCrate {}
}

/// Declares a marker type for the service of an `aws-sdk-*` crate.
///
/// The marker implements [`Service`](crate::Service). Attributes and a visibility may precede the name.
///
/// Your crate must depend on the SDK crate, in a version that depends on `aws-smithy-runtime` 1.9.8 or later: its
/// configuration has the method `allow_no_auth`. If the crate is too old, the compile error says so. Some minimum
/// versions:
///
/// | crate | minimum |
/// |---|---|
/// | `aws-sdk-dynamodb` | 1.102 |
/// | `aws-sdk-kms` | 1.98 |
/// | `aws-sdk-lambda` | 1.113 |
/// | `aws-sdk-secretsmanager` | 1.98 |
/// | `aws-sdk-sns` | 1.93 |
/// | `aws-sdk-sqs` | 1.92 |
/// | `aws-sdk-sts` | 1.96; with the feature `assume-role` 1.124 |
///
/// # Examples
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
/// aws_client_cache::service!(Archive = ::aws_sdk_s3);
///
/// assert_eq!(Storage::NAME, "Storage");
/// let params = ClientParams::<Storage>::builder()
///     .region("us-west-2")
///     .build()?;
/// # Ok::<(), aws_client_cache::ClientCacheError>(())
/// ```
///
/// A crate that is too old:
///
/// ```compile_fail,E0277
/// # mod aws_sdk_old {
/// #     use aws_client_cache::SdkConfig;
/// #     #[derive(Clone)]
/// #     pub struct Client(SdkConfig);
/// #     impl Client {
/// #         pub fn from_conf(config: SdkConfig) -> Self { Self(config) }
/// #         pub fn config(&self) -> &SdkConfig { &self.0 }
/// #     }
/// #     pub mod config {
/// #         use aws_client_cache::{RetryPartition, SdkConfig, SharedInterceptor};
/// #         pub struct Builder(SdkConfig);
/// #         impl From<&SdkConfig> for Builder {
/// #             fn from(config: &SdkConfig) -> Self { Self(config.clone()) }
/// #         }
/// #         impl Builder {
/// #             pub fn retry_partition(self, _: RetryPartition) -> Self { self }
/// #             pub fn push_interceptor(&mut self, _: SharedInterceptor) {}
/// #             pub fn build(self) -> SdkConfig { self.0 }
/// #         }
/// #     }
/// # }
/// aws_client_cache::service!(Old = aws_sdk_old);
/// ```
#[macro_export]
macro_rules! service {
    // The path is `tt`s, so that it may begin with `::`.
    ($(#[$attribute:meta])* $visibility:vis $name:ident = $($sdk:tt)+) => {
        #[doc = concat!("The marker of the service behind `", stringify!($($sdk)+), "`.")]
        #[doc = ""]
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug)]
        $visibility enum $name {}

        impl $crate::Service for $name {
            type Client = $($sdk)+::Client;
            type ConfigBuilder = $($sdk)+::config::Builder;
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

            fn interceptor(
                mut config: Self::ConfigBuilder,
                interceptor: $crate::SharedInterceptor,
            ) -> Self::ConfigBuilder {
                config.push_interceptor(interceptor);
                config
            }

            fn allow_no_auth(config: Self::ConfigBuilder) -> Self::ConfigBuilder {
                #[allow(unused_imports)]
                use $crate::__service::AllowNoAuth as _;
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
    /// Requires the feature `s3`.
    ///
    /// # Examples
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
