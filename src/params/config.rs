//! [`ClientParamsConfig`], parameters that are read from a file.

use std::fmt;
#[cfg(feature = "assume-role")]
use std::path::PathBuf;
#[cfg(feature = "assume-role")]
use std::time::Duration;

use serde::Deserialize;
#[cfg(feature = "assume-role")]
use serde::de::{Deserializer, MapAccess, Visitor};

use super::params_builder::ClientParamsBuilder;
use super::table::Table;
#[cfg(feature = "assume-role")]
use super::{assume_role::AssumeRole, table::Confidential, web_identity::WebIdentityToken};
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
/// Such a file contains no credentials. [`ClientParamsBuilder::build`] refuses `access_key_id`, `secret_access_key`,
/// `session_token` and `web_identity_token` in every table, in any common spelling: name a profile, or set a provider.
///
/// A parser can show the line of an error, as `toml` does. A secret, an external id, a policy and tags therefore cause no error
/// of the parser: if such a field is refused, spelled in another common way or of a wrong type, `build` names it, and discards its value.
/// Write each of them on a line of its own, because an error about another field can show the whole line.
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
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct ClientParamsConfig(Table<Fields>);

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the parameters of a client")]
struct Fields {
    label: Option<String>,
    base: Option<String>,
    region: Option<String>,
    endpoint_url: Option<String>,
    use_fips: Option<bool>,
    use_dual_stack: Option<bool>,
    app_name: Option<String>,
    #[serde(default)]
    anonymous: bool,
    #[cfg(feature = "assume-role")]
    profile: Option<String>,
    #[cfg(feature = "assume-role")]
    assume_role: Option<AssumeRole>,
}

impl ClientParamsConfig {
    /// Returns the label, which [`build`](ClientParamsBuilder::build) has not validated yet.
    ///
    /// Use it to say which part of a file is invalid. [`ClientParamsConfig`] shows an example.
    pub fn label(&self) -> Option<&str> {
        self.0.fields.label.as_deref()
    }

    /// Sets the parameters that are set here.
    pub(super) fn apply_to<S: Service>(&self, mut builder: ClientParamsBuilder<S>) -> ClientParamsBuilder<S> {
        let Fields {
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
        } = &self.0.fields;
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
        match self.0.refused {
            Some(refusal) => builder.refuse(refusal),
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

/// The fields of an [`AssumeRole`] as they are read.
#[cfg(feature = "assume-role")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a role")]
pub(super) struct RoleFields {
    // K4: `build` refuses an empty ARN. An error about the table could show its other fields.
    #[serde(default)]
    arn: String,
    source_role: Option<AssumeRole>,
    web_identity_token_file: Option<PathBuf>,
    region: Option<String>,
    endpoint_url: Option<String>,
    session_name: Option<String>,
    #[serde(default, with = "humantime_serde")]
    session_length: Option<Duration>,
    external_id: Option<Confidential<String>>,
    policy: Option<Confidential<String>>,
    #[serde(default)]
    policy_arns: Vec<String>,
    tags: Option<Confidential<Tags>>,
}

/// The tags of a role, repeated keys included: `build` refuses them.
#[cfg(feature = "assume-role")]
struct Tags(Vec<(String, String)>);

#[cfg(feature = "assume-role")]
impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Tags;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tags, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Tags(pairs))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

#[cfg(feature = "assume-role")]
impl From<Table<RoleFields>> for AssumeRole {
    fn from(Table { fields, mut refused }: Table<RoleFields>) -> Self {
        let mut role = Self::new(fields.arn).policy_arns(fields.policy_arns);
        if let Some(source) = fields.source_role {
            role = role.source_role(source);
        }
        if let Some(path) = fields.web_identity_token_file {
            role = role.web_identity(WebIdentityToken::file(path));
        }
        if let Some(region) = fields.region {
            role = role.region(region);
        }
        if let Some(url) = fields.endpoint_url {
            role = role.endpoint_url(url);
        }
        if let Some(name) = fields.session_name {
            role = role.session_name(name);
        }
        if let Some(length) = fields.session_length {
            role = role.session_length(length);
        }
        let refused = &mut refused;
        if let Some(id) = fields.external_id.and_then(|id| id.or_refuse(refused, "external_id", "must be a string")) {
            role = role.external_id(id);
        }
        if let Some(policy) = fields.policy.and_then(|policy| policy.or_refuse(refused, "policy", "must be a string")) {
            role = role.policy(policy);
        }
        let tags = fields.tags.and_then(|tags| tags.or_refuse(refused, "tags", "must be a table of strings"));
        if let Some(Tags(tags)) = tags {
            role = role.tags(tags);
        }
        role.refused = *refused;
        role
    }
}
