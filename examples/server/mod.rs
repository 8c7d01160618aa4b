//! A real S3 server in this process, for the examples and the tests: `s3s` over a temporary folder.

#![allow(unreachable_pub, reason = "a module of several programs")]

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use aws_client_cache::Credentials;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::S3Result;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A bucket belongs to the credentials that first asked for it, and is denied to all others.
#[derive(Debug, Default)]
struct OwnBuckets(Mutex<HashMap<String, String>>);

#[async_trait::async_trait]
impl S3Access for OwnBuckets {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let Some(credentials) = context.credentials() else {
            return Err(s3s::s3_error!(AccessDenied, "the request is not signed"));
        };
        let Some(bucket) = context.s3_path().get_bucket_name() else { return Ok(()) };
        let asking = &credentials.access_key;
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = owners.entry(bucket.to_owned()).or_insert_with(|| asking.clone());
        if owner == asking { Ok(()) } else { Err(s3s::s3_error!(AccessDenied, "the bucket belongs to somebody else")) }
    }
}

/// The server runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
    _files: TempDir,
}

impl Server {
    /// Starts a server on a free port of the loopback interface. It accepts requests that are signed by any of these
    /// credentials, and gives each bucket to whoever asks for it first.
    pub async fn start<'a>(credentials: impl IntoIterator<Item = &'a Credentials>) -> io::Result<Self> {
        let files = TempDir::new()?;
        let file_system = FileSystem::new(files.path()).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut auth = SimpleAuth::new();
        for credentials in credentials {
            auth.register(credentials.access_key_id().into(), credentials.secret_access_key().into());
        }
        let mut service = S3ServiceBuilder::new(file_system);
        service.set_auth(auth);
        service.set_access(OwnBuckets::default());
        let service = service.build();

        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    // A client that hangs up is no error of the server's.
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Ok(Self { address, task, _files: files })
    }

    /// Where it listens.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
