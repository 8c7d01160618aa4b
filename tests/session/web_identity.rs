//! Roles that are assumed with a token, and roles of other implementations of STS.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use aws_client_cache::{
    AssumeRole, ClientCacheError, ClientParams, Credentials, Region, S3, SdkConfig, Session, SessionError,
    SharedCredentialsProvider, WebIdentityToken,
};
use aws_config::BehaviorVersion;
use aws_credential_types::provider::ProvideCredentials;
use futures_util::FutureExt;
use support_server::Server;
use support_server::request_log::AssumeRoleCall;
use tempfile::TempDir;

use crate::tenancy::{NOW, all, call, cloud, role, signer};

const POD: &str = "arn:aws:iam::123456789012:role/pod";
const READER: &str = "arn:aws:iam::123456789012:role/reader";
/// The ARN in the documentation of `MinIO`.
const MINIO: &str = "arn:xxx:xxx:xxx:xxxx";

fn params(role: AssumeRole) -> ClientParams<S3> {
    let builder = ClientParams::<S3>::builder().customize("path_style", |builder| builder.force_path_style(true));
    builder.assume_role(role).build().unwrap()
}

fn base_keys() -> Credentials {
    Credentials::new("AKIDBASE", "secret of the base", None, None, "test")
}

/// Returns a base configuration for a server, without credentials.
fn unsigned(server: &Server) -> SdkConfig {
    let mut base = server.sdk_config(&base_keys()).into_builder();
    base.set_credentials_provider(None);
    base.build()
}

/// Returns the account of the credentials, which STS names in its answer.
async fn account(session: &Session, params: &ClientParams<S3>) -> Option<String> {
    let config = session.sdk_config(params).unwrap();
    let keys = config.credentials_provider().unwrap().provide_credentials().await.unwrap();
    keys.account_id().map(|account| account.as_str().to_owned())
}

async fn exists(s3: &aws_sdk_s3::Client, bucket: &str) -> bool {
    s3.head_bucket().bucket(bucket).send().await.is_ok()
}

/// The next token of a provider, or the error that it fails with.
type Next = Arc<Mutex<Result<String, String>>>;

/// Returns tokens that a test sets, and the number of times that one was requested.
fn tokens(first: &str) -> (WebIdentityToken, Next, Arc<AtomicUsize>) {
    let (current, requested) = (Arc::new(Mutex::new(Ok(first.to_owned()))), Arc::<AtomicUsize>::default());
    let (token, count) = (Arc::clone(&current), Arc::clone(&requested));
    let provider = WebIdentityToken::provider(move || {
        count.fetch_add(1, SeqCst);
        std::future::ready(token.lock().unwrap().clone())
    });
    (provider, current, requested)
}

// Proves T16.
#[tokio::test]
async fn a_token_file_is_read_anew_for_each_assumption() {
    let server = Server::start([]).await.unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token");
    server.store(POD, "of-the-pod", "key", b"content").unwrap();
    server.store(READER, "of-the-reader", "key", b"content").unwrap();
    let session = Session::new(&unsigned(&server));
    let pod = AssumeRole::new(POD).session_name("pod").web_identity(WebIdentityToken::file(&file));
    let reader = AssumeRole::new(READER).source_role(pod.clone());
    let (pod, reader) = (params(pod), params(reader));

    fs::write(&file, "first token\n").unwrap();
    server.accept_tokens(["first token"]);
    let (of_pod, of_reader) = (session.ready(&pod).await.unwrap(), session.ready(&reader).await.unwrap());
    assert!(exists(&of_pod, "of-the-pod").await && exists(&of_reader, "of-the-reader").await);
    for params in [&pod, &reader] {
        assert_eq!(account(&session, params).await.as_deref(), Some("123456789012"));
    }
    let calls = server.seen().assume_role_calls();
    let [by_token, chained] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!((by_token.role(), &*by_token.asked_by, &*by_token.form["WebIdentityToken"]), (POD, "", "first token"));
    assert_eq!(by_token.form["RoleSessionName"], "pod");
    assert_eq!((chained.role(), &*chained.asked_by), (READER, POD));

    // Clients in use receive credentials by the next token, and so does the chained role.
    fs::write(&file, "second token").unwrap();
    server.accept_tokens(["second token"]);
    drop(session.invalidate_credentials(&pod));
    assert!(exists(&of_reader, "of-the-reader").await && exists(&of_pod, "of-the-pod").await);
    let last = |call: &AssumeRoleCall| call.form.get("WebIdentityToken").cloned();
    let tokens: Vec<_> = server.seen().assume_role_calls().iter().filter_map(last).collect();
    assert_eq!(tokens, ["first token", "second token"]);

    // A client without a session assumes the roles for itself.
    let own = reader.client(&unsigned(&server)).await.unwrap();
    assert!(exists(&own, "of-the-reader").await);
}

