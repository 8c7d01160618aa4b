//! Sessions of S3 Express, which each client creates with the credentials of its tenant.

use aws_client_cache::{ClientParams, S3};
use support::cloud::{Cloud, keys};

use crate::tenancy::{cloud, params, role};

const BUCKET: &str = "shared--usw2-az1--x-s3";

fn tenant(name: &str) -> ClientParams<S3> {
    params().region("us-west-2").assume_role(role(name)).build().unwrap()
}

async fn delete(s3: &aws_sdk_s3::Client, bucket: &str) -> bool {
    s3.delete_object().bucket(bucket).key("key").send().await.is_ok()
}

fn signer(cloud: &Cloud) -> String {
    cloud.last().signer.expect("the request is signed")
}

// Proves T1.
#[tokio::test]
async fn each_tenant_has_its_own_sessions_of_a_shared_bucket() {
    let (cloud, session) = cloud();
    for _ in 0..3 {
        for name in ["one", "two"] {
            let s3 = session.client(&tenant(name)).await.unwrap();
            assert!(delete(&s3, BUCKET).await);
            assert_eq!(signer(&cloud), format!("session of {name} by base"));
        }
    }
    let sessions = [("session of one by base".to_owned(), 1), ("session of two by base".to_owned(), 1)];
    assert_eq!(cloud.express_sessions(), sessions.into());
    assert_eq!(cloud.all_assumed(), 2);
    let s3 = session.client(&tenant("one")).await.unwrap();
    assert!(delete(&s3, "other--usw2-az1--x-s3").await && delete(&s3, "plain").await);
    assert_eq!(signer(&cloud), "one by base", "other buckets need no session");
    assert_eq!(cloud.express_sessions()["session of one by base"], 2);
}

// Proves T6.
#[tokio::test]
async fn a_client_creates_another_session_after_an_invalidation() {
    let (cloud, session) = cloud();
    let s3 = session.client(&tenant("one")).await.unwrap();
    assert!(delete(&s3, BUCKET).await);
    session.invalidate_credentials(&tenant("one"));
    assert!(delete(&s3, BUCKET).await && delete(&s3, BUCKET).await);
    assert_eq!(cloud.express_sessions()["session of one by base"], 2);
    assert_eq!(cloud.all_assumed(), 2);
}

// Proves T13.
#[tokio::test]
async fn a_client_of_a_revoked_tenant_signs_nothing_in_its_session() {
    let (cloud, session) = cloud();
    let s3 = session.client(&tenant("one")).await.unwrap();
    assert!(delete(&s3, BUCKET).await);
    cloud.requests();
    session.revoke(&tenant("one"));
    assert!(!delete(&s3, BUCKET).await);
    assert_eq!(cloud.requests(), []);
    assert!(session.admit(&tenant("one")));
    assert!(delete(&s3, BUCKET).await);
}

// Proves T6.
#[tokio::test]
async fn a_client_keeps_its_session_if_the_same_credentials_return() {
    let (cloud, session) = cloud();
    let own = params::<S3>().region("us-west-2").credentials(keys("own")).build().unwrap();
    let s3 = session.client(&own).await.unwrap();
    assert!(delete(&s3, BUCKET).await);
    session.invalidate_credentials(&own);
    assert!(delete(&s3, BUCKET).await);
    assert_eq!(signer(&cloud), "session of own");
    assert_eq!(cloud.express_sessions(), [("session of own".to_owned(), 1)].into());
}
