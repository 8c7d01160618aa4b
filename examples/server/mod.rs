//! A real S3 server in this process, for the examples and the tests: `s3s` over a temporary folder.

#![allow(unreachable_pub, reason = "a module of several programs")]

use std::io;
use std::net::SocketAddr;

use aws_client_cache::Credentials;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The server runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
    _files: TempDir,
}

impl Server {
    /// Starts a server on a free port of the loopback interface. It accepts requests that are signed by any of these
    /// credentials.
    pub async fn start<'a>(credentials: impl IntoIterator<Item = &'a Credentials>) -> io::Result<Self> {
        let files = TempDir::new()?;
        let file_system = FileSystem::new(files.path()).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut auth = SimpleAuth::new();
        for credentials in credentials {
            auth.register(credentials.access_key_id().into(), credentials.secret_access_key().into());
        }
        let mut service = S3ServiceBuilder::new(file_system);
        service.set_auth(auth);
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
