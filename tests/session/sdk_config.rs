//! Rule T15: configurations for other libraries, against a fake AWS.

use std::time::{Duration, SystemTime};

use aws_client_cache::{
    ClientCacheError, Credentials, S3, SdkConfig, Session, SessionError, SharedCredentialsProvider,
};
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use support::clock::Clock;
use support::cloud::{Cloud, keys};

use crate::tenancy::{NOW, Sts, call, cloud, of_role, params, role, signer};

fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::new(config)
}

/// Returns a session that keeps no idle scope.
fn without_idle_scopes() -> (Cloud, Session) {
    let cloud = Cloud::new(&Clock::at(NOW));
    let session = Session::builder(&cloud.config()).scope_idle_timeout(Duration::ZERO).build();
    (cloud, session)
}

// Proves T15.
#[tokio::test]
async fn a_configuration_shares_the_credentials_of_the_sessions_clients() {
    let (cloud, session) = cloud();
    let tenant = of_role("tenant");
    assert_eq!(signer(&cloud, &session, &tenant).await.as_deref(), Some("tenant by base"));
    let config = session.sdk_config(&tenant).unwrap();
    call(&s3(&config)).await;
    assert_eq!(cloud.last().signer.as_deref(), Some("tenant by base"));
    let provided = config.credentials_provider().unwrap().provide_credentials().await.unwrap();
    assert_eq!(provided.access_key_id(), "ASIA0");
    aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.unwrap();
    assert_eq!(cloud.last().signer.as_deref(), Some("tenant by base"));
    assert_eq!(cloud.all_assumed(), 1);
    assert_eq!(session.cache().len(), 1, "a configuration is not cached");
}

// Proves T15.
#[tokio::test]
async fn a_configuration_has_all_parameters_of_any_kind_of_credentials() {
    let (cloud, session) = cloud();
    let everything = || params::<Sts>().region("eu-west-1").use_fips(true).app_name("app");
    let anonymous = params::<S3>().anonymous().build().unwrap();
    for (params, expected) in [
        (everything(), Some("base")),
        (everything().credentials(keys("own")), Some("own")),
        (everything().assume_role(role("tenant").source_role(role("hub"))), Some("tenant by hub by base")),
    ] {
        let config = session.sdk_config(&params.build().unwrap()).unwrap();
        assert_eq!(config.use_fips(), Some(true));
        assert_eq!(config.app_name().unwrap().as_ref(), "app");
        call(&s3(&config)).await;
        let request = cloud.last();
        assert_eq!((request.signer.as_deref(), request.region.as_deref()), (expected, Some("eu-west-1")));
    }
    assert!(session.sdk_config(&anonymous).unwrap().credentials_provider().is_none());
    let validations = cloud.validations();
    s3(&session.sdk_config(&of_role("tenant")).unwrap());
    assert_eq!(cloud.validations(), validations, "T4: the HTTP client is the session's");
}

// Proves T2, T15.
#[tokio::test]
async fn a_configuration_and_its_provider_keep_the_scope_active() {
    let (_cloud, session) = without_idle_scopes();
    let tenant = of_role("tenant");
    let config = session.sdk_config(&tenant).unwrap();
    assert_eq!(session.scopes(), (1, 0));
    let provider = config.credentials_provider().unwrap();
    let client = s3(&config);
    drop(config);
    drop(client);
    assert_eq!(session.scopes(), (1, 0), "the provider keeps it");
    drop(provider);
    assert_eq!(session.scopes(), (0, 0));
    let client = s3(&session.sdk_config(&tenant).unwrap());
    assert_eq!(session.scopes(), (1, 0), "the client keeps it");
    drop(client);
    assert_eq!(session.scopes(), (0, 0));
}

