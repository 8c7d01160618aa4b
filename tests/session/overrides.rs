//! The statements of `docs/MIGRATION.md` on `config_override`.

use std::time::Duration;

use aws_client_cache::TimeoutConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_sdk_s3::config::Builder;

use crate::tenancy::{call, cloud, of_role};

async fn call_with(s3: &aws_sdk_s3::Client, config: Builder) {
    let request = s3.delete_object().bucket("bucket").key("key");
    request.customize().config_override(config).send().await.unwrap();
}

#[tokio::test]
async fn an_override_of_credentials_assumes_the_role_for_each_request() {
    const REQUESTS: usize = 5;
    let (cloud, session) = cloud();
    let config = cloud.config();
    let s3 = aws_sdk_s3::Client::new(&config);
    let role = "arn:aws:iam::123456789012:role/tenant";
    let shared = AssumeRoleProvider::builder(role).session_name("test").configure(&config).build().await;
    let shared = aws_client_cache::SharedCredentialsProvider::new(shared);
    for _ in 0..REQUESTS {
        // Although it is the same provider.
        call_with(&s3, Builder::new().credentials_provider(shared.clone())).await;
        assert_eq!(cloud.last().signer.as_deref(), Some("tenant by base"));
    }
    assert_eq!(cloud.assumed("tenant"), REQUESTS);

    for _ in 0..REQUESTS {
        call(&session.client(&of_role("tenant")).await.unwrap()).await;
    }
    assert_eq!(cloud.assumed("tenant"), REQUESTS + 1);
}

#[tokio::test]
async fn an_override_of_a_timeout_leaves_the_credentials_of_a_session_alone() {
    let (cloud, session) = cloud();
    let s3 = session.client(&of_role("tenant")).await.unwrap();
    for seconds in 100..105 {
        let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(seconds)).build();
        call_with(&s3, Builder::new().timeout_config(timeouts)).await;
        assert_eq!(cloud.last().signer.as_deref(), Some("tenant by base"));
    }
    assert_eq!(cloud.all_assumed(), 1);
}
