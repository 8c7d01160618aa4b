//! [`ClientParamsConfig`], parameters that are read from a file.

use std::fmt;

use serde::de::{IgnoredAny, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

#[cfg(feature = "assume-role")]
use super::assume_role::AssumeRole;
use super::params_builder::ClientParamsBuilder;
use crate::service::Service;

/// The parameters of a client, as a part of a service's configuration file.
///
/// Pass it to [`ClientParamsBuilder::config`], for any service. Its fields are `label`, `base`, `region`, `endpoint_url`,
/// `use_fips`, `use_dual_stack`, `app_name`, `anonymous`, and with the feature `assume-role` also `profile` and `assume_role`.
/// They have the meaning of the builder's methods. All are optional, and an unknown field is an error.
///
/// The fields of `assume_role` are `arn` and the names of the methods of `AssumeRole`: `source_role`, `region`, `endpoint_url`,
/// `session_name`, `session_length`, `external_id`, `policy`, `policy_arns` and `tags`. A `session_length` is a string such as
/// `"1h"`, and `tags` is a table. `web_identity_token_file` stands for `web_identity`. Only `arn` is required.
///
/// Such a file contains no credentials. [`ClientParamsBuilder::build`] refuses `access_key_id`, `secret_access_key` and
/// `session_token`, in any common spelling, and their values are not kept: name a profile, or set a provider.
///
/// Do not flatten it into a type of your own: `serde` would then ignore unknown fields.
///
/// # Examples
///
/// ```
/// use aws_client_cache::{ClientParams, ClientParamsConfig, S3};
///
/// let file = r#"{
///     "label": "tenant-7",
///     "region": "eu-central-1",
///     "assume_role": {
///         "arn": "arn:aws:iam::123456789012:role/tenant-7",
///         "external_id": "as-agreed-with-tenant-7"
///     }
/// }"#;
/// let config: ClientParamsConfig = serde_json::from_str(file)?;
/// let params = ClientParams::<S3>::builder().config(&config).build()?;
/// assert_eq!(config.label(), Some("tenant-7"));
/// assert_eq!(params.key().region().unwrap().as_ref(), "eu-central-1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct ClientParamsConfig {
    label: Option<String>,
    base: Option<String>,
    region: Option<String>,
    endpoint_url: Option<String>,
    use_fips: Option<bool>,
    use_dual_stack: Option<bool>,
    app_name: Option<String>,
    anonymous: bool,
    #[cfg(feature = "assume-role")]
    profile: Option<String>,
    #[cfg(feature = "assume-role")]
    assume_role: Option<AssumeRole>,
    /// The name of a field that has a secret, whose value is not kept.
    secret: Option<&'static str>,
}

impl ClientParamsConfig {
    /// Returns the label, which [`build`](ClientParamsBuilder::build) has not validated yet.
    ///
    /// Use it to say which part of a file is invalid. [`ClientParamsConfig`] shows an example.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Sets the parameters that are set here.
    pub(super) fn apply_to<S: Service>(&self, mut builder: ClientParamsBuilder<S>) -> ClientParamsBuilder<S> {
        let Self {
            label,
            base,
            region,
            endpoint_url,
            use_fips,
            use_dual_stack,
            app_name,
            anonymous,
            #[cfg(feature = "assume-role")]
            profile,
            #[cfg(feature = "assume-role")]
            assume_role,
            secret,
        } = self;
        if let Some(label) = label {
            builder = builder.label(label);
        }
        if let Some(base) = base {
            builder = builder.base(base);
        }
        if let Some(region) = region {
            builder = builder.region(region);
        }
        if let Some(url) = endpoint_url {
            builder = builder.endpoint_url(url);
        }
        if let Some(use_fips) = use_fips {
            builder = builder.use_fips(*use_fips);
        }
        if let Some(use_dual_stack) = use_dual_stack {
            builder = builder.use_dual_stack(*use_dual_stack);
        }
        if let Some(name) = app_name {
            builder = builder.app_name(name);
        }
        if *anonymous {
            builder = builder.anonymous();
        }
        #[cfg(feature = "assume-role")]
        if let Some(profile) = profile {
            builder = builder.profile(profile);
        }
        #[cfg(feature = "assume-role")]
        if let Some(role) = assume_role {
            builder = builder.assume_role(role.clone());
        }
        match secret {
            Some(field) => builder.refuse_secret(field),
            None => builder,
        }
    }
}

impl fmt::Debug for ClientParamsConfig {
    /// Shows no values, because none has been validated yet.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientParamsConfig")
    }
}

