//! Rule T14: many clients are warmed up at once, against a fake AWS that counts calls of `AssumeRole`.

use std::pin::pin;

use aws_client_cache::{ClientCacheError, ClientParams, S3, Session, SessionError};
use futures_util::FutureExt;
use support::clock::Clock;
use support::cloud::Cloud;

use crate::tenancy::{NOW, call, of_role};

const SCOPES: usize = 500;

const BOUND: usize = 8;

fn session() -> (Cloud, Session, Vec<ClientParams<S3>>) {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::builder(&cloud.config()).max_size(SCOPES).max_concurrent_loads(BOUND).build();
    (cloud, session, (0..SCOPES).map(|tenant| of_role(&format!("tenant{tenant}"))).collect())
}

// Proves T14.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_scopes_are_loaded_with_a_bound_and_in_order() {
    let (cloud, session, mut tenants) = session();
    cloud.refuse("tenant100");
    session.revoke(&tenants[200]);
    tenants.push(tenants[0].clone());
    let ready = tokio::spawn({
        let (session, tenants) = (session.clone(), tenants.clone());
        async move { session.ready_all(&tenants).await }
    });
    let ready = ready.await.unwrap();
    assert_eq!(ready.len(), SCOPES + 1);
    for (tenant, ready) in ready.into_iter().enumerate() {
        match (tenant, ready) {
            (100, Err(error)) => assert_eq!(error.code(), Some("AccessDenied")),
            (200, Err(SessionError::Cache(ClientCacheError::CredentialsRevoked { .. }))) => {}
            (_, ready) => {
                call(&ready.unwrap()).await;
                let tenant = tenant % SCOPES;
                assert_eq!(cloud.last().signer, Some(format!("tenant{tenant} by base")));
            }
        }
    }
    assert_eq!((cloud.all_assumed(), session.cache().len()), (SCOPES - 1, SCOPES - 2));
    assert!((2..=BOUND).contains(&cloud.most_assuming()), "{}", cloud.most_assuming());
}

// Proves T14.
#[tokio::test]
async fn a_dropped_warm_up_loses_no_progress() {
    let (cloud, session, tenants) = session();
    for polls in [1, 2, 10, 50] {
        let mut ready = pin!(session.ready_all(&tenants));
        for _ in 0..polls {
            assert!(ready.as_mut().now_or_never().is_none(), "{polls}");
        }
    }
    assert!((1..SCOPES).contains(&cloud.all_assumed()), "{}", cloud.all_assumed());
    assert!(session.ready_all(&tenants).await.into_iter().all(|ready| ready.is_ok()));
    assert_eq!(cloud.all_assumed(), SCOPES, "no role is assumed twice");
}
