//! Clients of several services and regions under one role, which is assumed once for all of them.
//!
//! The clients are S3 in two regions, the Security Token Service through `service!`, and a custom client. An S3 and STS
//! server runs in this process.
//!
//! ```text
//! cargo run --example services
//! ```

#![expect(clippy::print_stdout, reason = "a program that reports its progress")]

use std::error::Error;

use aws_client_cache::{
    AssumeRole, ClientCacheError, ClientParams, Credentials, Region, RetryPartition, S3, SdkConfig, Service, Session,
};
use support_server::Server;

// One such declaration for each `aws-sdk-*` crate.
aws_client_cache::service!(
    /// The Security Token Service.
    pub Sts = aws_sdk_sts
);

/// A custom client: an S3 client that reads notes.
#[derive(Clone)]
struct Notes {
    s3: aws_sdk_s3::Client,
}

impl Notes {
    async fn read(&self, name: &str) -> Result<String, Box<dyn Error>> {
        let note = self.s3.get_object().bucket("notes").key(name).send().await?;
        Ok(String::from_utf8(note.body.collect().await?.to_vec())?)
    }
}

/// The marker of [`Notes`], which forwards all settings to S3.
enum OwnNotes {}

impl Service for OwnNotes {
    type Client = Notes;
    type ConfigBuilder = <S3 as Service>::ConfigBuilder;
    const NAME: &'static str = "OwnNotes";

    fn config_builder(config: &SdkConfig) -> Self::ConfigBuilder {
        S3::config_builder(config)
    }

    fn retry_partition(config: Self::ConfigBuilder, partition: RetryPartition) -> Self::ConfigBuilder {
        S3::retry_partition(config, partition)
    }

    fn allow_no_auth(config: Self::ConfigBuilder) -> Self::ConfigBuilder {
        S3::allow_no_auth(config)
    }

    // While this S3 client exists, the session knows that the role is in use.
    fn client(config: Self::ConfigBuilder) -> Notes {
        Notes { s3: S3::client(config) }
    }

    fn region(client: &Notes) -> Option<&Region> {
        S3::region(&client.s3)
    }
}

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

/// Returns the parameters of any service, under the one role.
fn params<S: Service>(region: &str) -> Result<ClientParams<S>, ClientCacheError> {
    ClientParams::builder().region(region).assume_role(AssumeRole::new(ROLE).session_name("services")).build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let own = Credentials::new("AKIASERVICES", "the secret of the program", None, None, "services");
    let server = Server::start([&own]).await?;
    for bucket in ["bucket-eu-central-1", "bucket-us-west-2", "notes"] {
        server.store(ROLE, bucket, "greeting", format!("hello from {bucket}").as_bytes())?;
    }
    let session = Session::new(&server.sdk_config(&own));
    let roles = || format!("AssumeRole calls: {}", server.seen().assume_role_count());
    println!("At first             {}", roles());

    for region in ["eu-central-1", "us-west-2"] {
        let s3: aws_sdk_s3::Client = session.client(&params::<S3>(region)?).await?;
        let object = s3.get_object().bucket(format!("bucket-{region}")).key("greeting").send().await?;
        let content = String::from_utf8(object.body.collect().await?.to_vec())?;
        println!("S3, {region:<12}     {}    {content}", roles());
    }

    let sts: aws_sdk_sts::Client = session.client(&params::<Sts>("eu-central-1")?).await?;
    let identity = sts.get_caller_identity().send().await?;
    println!("STS                  {}    {}", roles(), identity.arn().unwrap_or_default());

    let notes: Notes = session.client(&params::<OwnNotes>("eu-central-1")?).await?;
    println!("Notes                {}    {}", roles(), notes.read("greeting").await?);

    println!("\n{}", session.cache());
    Ok(())
}
