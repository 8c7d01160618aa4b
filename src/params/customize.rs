//! The customizations of a [`ClientParamsBuilder`]: closures that change the service's config builder.

use std::any::TypeId;
use std::borrow::Cow;
use std::hash::Hash;

use super::params_builder::ClientParamsBuilder;
use crate::key::{Customization, Unhashed};
use crate::service::Service;

impl<S: Service> ClientParamsBuilder<S> {
    // Proves K1a: the example of a closure that captures a variable.
    /// Adds a customization of the service's config builder, as a closure that captures nothing.
    ///
    /// The key contains the name and the type of the closure. Two closures with the same code are two customizations, so
    /// write the closure once. Customizations apply in the order of their names.
    ///
    /// A closure that captures a variable does not compile, because the variable could not be part of the key. Pass the
    /// variable to [`customize_with`](Self::customize_with) instead. The closure must not read changing state either, such as
    /// a `static` or the environment, because the key would not reflect it.
    ///
    /// If a closure sets credentials or an identity cache, a [`Session`](crate::Session) does not control them: such a client
    /// can still sign after [`Session::invalidate_credentials`](crate::Session::invalidate_credentials).
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let params = ClientParams::<S3>::builder()
    ///     .customize("path_style", |builder| builder.force_path_style(true))
    ///     .build()?;
    /// assert_eq!(params.key().to_string(), "S3(customization=path_style)");
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    ///
    /// This closure captures a variable:
    ///
    /// ```compile_fail,E0080
    /// # use aws_client_cache::{ClientParams, S3};
    /// let on = std::env::args().count() > 1;
    /// let params = ClientParams::<S3>::builder()
    ///     .customize("path_style", move |builder| builder.force_path_style(on))
    ///     .build();
    /// ```
    pub fn customize<F>(mut self, name: impl Into<Cow<'static, str>>, apply: F) -> Self
    where
        F: Fn(S::ConfigBuilder) -> S::ConfigBuilder + Send + Sync + 'static,
    {
        const {
            // K1a
            assert!(size_of::<F>() == 0, "the closure must not capture anything: use `customize_with`");
        }
        let customization = Customization { name: name.into(), function: TypeId::of::<F>(), value: None };
        self.customizations.push((customization, Box::new(apply)));
        self
    }

    // Proves K1a: the example of a closure that captures a variable.
    /// Adds a customization of the service's config builder, as a closure with a value.
    ///
    /// The value is part of the key. It is never printed, but the key contains it as it is, so it must not be a secret. Its
    /// `Eq` decides which clients are equal, and must compare everything that the closure uses. The cache calls `Eq` while it
    /// is locked, so `Eq` must not call the cache. If the type has no `Hash`, use
    /// [`customize_unhashed`](Self::customize_unhashed).
    ///
    /// # Examples
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// let params = |on: bool| {
    ///     ClientParams::<S3>::builder()
    ///         .customize_with("path_style", on, |builder, on| {
    ///             builder.force_path_style(on)
    ///         })
    ///         .build()
    /// };
    /// assert_eq!(params(true)?.key(), params(true)?.key());
    /// assert_ne!(params(true)?.key(), params(false)?.key());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    ///
    /// The closure itself must not capture a variable:
    ///
    /// ```compile_fail,E0080
    /// # use aws_client_cache::{ClientParams, S3};
    /// let on = std::env::args().count() > 1;
    /// let params = ClientParams::<S3>::builder()
    ///     .customize_with("path_style", (), move |builder, ()| {
    ///         builder.force_path_style(on)
    ///     })
    ///     .build();
    /// ```
    pub fn customize_with<V, F>(mut self, name: impl Into<Cow<'static, str>>, value: V, apply: F) -> Self
    where
        V: Eq + Hash + Clone + Send + Sync + 'static,
        F: Fn(S::ConfigBuilder, V) -> S::ConfigBuilder + Send + Sync + 'static,
    {
        const { assert!(size_of::<F>() == 0, "the closure must not capture anything: pass it as the value") }
        let customization =
            Customization { name: name.into(), function: TypeId::of::<F>(), value: Some(Box::new(value.clone())) };
        let apply = move |builder| apply(builder, value.clone());
        self.customizations.push((customization, Box::new(apply)));
        self
    }

    /// Adds a customization of the service's config builder, as a closure with a value that has no `Hash`.
    ///
    /// It replaces [`customize_with`](Self::customize_with) for types without `Hash`. Many enums of the SDK have none:
    /// `RequestChecksumCalculation` and `ResponseChecksumValidation` of S3, `AccountIdEndpointMode` of `aws-sdk-dynamodb`.
    ///
    /// Keys that differ only in this value have one hash, and `Eq` distinguishes them. Use it for settings with few
    /// distinct values: the cache compares a key with each key of the same hash.
    ///
    /// # Examples
    ///
    /// Some stores that speak the protocol of S3 refuse the checksums that the SDK sends by default:
    ///
    /// ```
    /// # use aws_client_cache::{ClientParams, S3};
    /// use aws_sdk_s3::config::RequestChecksumCalculation;
    ///
    /// let params = |checksums: RequestChecksumCalculation| {
    ///     ClientParams::<S3>::builder()
    ///         .customize_unhashed("checksums", checksums, |builder, checksums| {
    ///             builder.request_checksum_calculation(checksums)
    ///         })
    ///         .build()
    /// };
    /// let always = params(RequestChecksumCalculation::WhenSupported)?;
    /// let required = params(RequestChecksumCalculation::WhenRequired)?;
    /// assert_ne!(always.key(), required.key());
    /// # Ok::<(), aws_client_cache::ClientCacheError>(())
    /// ```
    ///
    /// The closure itself must not capture a variable:
    ///
    /// ```compile_fail,E0080
    /// # use aws_client_cache::{ClientParams, S3};
    /// let on = std::env::args().count() > 1;
    /// let params = ClientParams::<S3>::builder()
    ///     .customize_unhashed("path_style", (), move |builder, ()| {
    ///         builder.force_path_style(on)
    ///     })
    ///     .build();
    /// ```
    pub fn customize_unhashed<V, F>(self, name: impl Into<Cow<'static, str>>, value: V, apply: F) -> Self
    where
        V: Eq + Clone + Send + Sync + 'static,
        F: Fn(S::ConfigBuilder, V) -> S::ConfigBuilder + Send + Sync + 'static,
    {
        // K1a: the type of this closure contains `F`, and its size is that of `F`.
        self.customize_with(name, Unhashed(value), move |builder, Unhashed(value)| apply(builder, value))
    }
}
