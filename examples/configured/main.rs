//! A service that reads its tenants, and the size and policy of its session, from a file.
//!
//! ```text
//! cargo run --example configured
//! cargo run --example configured -- path/to/another.toml
//! ```
//!
//! `SessionConfig` and `ClientParamsConfig` need the feature `serde`. The program makes no network call, because it sends no
//! request with its clients.

#![expect(clippy::print_stdout, reason = "a program that reports its progress")]

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use aws_client_cache::{ClientParams, ClientParamsConfig, S3, Session, SessionConfig};
use aws_client_cache::{Credentials, Region, SdkConfig, SharedCredentialsProvider};
use aws_config::BehaviorVersion;
use clap::Parser;
use serde::Deserialize;

/// A service that reads its tenants, and the size and policy of its session, from a file.
#[derive(Parser)]
struct Arguments {
    /// The configuration file.
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/configured/service.toml"))]
    file: PathBuf,
}

/// The content of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    #[serde(default)]
    session: SessionConfig,
    #[serde(default, rename = "tenant")]
    tenants: Vec<ClientParamsConfig>,
}

/// Returns a base configuration.
///
/// In your program: `aws_config::load_defaults(BehaviorVersion::latest()).await`.
fn sdk_config() -> SdkConfig {
    let own = Credentials::new("AKIACONFIGURED", "the secret of the service", None, None, "configured");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(own))
        .build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { file } = Arguments::parse();
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let configuration: Configuration = toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;

    println!("{:?}\n", configuration.session);
    let session = Session::builder(&sdk_config()).config(configuration.session).build();
    for tenant in &configuration.tenants {
        let name = tenant.label().unwrap_or("without a label");
        // The error names the invalid field.
        let params = ClientParams::<S3>::builder().config(tenant).build();
        let params = params.map_err(|error| format!("tenant {name}: {error}"))?;
        let s3 = session.client(&params).await?;
        println!("{name} is served from {}", s3.config().region().map_or("nowhere", AsRef::as_ref));
    }
    println!("\n{}\n\n{}", session.cache(), session.cache().stats());
    Ok(())
}
