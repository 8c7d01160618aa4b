//! A server that closes idle connections while the process is frozen.
//!
//! A Lambda function is frozen between two requests.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use aws_client_cache::{ClientParams, Credentials, Region, S3, Session};
use aws_config::BehaviorVersion;
use aws_sdk_s3::error::DisplayErrorContext;

/// A server that answers each request without a body, and the connections to it.
struct ClosingServer {
    endpoint_url: String,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl ClosingServer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint_url = format!("http://{}", listener.local_addr().unwrap());
        let open = <Arc<Mutex<Vec<TcpStream>>>>::default();
        let accepted = Arc::clone(&open);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                accepted.lock().unwrap().push(stream.try_clone().unwrap());
                thread::spawn(move || answer(stream));
            }
        });
        Self { endpoint_url, open }
    }

    /// Closes all connections, and returns their number.
    fn close(&self) -> usize {
        let open = std::mem::take(&mut *self.open.lock().unwrap());
        for stream in &open {
            stream.shutdown(Shutdown::Both).unwrap();
        }
        open.len()
    }
}

fn answer(mut stream: TcpStream) {
    let (mut request, mut part) = (Vec::new(), [0; 1024]);
    while let Ok(read @ 1..) = stream.read(&mut part) {
        request.extend_from_slice(&part[..read]);
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            if stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").is_err() {
                return;
            }
        }
    }
}

#[test]
fn a_request_succeeds_after_the_server_has_closed_its_idle_connection() {
    let server = ClosingServer::start();
    // The runtime runs nothing between two calls of `block_on`, so that the client cannot notice what happens there.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let base = runtime.block_on(
        aws_config::defaults(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .endpoint_url(&server.endpoint_url)
            .credentials_provider(Credentials::new("AKIDBASE", "secret", None, None, "test"))
            .load(),
    );
    let session = Session::new(&base);
    let params = ClientParams::<S3>::builder().build().unwrap();
    for round in 0..5 {
        for _ in 0..2 {
            let deleted = runtime.block_on(async {
                let s3 = session.client(&params).await.unwrap();
                s3.delete_object().bucket("bucket").key("key").send().await
            });
            deleted.unwrap_or_else(|error| panic!("round {round}: {}", DisplayErrorContext(error)));
        }
        assert_eq!(server.close(), 1, "the second request of round {round} uses the connection of the first");
    }
}
