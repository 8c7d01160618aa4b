//! TCP connections, and HTTP on them.

use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::service::S3Service;
use s3s::{HttpError, HttpRequest};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::faults::Faults;
use crate::request_log::RequestLog;

/// Accepts connections until the task is aborted, which also closes the open connections.
pub(crate) async fn serve(listener: TcpListener, service: S3Service, seen: RequestLog, faults: Faults) {
    let mut open = JoinSet::new();
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            // The process may have too many open files, some of which are closed soon.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        while open.try_join_next().is_some() {}
        let counted = seen.connection();
        if faults.cuts_connection() {
            continue;
        }
        let (service, faults) = (service.clone(), faults.clone());
        open.spawn(async move {
            answer(socket, service, faults).await;
            drop(counted);
        });
    }
}

async fn answer(socket: TcpStream, service: S3Service, faults: Faults) {
    // Otherwise, small answers wait for the client's acknowledgments.
    let _ = socket.set_nodelay(true);
    let answered = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let (service, faults) = (service.clone(), faults.clone());
        async move {
            if faults.cuts_request() {
                return Err(HttpError::new("cut on purpose".into()));
            }
            service.call(HttpRequest::from(request.map(Into::into))).await
        }
    });
    // A client that closes its connection is not an error of the server.
    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), answered).await;
}
