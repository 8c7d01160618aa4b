//! A real S3 server in the process, for examples, tests and benchmarks.
//!
//! It is `s3s` over a temporary folder, with the calls `AssumeRole`, `AssumeRoleWithWebIdentity` and `GetCallerIdentity` of STS.
//!
//! One endpoint answers both, so that the `endpoint_url` of one `SdkConfig` is enough.

mod access;
mod connections;
pub mod faults;
mod identities;
pub mod request_log;
mod sts;

use std::fs;
use std::io;
use std::net::SocketAddr;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use access::OwnBuckets;
use faults::Faults;
use identities::Identities;
use request_log::RequestLog;
use sts::StsRoute;

/// A running server. Dropping it stops the server and closes its connections.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
    files: TempDir,
    buckets: OwnBuckets,
    identities: Identities,
    seen: RequestLog,
    faults: Faults,
}

impl Server {
    /// Starts a server on a free port of the loopback interface.
    ///
    /// It accepts requests that are signed with `credentials`, or with credentials that it has issued for a role. Each
    /// bucket belongs to the access key or the role that requests it first.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder or the port cannot be opened.
    pub async fn start<'a>(credentials: impl IntoIterator<Item = &'a Credentials>) -> io::Result<Self> {
        let files = TempDir::new()?;
        let file_system = FileSystem::new(files.path()).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let identities = Identities::registered(credentials);
        let (seen, faults) = (RequestLog::default(), Faults::default());
        let buckets = OwnBuckets::new(identities.clone(), seen.clone(), faults.clone());

        let mut service = S3ServiceBuilder::new(file_system);
        service.set_auth(identities.clone());
        service.set_access(buckets.clone());
        service.set_route(StsRoute::new(identities.clone(), seen.clone(), faults.clone()));
        let service = service.build();

        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(connections::serve(listener, service, seen.clone(), faults.clone()));
        Ok(Self { address, task, files, buckets, identities, seen, faults })
    }

    /// Returns the URL of the server.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns a base configuration for this server, which ignores the environment.
    ///
    /// Your program would load that of AWS with `aws_config::load_defaults(BehaviorVersion::latest()).await`.
    pub fn sdk_config(&self, credentials: &Credentials) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .endpoint_url(self.endpoint_url())
            .credentials_provider(SharedCredentialsProvider::new(credentials.clone()))
            .build()
    }

    /// Returns the log of the server's requests.
    pub fn seen(&self) -> RequestLog {
        self.seen.clone()
    }

    /// Returns the faults that a test can inject.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// Accepts these web identity tokens for any role from now on, and no others.
    pub fn accept_tokens<'a>(&self, tokens: impl IntoIterator<Item = &'a str>) {
        self.identities.accept_tokens(tokens);
    }

    /// Stores an object, as if `owner` had created the bucket and the object.
    ///
    /// `owner` is an access key or the ARN of a role. A bucket that has an owner keeps it.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub fn store(&self, owner: &str, bucket: &str, key: &str, content: &[u8]) -> io::Result<()> {
        let folder = self.files.path().join(bucket);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(key), content)?;
        self.buckets.owner(bucket, owner);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
