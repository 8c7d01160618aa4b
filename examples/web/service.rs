//! The service itself, to be copied: a request names a tenant, and is answered with what that tenant's role may read.

use std::collections::HashMap;
use std::sync::Arc;

use aws_client_cache::{AssumeRole, ClientCacheError, ClientParams, S3, Session, SessionError};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// What is known of a tenant: in a service of yours, a row of a table.
pub(crate) struct Tenant {
    pub(crate) role_arn: String,
    pub(crate) external_id: String,
    /// What the tenant's buckets begin with; there is one in each region.
    pub(crate) bucket: String,
}

impl Tenant {
    /// Everything that makes this tenant's client another one than the others'.
    fn params(&self, region: &str) -> Result<ClientParams<S3>, ClientCacheError> {
        let role = AssumeRole::new(&self.role_arn).external_id(&self.external_id).session_name("web");
        ClientParams::<S3>::builder().region(region).assume_role(role).build()
    }
}

/// What all requests share. A clone is the same: so is one of a session.
#[derive(Clone)]
struct Shared {
    session: Session,
    tenants: Arc<HashMap<String, Tenant>>,
}

/// The service, over a session that is made once.
pub(crate) fn router(session: Session, tenants: HashMap<String, Tenant>) -> Router {
    let shared = Shared { session, tenants: Arc::new(tenants) };
    Router::new().route("/tenants/{tenant}/{region}/{*key}", get(object)).with_state(shared)
}

/// Streams an object of a tenant.
///
/// That the caller may act for the tenant is for a layer in front of this one to find out. The region is the caller's
/// choice: one that nobody needs costs a client, of which the session keeps `max_size`, and no role.
async fn object(
    State(shared): State<Shared>,
    Path((tenant, region, key)): Path<(String, String, String)>,
) -> Result<Body, Failure> {
    let tenant = shared.tenants.get(&tenant).ok_or(Failure::UnknownTenant)?;
    let params = tenant.params(&region).map_err(SessionError::from)?;
    // `ready`, and not `client`, so that a role that is refused is an error of its own, before the request to S3. While
    // the role's credentials last, neither makes a call.
    let s3 = shared.session.ready(&params).await?;
    let object = s3.get_object().bucket(format!("{}-{region}", tenant.bucket)).key(key).send().await?;
    Ok(Body::new(object.body.into_inner()))
}

/// Why there is no object.
enum Failure {
    UnknownTenant,
    Session(SessionError),
    // The SDK's error is a large one.
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
    /// The log says why. The answer does not: errors name roles, and with them accounts. What it says of a parameter
    /// does not repeat its value.
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