/// Returns the message of an error without the part that names the key.
fn cause(error: &SessionError, params: &ClientParams<S3>) -> String {
    let before = format!("failed to load the credentials of {}: ", params.key());
    error.to_string().strip_prefix(&before).expect("the credentials could not be loaded").to_owned()
}

// Proves K4.
#[tokio::test]
async fn a_refused_token_and_a_missing_file_are_errors_without_the_token() {
    let server = Server::start([]).await.unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a\nfile");
    let session = Session::builder(&unsigned(&server)).load_backoff(std::time::Duration::ZERO).build();
    let by_token = AssumeRole::new(POD).web_identity(WebIdentityToken::file(&file));
    let pod = params(by_token.clone());
    let error = async || {
        let error = session.ready(&pod).await.unwrap_err();
        let source = cause(&error, &pod);
        let shown = format!("{error} {error:?} {by_token:?} {pod:?} {:?}", pod.key());
        assert!(!shown.contains("hidden") && !shown.contains('\n'), "{shown}");
        source
    };
    let missing = error().await;
    assert!(missing.contains("a\\nfile\" cannot be read: "), "{missing}");
    fs::write(&file, "hidden token").unwrap();
    assert_eq!(error().await.rsplit(": ").next(), Some("the token is not accepted"));
    fs::write(&file, b"hidden \xff").unwrap();
    assert!(error().await.contains("UTF-8"));
    let shown = format!("{:?}", WebIdentityToken::file(&file));
    assert_eq!(shown, "WebIdentityToken");
}

// Proves T16.
#[tokio::test]
async fn roles_of_minio_are_assumed_at_their_endpoint() {
    let server = Server::start([&base_keys()]).await.unwrap();
    server.accept_tokens(["a token"]);
    server.store(MINIO, "of-the-role", "key", b"content").unwrap();
    // A base that knows nothing of the server.
    let base = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .use_dual_stack(true)
        .credentials_provider(SharedCredentialsProvider::new(base_keys()))
        .build();
    let at_server = |role: AssumeRole| {
        let builder = ClientParams::<S3>::builder().customize("path_style", |builder| builder.force_path_style(true));
        let builder = builder.endpoint_url(server.endpoint_url()).use_dual_stack(false);
        builder.assume_role(role.endpoint_url(server.endpoint_url())).build().unwrap()
    };
    let session = Session::new(&base);
    let token = WebIdentityToken::provider(async || Ok::<_, std::io::Error>("a token".to_owned()));
    let roles = [AssumeRole::new(MINIO), AssumeRole::new(MINIO).web_identity(token)];
    for (role, asked_by) in roles.into_iter().zip(["AKIDBASE", ""]) {
        let params = at_server(role);
        assert!(exists(&session.ready(&params).await.unwrap(), "of-the-role").await);
        assert_eq!(account(&session, &params).await, None);
        assert_eq!(server.seen().assume_role_calls().last().unwrap().asked_by, asked_by);
    }

    // No implementation has both.
    let fips = base.into_builder().use_fips(true).build();
    let refused = Session::new(&fips).client(&params(AssumeRole::new(MINIO).endpoint_url("http://minio"))).await;
    let Err(SessionError::Cache(ClientCacheError::InvalidParams { parameter: "use_fips", .. })) = refused else {
        panic!("{refused:?}")
    };
}

