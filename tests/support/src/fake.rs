//! A service whose clients are plain values: they keep their configuration and run hooks of a test.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use aws_client_cache::{ClientCacheKey, ClientParams, Credentials, Region, SdkConfig, Service};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// The service.
#[derive(Debug)]
pub enum Fake {}

/// The configuration from which a [`Client`] is created.
#[derive(Clone, Debug)]
pub struct ConfigBuilder {
    pub config: SdkConfig,
    pub applied: Vec<String>,
}

/// A client. Like a client of the SDK, it is a handle.
#[derive(Debug)]
pub struct Client {
    pub id: u64,
    pub made_from: Option<ConfigBuilder>,
    pub region: Option<Region>,
    pub hooks: Arc<Hooks>,
}

/// Functions that are called when a client is cloned or dropped.
#[derive(Default)]
pub struct Hooks {
    pub on_clone: Option<Box<dyn Fn() + Send + Sync>>,
    pub on_drop: Option<Box<dyn Fn(u64) + Send + Sync>>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooks")
    }
}

impl Client {
    /// Creates a client without a region.
    pub fn new(id: u64) -> Self {
        Self::with_hooks(id, Arc::default())
    }

    pub fn with_hooks(id: u64, hooks: Arc<Hooks>) -> Self {
        Self { id, made_from: None, region: None, hooks }
    }

    pub fn in_region(id: u64, region: &'static str) -> Self {
        let mut client = Self::new(id);
        client.region = Some(Region::from_static(region));
        client
    }
}

impl Clone for Client {
    fn clone(&self) -> Self {
        if let Some(hook) = &self.hooks.on_clone {
            hook();
        }
        Self {
            id: self.id,
            made_from: self.made_from.clone(),
            region: self.region.clone(),
            hooks: Arc::clone(&self.hooks),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(hook) = &self.hooks.on_drop {
            hook(self.id);
        }
    }
}

impl Service for Fake {
    type Client = Client;
    type ConfigBuilder = ConfigBuilder;
    const NAME: &'static str = "Fake";

    fn config_builder(config: &SdkConfig) -> ConfigBuilder {
        ConfigBuilder { config: config.clone(), applied: Vec::new() }
    }

    fn client(made_from: ConfigBuilder) -> Client {
        let mut client = Client::new(0);
        client.region = made_from.config.region().cloned();
        client.made_from = Some(made_from);
        client
    }

    fn region(client: &Client) -> Option<&Region> {
        client.region.as_ref()
    }
}

/// Returns the key of a number. Keys of equal numbers are equal.
pub fn key(number: u8) -> ClientCacheKey<Fake> {
    let params = ClientParams::builder().base(number.to_string()).build();
    params.expect("a number is a valid name").key()
}

/// Returns the key of a number, with credentials that expire.
pub fn expiring_key(number: u8, expiry: SystemTime) -> ClientCacheKey<Fake> {
    let keys = Credentials::new("AKID", "secret", None, Some(expiry), "test");
    let params = ClientParams::builder().base(number.to_string()).credentials(keys).build();
    params.expect("all of it is valid").key()
}

/// Returns a base configuration with all settings that a client needs.
pub fn base() -> SdkConfig {
    SdkConfig::builder().behavior_version(BehaviorVersion::latest()).region(Region::from_static("us-east-1")).build()
}

/// An HTTP client that sends nothing, and whose `Debug` shows the password of its proxy.
#[derive(Clone, Debug, Default)]
pub struct Proxied(Arc<str>);

impl Proxied {
    pub fn new(password: &str) -> Self {
        Self(password.into())
    }

    /// Returns the number of clones that exist, this one included.
    pub fn handles(&self) -> usize {
        Arc::strong_count(&self.0)
    }
}

impl HttpClient for Proxied {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        unreachable!("the clients of `Fake` send no requests")
    }
}
