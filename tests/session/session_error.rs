//! The messages and the codes of `SessionError`.

use std::error::Error;
use std::time::Duration;

use aws_client_cache::{
    ClientCacheError, S3, Session, SessionError, SharedCredentialsProvider, is_revoked, refusal_code,
};
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::tenancy::{cloud, of_role, params, role};

/// A provider that fails.
#[derive(Debug)]
struct Failing(fn() -> CredentialsError);

impl ProvideCredentials for Failing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(self.0()))
    }
}

/// A provider that wraps the errors of another.
#[derive(Debug)]
struct Wrapping(SharedCredentialsProvider);

impl ProvideCredentials for Wrapping {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let provided = async { self.0.provide_credentials().await.map_err(CredentialsError::provider_error) };
        future::ProvideCredentials::new(provided)
    }
}

async fn ready(session: &Session, provider: impl ProvideCredentials + 'static) -> SessionError {
    let provider = SharedCredentialsProvider::new(provider);
    session.ready(&params::<S3>().credentials_provider(provider).build().unwrap()).await.unwrap_err()
}

/// Returns the part of the message after the key.
fn cause(error: &SessionError) -> String {
    let SessionError::Credentials { key, .. } = error else { panic!("{error:?}") };
    let message = error.to_string();
    message.strip_prefix(&format!("failed to load the credentials of {key}: ")).expect("it begins so").to_owned()
}

/// Codes of refusals by STS, of which the model of `AssumeRole` names the last four.
const CODES: [&str; 6] = [
    "AccessDenied",
    "InvalidClientTokenId",
    "ExpiredTokenException",
    "MalformedPolicyDocument",
    "PackedPolicyTooLarge",
    "RegionDisabledException",
];

// Proves T5.
#[tokio::test]
async fn the_code_of_a_refusal_is_known_in_every_case_and_stands_in_the_message_once() {
    for code in CODES {
        let (cloud, session) = cloud();
        cloud.refuse_with("tenant", code);
        let behind_it = params::<S3>().assume_role(role("other").source_role(role("tenant"))).build().unwrap();
        for params in [of_role("tenant"), behind_it] {
            let error = session.ready(&params).await.unwrap_err();
            assert_eq!((error.code(), cause(&error)), (Some(code), format!("{code}: no")));
            let SessionError::Credentials { cause, .. } = &error else { panic!("{error:?}") };
            let is_invalid = matches!(&**cause, CredentialsError::InvalidConfiguration(_));
            assert_eq!(is_invalid, ["MalformedPolicyDocument", "RegionDisabledException"].contains(&code), "{error:?}");
        }
    }
}

// Proves T5.
#[tokio::test]
async fn the_message_alone_names_the_cause() {
    let (_, session) = cloud();
    let unset = || Failing(|| CredentialsError::not_loaded("it is not set"));
    let chain = CredentialsProviderChain::first_try("Environment", unset()).or_else("Profile", unset());
    assert_eq!(
        cause(&ready(&session, chain).await),
        "no credentials found in chain. Attempted: \
         Environment: the credential provider was not enabled: it is not set \
         Profile: the credential provider was not enabled: it is not set",
    );
    let bare = Failing(CredentialsError::not_loaded_no_source);
    assert_eq!(cause(&ready(&session, bare).await), "the credential provider was not enabled");
    let slow = Failing(|| CredentialsError::provider_timed_out(Duration::from_secs(5)));
    assert_eq!(cause(&ready(&session, slow).await), "credentials provider timed out after 5 seconds");
    let sealed = Failing(|| CredentialsError::invalid_configuration("the vault\n  is\u{1b}sealed"));
    assert_eq!(cause(&ready(&session, sealed).await), "the vault is sealed");
}