// Proves T8, T12, T16.
#[tokio::test]
async fn credentials_by_a_token_are_renewed_with_the_next_one() {
    let (cloud, session) = cloud();
    let (token, current, requested) = tokens("one");
    let tenant = params(role("tenant").web_identity(token));
    let signed_by = || signer(&cloud, &session, &tenant);
    assert_eq!(signed_by().await.as_deref(), Some("tenant by one"));
    *current.lock().unwrap() = Ok("two".to_owned());
    assert_eq!(signed_by().await.as_deref(), Some("tenant by one"));
    assert_eq!((cloud.last_assumed().signer, requested.load(SeqCst)), (None, 1));

    // T8
    cloud.clock().set(NOW + 3_600 - 30);
    assert_eq!(signed_by().await.as_deref(), Some("tenant by two"));
    // T12
    cloud.expire("tenant by two", 400, "ExpiredToken");
    *current.lock().unwrap() = Ok("three".to_owned());
    let s3 = session.client(&tenant).await.unwrap();
    assert!(s3.delete_object().bucket("bucket").key("key").send().await.is_err());
    assert_eq!(signed_by().await.as_deref(), Some("tenant by three"));

    // The credentials of the base have no part in it.
    drop(session.invalidate_credentials(&ClientParams::<S3>::builder().build().unwrap()));
    drop(session.invalidate_credentials(&ClientParams::<S3>::builder().anonymous().build().unwrap()));
    assert_eq!(signed_by().await.as_deref(), Some("tenant by three"));
    assert_eq!((cloud.all_assumed(), requested.load(SeqCst)), (3, 3));
    drop(session.invalidate_credentials(&tenant));
    signed_by().await;
    assert_eq!((cloud.all_assumed(), requested.load(SeqCst)), (4, 4));
}

// Proves T13, T16.
#[tokio::test]
async fn concurrent_callers_share_one_token_and_a_source_role() {
    let (cloud, session) = cloud();
    let (token, _, requested) = tokens("one");
    let pod = role("pod").web_identity(token);
    let names = ["a", "b", "c"].map(|name| params(role(name).source_role(pod.clone())));
    let ready = names.iter().chain(&names).map(|params| session.ready(params));
    for client in all(&cloud, ready).await {
        call(&client.unwrap()).await;
    }
    let signers: Vec<_> = cloud.requests().into_iter().filter_map(|request| request.signer).collect();
    assert_eq!(signers[..3], ["a by pod by one", "b by pod by one", "c by pod by one"]);
    assert_eq!((cloud.assumed("pod"), cloud.all_assumed(), requested.load(SeqCst)), (1, 4, 1));

    // T13
    session.revoke(&params(pod.clone()));
    assert!(session.ready(&names[0]).await.is_err());
    assert!(session.admit(&params(pod)));
    call(&session.ready(&names[0]).await.unwrap()).await;
    assert_eq!(requested.load(SeqCst), 2);
}

// Proves K4, T9, T16.
#[tokio::test]
async fn a_provider_of_tokens_that_fails_costs_few_calls() {
    let (cloud, session) = cloud();
    let (token, current, requested) = tokens("one");
    *current.lock().unwrap() = Err("the issuer is down".to_owned());
    let tenant = params(role("tenant").web_identity(token));
    for _ in 0..100 {
        let error = session.ready(&tenant).await.unwrap_err();
        assert_eq!(cause(&error, &tenant), "the issuer is down");
    }
    assert_eq!((requested.load(SeqCst), cloud.all_assumed()), (1, 0));
    *current.lock().unwrap() = Ok("one".to_owned());
    cloud.clock().advance(1);
    assert_eq!(signer(&cloud, &session, &tenant).await.as_deref(), Some("tenant by one"));
}

// Proves T7, T16.
#[tokio::test]
async fn a_request_for_a_token_that_is_abandoned_is_resumed() {
    let (cloud, session) = cloud();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let requested = Arc::<AtomicUsize>::default();
    let (open, count) = (Arc::clone(&gate), Arc::clone(&requested));
    let token = WebIdentityToken::provider(move || {
        let open = Arc::clone(&open);
        count.fetch_add(1, SeqCst);
        async move { open.acquire().await.map(|_| "one".to_owned()) }
    });
    let tenant = params(role("tenant").web_identity(token));
    assert!(session.ready(&tenant).now_or_never().is_none());
    assert!(session.ready(&tenant).now_or_never().is_none());
    gate.add_permits(1);
    call(&session.ready(&tenant).await.unwrap()).await;
    assert_eq!((cloud.last().signer.as_deref(), requested.load(SeqCst)), (Some("tenant by one"), 1));
}
