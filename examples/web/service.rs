//! The service, for you to copy.
//!
//! A request names a tenant, and returns an object that the tenant's role may read.

use std::collections::HashMap;
use std::sync::Arc;

use aws_client_cache::{AssumeRole, ClientCacheError, ClientParams, S3, Session, SessionError};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::metrics::prometheus;

/// A tenant; in your service, perhaps a row of a table.
pub(crate) struct Tenant {
    pub(crate) role_arn: String,
    pub(crate) external_id: String,
    /// The prefix of the tenant's buckets, one in each region.
    pub(crate) bucket: String,
}

impl Tenant {
    /// Returns the parameters of the tenant's client.
    fn params(&self, region: &str) -> Result<ClientParams<S3>, ClientCacheError> {
        let role = AssumeRole::new(&self.role_arn).external_id(&self.external_id).session_name("web");
        ClientParams::<S3>::builder().region(region).assume_role(role).build()
    }
}

/// The state that all requests share. Clones share one session.
#[derive(Clone)]
struct Shared {
    session: Session,
    tenants: Arc<HashMap<String, Tenant>>,
}

/// Returns the service, over a session that is created once.
pub(crate) fn router(session: Session, tenants: HashMap<String, Tenant>) -> Router {
    let shared = Shared { session, tenants: Arc::new(tenants) };
    Router::new()
        .route("/tenants/{tenant}/{region}/{*key}", get(object))
        .route("/metrics", get(metrics))
        .with_state(shared)
}

/// Returns the session's counters. They contain no names of tenants.
async fn metrics(State(shared): State<Shared>) -> ([(HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], prometheus(&shared.session.stats()))
}

/// Streams an object of a tenant.
///
/// A layer in front of this one must check that the caller may act for the tenant. The caller chooses the region: a
/// needless region costs a client, of which the session keeps at most `max_size`, but no `AssumeRole` call.
async fn object(
    State(shared): State<Shared>,
    Path((tenant, region, key)): Path<(String, String, String)>,
) -> Result<Body, Failure> {
    let tenant = shared.tenants.get(&tenant).ok_or(Failure::UnknownTenant)?;
    let params = tenant.params(&region).map_err(SessionError::from)?;
    // `ready` instead of `client`, so that a refused role is a separate error, before the request to S3. While the
    // role's credentials are valid, neither makes a call.
    let s3 = shared.session.ready(&params).await?;
    let object = s3.get_object().bucket(format!("{}-{region}", tenant.bucket)).key(key).send().await?;
    Ok(Body::new(object.body.into_inner()))
}

/// The reason for a missing object.
enum Failure {
    UnknownTenant,
    Session(SessionError),
    // Boxed, because the SDK's error is large.
    S3(Box<SdkError<GetObjectError>>),
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl From<SdkError<GetObjectError>> for Failure {
    fn from(error: SdkError<GetObjectError>) -> Self {
        Self::S3(Box::new(error))
    }
}

impl IntoResponse for Failure {
    /// Logs the reason, and returns an answer without it.
    ///
    /// Errors name roles, and with them accounts. An answer about a parameter does not repeat its value.
    fn into_response(self) -> Response {
        match self {
            Self::UnknownTenant => answer(StatusCode::NOT_FOUND, "no such tenant"),
            Self::Session(SessionError::Cache(error @ ClientCacheError::InvalidParams { .. })) => {
                answer(StatusCode::BAD_REQUEST, error.to_string())
            }
            Self::Session(error) => {
                tracing::warn!("no client: {}", DisplayErrorContext(&error));
                if error.code() == Some("AccessDenied") { refused() } else { unavailable() }
            }
            Self::S3(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                answer(StatusCode::NOT_FOUND, "no such object")
            }
            Self::S3(error) => {
                tracing::warn!("no object: {}", DisplayErrorContext(&error));
                if error.code() == Some("AccessDenied") { refused() } else { unavailable() }
            }
        }
    }
}

fn answer(status: StatusCode, text: impl Into<String>) -> Response {
    (status, text.into()).into_response()
}

fn refused() -> Response {
    answer(StatusCode::FORBIDDEN, "AWS refuses this tenant's role")
}

fn unavailable() -> Response {
    answer(StatusCode::BAD_GATEWAY, "AWS has no answer")
}
