//! The same requests through a real session of one process, with AWS as an HTTP client in this process.

use aws_client_cache::{AssumeRole, ClientParams, S3, Session};
use support::clock::Clock;
use support::cloud::Cloud;

use super::process::{Counts, Settings};
use super::traffic::Request;

/// The error that ends a run.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Serves requests by a real session, one after another, and returns its counts.
///
/// Before each request, the clock of the session is set to its time, in whole seconds. Each request is a call of S3 as the
/// tenant's role.
///
/// # Errors
///
/// Fails if a request fails, which the fake AWS gives no reason for.
pub async fn serve(settings: Settings, requests: &[Request]) -> Result<Counts, Failure> {
    const MIDNIGHT: u64 = 1_700_006_400;
    let clock = Clock::at(MIDNIGHT);
    let cloud = Cloud::new(&clock);
    let mut session = Session::builder(&cloud.config())
        .policy(settings.policy)
        .max_size(settings.max_size)
        .max_idle_scopes(settings.max_size);
    if let Some(window) = settings.advisory_window {
        session = session.advisory_refresh_window(window);
    }
    let session = session.build();
    for request in requests {
        clock.set(MIDNIGHT + request.at / 1_000);
        let role = AssumeRole::new(format!("arn:aws:iam::123456789012:role/tenant-{}", request.tenant));
        let role = role.session_length(settings.session_length);
        let s3 = session.client(&ClientParams::<S3>::builder().assume_role(role).build()?).await?;
        s3.head_bucket().bucket("bucket").send().await?;
        drop(cloud.requests());
    }
    let stats = session.stats();
    Ok(Counts {
        assume_roles: cloud.all_assumed() as u64,
        clients: stats.cache.creations,
        evictions: stats.cache.evictions,
    })
}