// Proves T5.
#[tokio::test]
async fn a_failure_without_an_answer_of_aws_has_no_code() {
    let (_, session) = cloud();
    let failures: [fn() -> CredentialsError; 4] = [
        || CredentialsError::provider_timed_out(Duration::from_secs(5)),
        || CredentialsError::provider_error("AccessDenied: the vault is sealed"),
        CredentialsError::not_loaded_no_source,
        || CredentialsError::unhandled(std::io::Error::from(std::io::ErrorKind::ConnectionRefused)),
    ];
    for failure in failures {
        let error = ready(&session, Failing(failure)).await;
        assert_eq!((error.code(), refusal_code(&error)), (None, None), "{error}");
    }
}

// Proves T5, T13.
#[tokio::test]
async fn a_refusal_and_a_revocation_are_known_behind_a_provider_that_wraps_errors() {
    let (cloud, session) = cloud();
    cloud.refuse("tenant");
    let config = session.sdk_config(&of_role("tenant")).unwrap();
    let wrapping = || Wrapping(config.credentials_provider().expect("the session sets it"));
    let error = ready(&session, wrapping()).await;
    assert_eq!((error.code(), is_revoked(&error)), (Some("AccessDenied"), false));
    assert!(cause(&error).ends_with(": AccessDenied: no"), "{error}");
    drop(session.revoke(&of_role("tenant")));
    let error = ready(&session, wrapping()).await;
    assert_eq!((error.code(), is_revoked(&error)), (None, true));
}

// Proves T5.
#[tokio::test]
async fn the_chain_of_sources_does_not_repeat_the_message() {
    let (cloud, session) = cloud();
    cloud.refuse("tenant");
    let error = session.ready(&of_role("tenant")).await.unwrap_err();
    assert!(error.source().is_none());
    let shown = DisplayErrorContext(&error).to_string();
    let message = shown.strip_suffix(&format!(" ({error:?})")).expect("the debug view follows the messages");
    assert_eq!(message, error.to_string());
    let clone = error.clone();
    assert_eq!((clone.to_string(), clone.code()), (error.to_string(), Some("AccessDenied")));
}

// Proves K4: AWS repeats the signed request in its message, if the signature is invalid.
#[tokio::test]
async fn of_a_message_of_aws_only_the_first_line_is_shown() {
    let (cloud, session) = cloud();
    for code in ["SignatureDoesNotMatch", "ExpiredTokenException"] {
        cloud.refuse_with("tenant", code);
        let chained = params::<S3>().assume_role(role("spoke").source_role(role("tenant"))).build().unwrap();
        for params in [of_role("tenant"), chained] {
            let error = session.ready(&params).await.unwrap_err();
            let s3 = session.client(&params).await.unwrap();
            let of_request = s3.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
            for shown in [error.to_string(), format!("{error:?}"), DisplayErrorContext(&of_request).to_string()] {
                assert!(shown.contains(code) && !shown.contains("the token of"), "{shown}");
            }
        }
        session.invalidate_role("arn:aws:iam::123456789012:role/tenant");
    }
}

// Proves T5.
#[tokio::test]
async fn the_code_of_a_refusal_is_found_in_an_error_of_a_request() {
    let request =
        async |s3: &aws_sdk_s3::Client| s3.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
    for code in CODES {
        let (cloud, session) = cloud();
        cloud.refuse_with("tenant", code);
        let error = request(&session.client(&of_role("tenant")).await.unwrap()).await;
        assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
        assert_eq!((error.code(), refusal_code(&error)), (None, Some(code)));
        let error: Box<dyn Error> = session.ready(&of_role("tenant")).await.unwrap_err().into();
        assert_eq!(refusal_code(&*error), Some(code));
    }
    // Neither of these errors is a refusal of credentials.
    let (cloud, session) = cloud();
    cloud.expire("base", 403, "AccessDenied");
    let error = request(&session.client(&params::<S3>().build().unwrap()).await.unwrap()).await;
    assert_eq!((error.code(), refusal_code(&error)), (Some("AccessDenied"), None));
    assert_eq!(refusal_code(&ClientCacheError::Empty), None);
    let error = SessionError::from(ClientCacheError::Empty);
    assert_eq!((error.code(), refusal_code(&error)), (None, None));
}
