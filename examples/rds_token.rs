//! A database token of Amazon RDS, signed by the role of a tenant.
//!
//! Some libraries sign requests themselves. They take the credentials of a session from `Session::sdk_config`, so that the
//! role is assumed once for them and for all clients. `aws_sdk_rds::auth_token` takes the same configuration, and creates
//! the same token.
//!
//! ```text
//! cargo run --example rds_token
//! ```

#![expect(clippy::print_stdout, reason = "a program that reports its progress")]

use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_client_cache::{AssumeRole, ClientParams, Credentials, S3, SdkConfig, Session};
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use support_server::Server;
use url::Url;

/// Returns the password with which `user` connects to the database, within 15 minutes.
async fn token(config: &SdkConfig, host: &str, port: u16, user: &str) -> Result<String, Box<dyn Error>> {
    let provider = config.credentials_provider().ok_or("the configuration has no credentials")?;
    let identity = provider.provide_credentials().await?.into();
    let mut settings = SigningSettings::default();
    settings.expires_in = Some(Duration::from_mins(15));
    settings.signature_location = SignatureLocation::QueryParams;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(config.region().ok_or("the configuration has no region")?.as_ref())
        .name("rds-db")
        .time(SystemTime::now())
        .settings(settings)
        .build()?;
    let mut url = Url::parse(&format!("https://{host}:{port}/"))?;
    url.query_pairs_mut().append_pair("Action", "connect").append_pair("DBUser", user);
    let request = SignableRequest::new("GET", url.as_str(), std::iter::empty(), SignableBody::Bytes(&[]))?;
    let (instructions, _) = sign(request, &params.into())?.into_parts();
    for (name, value) in instructions.params() {
        url.query_pairs_mut().append_pair(name, value);
    }
    Ok(url.as_str().trim_start_matches("https://").to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let own = Credentials::new("AKIARDS", "the secret of the program", None, None, "rds_token");
    let server = Server::start([&own]).await?;
    let session = Session::new(&server.sdk_config(&own));
    let role = AssumeRole::new("arn:aws:iam::123456789012:role/tenant-7").session_name("reports");
    let tenant = ClientParams::<S3>::builder().region("eu-central-1").assume_role(role).build()?;

    for user in ["reader", "writer"] {
        // The configuration keeps the tenant's credentials, as a client does.
        let config = session.sdk_config(&tenant)?;
        let token = token(&config, "db.example.com", 5432, user).await?;
        // A token is a secret, so only the names of its parameters are printed.
        let (address, query) = token.split_once('?').unwrap_or_default();
        let names: Vec<_> = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default()).collect();
        println!("{address} as {user}: {}", names.join(" "));
    }
    session.client(&tenant).await?;
    println!("AssumeRole calls: {}", server.seen().assume_role_count());
    Ok(())
}