/// The names of [`Known`], which a flattened configuration is read by.
const FIELDS: &[&str] = &[
    "label",
    "base",
    "region",
    "endpoint_url",
    "use_fips",
    "use_dual_stack",
    "app_name",
    "anonymous",
    #[cfg(feature = "assume-role")]
    "profile",
    #[cfg(feature = "assume-role")]
    "assume_role",
];

/// Returns the usual name of a field for a secret, in any spelling.
fn secret(name: &str) -> Option<&'static str> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    Some(match plain.strip_prefix("aws").unwrap_or(&plain) {
        "credentials" => "credentials",
        "accesskeyid" | "accesskey" => "access_key_id",
        "secretaccesskey" | "secretkey" => "secret_access_key",
        "sessiontoken" | "securitytoken" => "session_token",
        _ => return None,
    })
}

/// The name of a field.
enum Field {
    Known(Known),
    Secret(&'static str),
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Known {
    Label,
    Base,
    Region,
    EndpointUrl,
    UseFips,
    UseDualStack,
    AppName,
    Anonymous,
    #[cfg(feature = "assume-role")]
    Profile,
    #[cfg(feature = "assume-role")]
    AssumeRole,
}

// K4: written by hand, because `build` refuses secrets. An error here would show them, since that of `toml` shows the line.
impl<'de> Deserialize<'de> for ClientParamsConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = ClientParamsConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the parameters of a client")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<ClientParamsConfig, M::Error> {
                let mut config = ClientParamsConfig::default();
                while let Some(field) = map.next_key()? {
                    match field {
                        Field::Secret(name) => {
                            map.next_value::<IgnoredAny>()?;
                            config.secret = Some(name);
                        }
                        Field::Known(Known::Label) => config.label = map.next_value()?,
                        Field::Known(Known::Base) => config.base = map.next_value()?,
                        Field::Known(Known::Region) => config.region = map.next_value()?,
                        Field::Known(Known::EndpointUrl) => config.endpoint_url = map.next_value()?,
                        Field::Known(Known::UseFips) => config.use_fips = map.next_value()?,
                        Field::Known(Known::UseDualStack) => config.use_dual_stack = map.next_value()?,
                        Field::Known(Known::AppName) => config.app_name = map.next_value()?,
                        Field::Known(Known::Anonymous) => config.anonymous = map.next_value()?,
                        #[cfg(feature = "assume-role")]
                        Field::Known(Known::Profile) => config.profile = map.next_value()?,
                        #[cfg(feature = "assume-role")]
                        Field::Known(Known::AssumeRole) => config.assume_role = map.next_value()?,
                    }
                }
                Ok(config)
            }
        }

        deserializer.deserialize_struct("ClientParamsConfig", FIELDS, Fields)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match secret(&name) {
            Some(secret) => Ok(Self::Secret(secret)),
            None => Known::deserialize(name.into_deserializer()).map(Self::Known),
        }
    }
}

/// An [`AssumeRole`] as it is read.
#[cfg(feature = "assume-role")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssumeRoleConfig {
    arn: String,
    source_role: Option<AssumeRole>,
    web_identity_token_file: Option<std::path::PathBuf>,
    region: Option<String>,
    endpoint_url: Option<String>,
    session_name: Option<String>,
    #[serde(default, with = "humantime_serde")]
    session_length: Option<std::time::Duration>,
    external_id: Option<String>,
    policy: Option<String>,
    #[serde(default)]
    policy_arns: Vec<String>,
    #[serde(default)]
    tags: std::collections::BTreeMap<String, String>,
}

#[cfg(feature = "assume-role")]
impl From<AssumeRoleConfig> for AssumeRole {
    fn from(config: AssumeRoleConfig) -> Self {
        let mut role = Self::new(config.arn).policy_arns(config.policy_arns).tags(config.tags);
        if let Some(source) = config.source_role {
            role = role.source_role(source);
        }
        if let Some(path) = config.web_identity_token_file {
            role = role.web_identity(super::WebIdentityToken::file(path));
        }
        if let Some(region) = config.region {
            role = role.region(region);
        }
        if let Some(url) = config.endpoint_url {
            role = role.endpoint_url(url);
        }
        if let Some(name) = config.session_name {
            role = role.session_name(name);
        }
        if let Some(length) = config.session_length {
            role = role.session_length(length);
        }
        if let Some(id) = config.external_id {
            role = role.external_id(id);
        }
        if let Some(policy) = config.policy {
            role = role.policy(policy);
        }
        role
    }
}
