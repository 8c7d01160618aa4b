//! Sessions on a [`Cloud`], for tenants with one role each.

use std::future::poll_fn;
use std::task::Poll;

use aws_client_cache::{AssumeRole, ClientParams, ClientParamsBuilder, S3, Service, Session};
use support::clock::Clock;
use support::cloud::Cloud;

aws_client_cache::service!(
    /// Another service, with another signing name.
    pub(crate) Sts = aws_sdk_sts
);

aws_client_cache::service!(
    /// S3 under another marker.
    pub(crate) Archive = ::aws_sdk_s3
);

/// The time at which the tests start.
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) fn cloud() -> (Cloud, Session) {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::builder(&cloud.config()).max_size(100).build();
    (cloud, session)
}

pub(crate) fn role(name: &str) -> AssumeRole {
    AssumeRole::new(format!("arn:aws:iam::123456789012:role/{name}"))
}

pub(crate) fn params<S: Service>() -> ClientParamsBuilder<S> {
    ClientParams::builder()
}

pub(crate) fn of_role(name: &str) -> ClientParams<S3> {
    params().assume_role(role(name)).build().unwrap()
}

pub(crate) async fn call(s3: &aws_sdk_s3::Client) {
    s3.delete_object().bucket("bucket").key("key").send().await.unwrap();
}

/// Sends a request with the client for `params`, and returns its signer.
pub(crate) async fn signer(cloud: &Cloud, session: &Session, params: &ClientParams<S3>) -> Option<String> {
    call(&session.client(params).await.unwrap()).await;
    cloud.last().signer
}

/// Awaits all futures in one task, of which all have begun before a role is assumed.
pub(crate) async fn all<F: Future>(cloud: &Cloud, futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut hold = Some(cloud.hold().await);
    let mut pending: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        for (future, done) in &mut pending {
            if done.is_none()
                && let Poll::Ready(output) = future.as_mut().poll(context)
            {
                *done = Some(output);
            }
        }
        hold = None;
        if pending.iter().all(|(_, done)| done.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    pending.into_iter().filter_map(|(_, done)| done).collect()
}