// Proves T6, T8, T15.
#[tokio::test]
async fn the_credentials_of_a_configuration_are_renewed_and_invalidated() {
    let (cloud, session) = without_idle_scopes();
    let tenant = of_role("tenant");
    let config = session.sdk_config(&tenant).unwrap();
    let (client, provider) = (s3(&config), config.credentials_provider().unwrap());
    let key = async || provider.provide_credentials().await.unwrap().access_key_id().to_owned();
    call(&client).await;
    assert_eq!((cloud.assumed("tenant"), key().await.as_str()), (1, "ASIA0"));
    cloud.clock().advance(3_600);
    call(&client).await;
    assert_eq!((cloud.assumed("tenant"), key().await.as_str()), (2, "ASIA1"));
    session.invalidate_credentials(&tenant);
    call(&client).await;
    assert_eq!((cloud.assumed("tenant"), key().await.as_str()), (3, "ASIA2"));
}

// Proves T13, T15.
#[tokio::test]
async fn a_revoked_configuration_signs_nothing() {
    let (cloud, session) = cloud();
    let tenant = of_role("tenant");
    let config = session.sdk_config(&tenant).unwrap();
    call(&s3(&config)).await;
    session.revoke(&tenant);
    assert!(config.credentials_provider().unwrap().provide_credentials().await.is_err());
    assert!(s3(&config).delete_object().bucket("bucket").key("key").send().await.is_err());
    let refused = session.sdk_config(&tenant).unwrap_err();
    assert!(matches!(refused, SessionError::Cache(ClientCacheError::CredentialsRevoked { .. })));
    assert_eq!(cloud.requests().len(), 1);
}

// A limit that SECURITY.md names.
#[tokio::test]
async fn a_client_with_the_provider_alone_signs_after_a_revocation() {
    let (cloud, session) = cloud();
    let tenant = of_role("tenant");
    let config = session.sdk_config(&tenant).unwrap();
    let alone = cloud.config().into_builder().credentials_provider(config.credentials_provider().unwrap()).build();
    let (alone, whole) = (s3(&alone), s3(&config));
    call(&alone).await;
    call(&whole).await;
    session.revoke(&tenant);
    call(&alone).await;
    assert_eq!(cloud.last().signer.as_deref(), Some("tenant by base"));
    whole.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
}

// A limit that SECURITY.md names.
#[test]
fn configurations_and_clients_without_a_session_show_the_key_id() {
    let keys = SharedCredentialsProvider::new(keys("AKIDEXAMPLE"));
    let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).credentials_provider(keys).build();
    for shown in [format!("{config:?}"), format!("{:?}", s3(&config))] {
        assert!(shown.contains("AKIDEXAMPLE"), "{shown}");
    }
}

// Proves K4, T15.
#[tokio::test]
async fn a_configuration_shows_no_credentials() {
    let (_cloud, session) = cloud();
    let config = session.sdk_config(&of_role("tenant")).unwrap();
    call(&s3(&config)).await;
    let shown = format!("{:?} {:?}", config.identity_cache(), config.credentials_provider());
    assert!(!shown.contains("ASIA") && !shown.contains("the secret of") && !shown.contains("the token of"), "{shown}");
    assert!(shown.contains("LeasedProvider"), "the owner is shown: {shown}");
}

// Proves T11.
#[tokio::test]
async fn an_expiry_is_provided_up_to_the_year_9999() {
    let (_, session) = cloud();
    let second = Duration::from_secs(1);
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    for (expiry, provided) in [(last - second, last - second), (last, last), (last + second, last)] {
        let keys = Credentials::new("AKID", "secret", None, Some(expiry), "test");
        let params = params::<S3>().credentials_provider(SharedCredentialsProvider::new(keys)).build().unwrap();
        let provider = session.sdk_config(&params).unwrap().credentials_provider().unwrap();
        assert_eq!(provider.provide_credentials().await.unwrap().expiry(), Some(provided));
    }
}

// Proves T15.
#[tokio::test]
async fn a_configuration_is_checked_as_a_client_is() {
    let (cloud, _) = cloud();
    let mut base = cloud.config().to_builder();
    base.set_region(None);
    let session = Session::new(&base.build());
    for builder in [params::<S3>(), params().credentials(keys("own")), params().assume_role(role("tenant"))] {
        let params = builder.build().unwrap();
        let error = session.sdk_config(&params).unwrap_err().to_string();
        assert_eq!(error, session.client(&params).await.unwrap_err().to_string());
        assert!(error.starts_with("invalid region: "), "{error}");
    }
}
