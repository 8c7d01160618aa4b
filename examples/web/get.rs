//! Sends requests to the service, as its callers do.

use std::error::Error;
use std::net::SocketAddr;

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// Gets a path over a new connection, and returns the status and the body.
pub(crate) async fn get(service: SocketAddr, path: &str) -> Result<(StatusCode, String), Box<dyn Error + Send + Sync>> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let response = client.get(format!("http://{service}{path}").parse()?).await?;
    let status = response.status();
    let body = to_bytes(Body::new(response.into_body()), 1_000_000).await?;
    Ok((status, String::from_utf8(body.into())?))
}
