//! The embedded server, tested with the plain SDK: the behavior that other tests rely on.

use std::time::{Duration, SystemTime};

use aws_client_cache::{Credentials, Region, SdkConfig, SharedCredentialsProvider};
use aws_config::BehaviorVersion;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use support_server::Server;
use support_server::request_log::Request;

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
const OTHER: &str = "arn:aws:iam::123456789012:role/path/writer";

fn registered() -> Credentials {
    Credentials::new("AKIDBASE", "secret of the base", None, None, "test")
}

async fn started() -> (Server, SdkConfig) {
    let server = Server::start([&registered()]).await.unwrap();
    // The configuration of `load_defaults`, apart from the environment.
    let base = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(server.endpoint_url())
        .credentials_provider(registered())
        .load()
        .await;
    (server, base)
}

async fn role(base: &SdkConfig, arn: &str) -> AssumeRoleProvider {
    let source = base.credentials_provider().unwrap();
    AssumeRoleProvider::builder(arn).session_name("test").configure(base).build_from_provider(source).await
}

/// Returns a client that signs with the credentials of `provider`.
fn s3(base: &SdkConfig, provider: impl ProvideCredentials + 'static) -> aws_sdk_s3::Client {
    let base = base.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&base).force_path_style(true).build())
}

async fn read(s3: &aws_sdk_s3::Client, bucket: &str) -> Result<Vec<u8>, String> {
    let object = s3.get_object().bucket(bucket).key("key").send().await.map_err(|error| code(&error))?;
    Ok(object.body.collect().await.map_err(|error| error.to_string())?.to_vec())
}

/// Returns the error code of the server, or else the whole error.
fn code<E: std::error::Error + ProvideErrorMetadata + 'static>(error: &SdkError<E>) -> String {
    error.code().map_or_else(|| DisplayErrorContext(error).to_string(), Into::into)
}

async fn refused(provider: AssumeRoleProvider) -> String {
    DisplayErrorContext(provider.provide_credentials().await.unwrap_err()).to_string()
}

#[tokio::test]
async fn the_server_assumes_a_role_and_logs_requests() {
    let (server, base) = started().await;
    let provider = AssumeRoleProvider::builder(ROLE)
        .session_name("a-session")
        .external_id("an external & id")
        .session_length(Duration::from_mins(15))
        .configure(&base)
        .build_from_provider(registered())
        .await;
    let before = SystemTime::now();
    let keys = provider.provide_credentials().await.unwrap();
    assert!(keys.access_key_id().starts_with("ASIA") && keys.session_token().is_some());
    let lasting = keys.expiry().unwrap().duration_since(before).unwrap().as_secs_f64();
    assert!((899.0..=905.0).contains(&lasting), "{lasting}");
    assert_eq!(keys.account_id().map(aws_credential_types::attributes::AccountId::as_str), Some("123456789012"));

    let calls = server.seen().assume_role_calls();
    let [call] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!((call.role(), &*call.asked_by), (ROLE, "AKIDBASE"));
    assert_eq!(call.form["ExternalId"], "an external & id");
    assert_eq!(call.form["RoleSessionName"], "a-session");
    assert_eq!(call.form["DurationSeconds"], "900");
}

#[tokio::test]
async fn a_bucket_belongs_to_a_role_not_to_its_keys() {
    let (server, base) = started().await;
    let client = s3(&base, role(&base, ROLE).await);
    client.create_bucket().bucket("bucket").send().await.unwrap();
    client.put_object().bucket("bucket").key("key").body(b"content".to_vec().into()).send().await.unwrap();
    let renewed = s3(&base, role(&base, ROLE).await);
    assert_eq!(read(&renewed, "bucket").await.as_deref(), Ok(&b"content"[..]));
    assert_eq!(server.seen().assume_role_count_of(ROLE), 2);

    for other in [s3(&base, role(&base, OTHER).await), s3(&base, registered())] {
        assert_eq!(read(&other, "bucket").await, Err("AccessDenied".into()));
    }
    assert_eq!((server.seen().assume_role_count(), server.seen().assume_role_count_of(OTHER)), (3, 1));

    let mine =
        |key: Option<&str>| Request { asked_by: ROLE.into(), bucket: Some("bucket".into()), key: key.map(Into::into) };
    assert_eq!(server.seen().requests(), [mine(None), mine(Some("key")), mine(Some("key"))]);
    assert_eq!(server.seen().request_count(), 3);
}

#[tokio::test]
async fn a_stored_object_belongs_to_its_owner() {
    let (server, base) = started().await;
    server.store(ROLE, "of-the-role", "key", b"a role's").unwrap();
    server.store("AKIDBASE", "of-the-base", "key", b"the base's").unwrap();
    let (of_role, of_base) = (s3(&base, role(&base, ROLE).await), s3(&base, registered()));
    assert_eq!(read(&of_role, "of-the-role").await.as_deref(), Ok(&b"a role's"[..]));
    assert_eq!(read(&of_base, "of-the-base").await.as_deref(), Ok(&b"the base's"[..]));
    assert_eq!(read(&of_role, "of-the-base").await, Err("AccessDenied".into()));
    assert_eq!(read(&of_base, "of-the-role").await, Err("AccessDenied".into()));
}

#[tokio::test]
async fn object_keys_cannot_escape_their_bucket() {
    let (server, base) = started().await;
    server.store(ROLE, "of-the-role", "key", b"a role's").unwrap();
    server.store("AKIDBASE", "of-the-base", "key", b"the base's").unwrap();
    let of_base = s3(&base, registered());
    for key in ["../of-the-role/key", "folder/../../of-the-role/key", ".."] {
        let got = of_base.get_object().bucket("of-the-base").key(key).send().await.map_err(|error| code(&error));
        assert_eq!(got.unwrap_err(), "InvalidArgument", "{key}");
    }
}

#[tokio::test]
async fn roles_can_be_chained() {
    let (server, base) = started().await;
    let first = role(&base, ROLE).await;
    let second = AssumeRoleProvider::builder(OTHER).session_name("chained").configure(&base);
    let second = second.build_from_provider(first).await;
    server.store(OTHER, "bucket", "key", b"chained").unwrap();
    assert_eq!(read(&s3(&base, second), "bucket").await.as_deref(), Ok(&b"chained"[..]));
    let asked: Vec<_> = server.seen().assume_role_calls().into_iter().map(|call| call.asked_by).collect();
    assert_eq!(asked, ["AKIDBASE", ROLE]);
}

#[tokio::test]
async fn get_caller_identity_names_the_caller() {
    let (server, base) = started().await;
    let identity = async |credentials: Credentials| {
        let config = base.to_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build();
        let answer = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.map_err(|e| code(&e))?;
        Ok::<_, String>([answer.account, answer.user_id, answer.arn].map(Option::unwrap))
    };
    let keys = role(&base, OTHER).await.provide_credentials().await.unwrap();
    let of_role = ["123456789012", "AROAwriter:test", "arn:aws:sts::123456789012:assumed-role/writer/test"];
    assert_eq!(identity(keys).await, Ok(of_role.map(Into::into)));
    let of_base = ["123456789012", "AIDAAKIDBASE", "arn:aws:iam::123456789012:user/AKIDBASE"];
    assert_eq!(identity(registered()).await, Ok(of_base.map(Into::into)));
    let stranger = Credentials::new("AKIDSTRANGER", "secret", None, None, "test");
    assert!(identity(stranger).await.unwrap_err().contains("InvalidAccessKeyId"));
    assert_eq!(server.seen().assume_role_count(), 1, "and none of these is a call of AssumeRole");
}

#[tokio::test]
async fn issued_keys_need_their_token_and_expire() {
    let (server, base) = started().await;
    let keys = role(&base, ROLE).await.provide_credentials().await.unwrap();
    server.store(ROLE, "bucket", "key", b"content").unwrap();
    let with = |token: Option<&str>| {
        let token = token.map(Into::into);
        Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, None, "test")
    };
    for token in [None, Some("another token")] {
        assert_eq!(read(&s3(&base, with(token)), "bucket").await, Err("InvalidToken".into()));
        let chained = AssumeRoleProvider::builder(OTHER).session_name("test").configure(&base);
        assert!(refused(chained.build_from_provider(with(token)).await).await.contains("InvalidToken"));
    }
    assert_eq!(read(&s3(&base, with(keys.session_token())), "bucket").await.as_deref(), Ok(&b"content"[..]));

    server.faults().keys_last(Some(Duration::ZERO));
    let ended = role(&base, ROLE).await.provide_credentials().await.unwrap();
    let ended = Credentials::new(
        ended.access_key_id(),
        ended.secret_access_key(),
        ended.session_token().map(Into::into),
        None,
        "test",
    );
    assert_eq!(read(&s3(&base, ended), "bucket").await, Err("ExpiredToken".into()));
}

#[tokio::test]
async fn unknown_keys_and_invalid_requests_are_refused() {
    let (server, base) = started().await;
    let builder = |role: &str| AssumeRoleProvider::builder(role).session_name("test").configure(&base);
    let stranger = Credentials::new("AKIDSTRANGER", "secret", None, None, "test");
    let wrong = Credentials::new("AKIDBASE", "another secret", None, None, "test");
    for signed_by in [stranger, wrong] {
        refused(builder(ROLE).build_from_provider(signed_by).await).await;
    }
    assert_eq!(server.seen().assume_role_count(), 0, "no known caller has assumed a role");
    for nonsense in
        ["arn", "arn:aws:iam::123456789012:user/u", "arn:aws:iam::1:role/r", "arn:aws:iam::123456789012:role/<"]
    {
        let shown = refused(builder(nonsense).build_from_provider(registered()).await).await;
        assert!(shown.contains("ValidationError"), "{shown}");
    }
    for invalid in [builder(ROLE).session_name("a"), builder(ROLE).session_length(Duration::from_secs(899))] {
        let shown = refused(invalid.build_from_provider(registered()).await).await;
        assert!(shown.contains("ValidationError"), "{shown}");
    }
}

#[tokio::test]
async fn requested_faults_occur() {
    let (server, base) = started().await;
    let (seen, faults) = (server.seen(), server.faults());
    server.store(ROLE, "bucket", "key", b"content").unwrap();

    faults.refuse_role(ROLE);
    let shown = refused(role(&base, ROLE).await).await;
    assert!(shown.contains("AccessDenied") && shown.contains("AKIDBASE is not authorized"), "{shown}");
    role(&base, OTHER).await.provide_credentials().await.unwrap();
    faults.allow_role(ROLE);

    // The SDK makes three attempts.
    faults.fail_assume_role(ROLE, 2);
    let before = seen.assume_role_count_of(ROLE);
    let client = s3(&base, role(&base, ROLE).await);
    assert_eq!(read(&client, "bucket").await.as_deref(), Ok(&b"content"[..]));
    assert_eq!(seen.assume_role_count_of(ROLE) - before, 3);
    faults.fail_assume_role(ROLE, 3);
    assert!(refused(role(&base, ROLE).await).await.contains("InternalFailure"));

    // Closed connections are retried, too.
    let (before, opened) = (seen.request_count(), seen.connections_opened());
    faults.cut_requests(1);
    assert_eq!(read(&client, "bucket").await.as_deref(), Ok(&b"content"[..]));
    assert_eq!((seen.request_count() - before, seen.connections_opened() - opened), (1, 1));
    faults.cut_connections(1);
    let opened = seen.connections_opened();
    let another = s3(&base, registered());
    another.list_buckets().send().await.unwrap();
    assert_eq!(seen.connections_opened() - opened, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_clients_are_served_concurrently() {
    const CLIENTS: usize = 250;
    let (server, base) = started().await;
    let seen = server.seen();
    server.faults().delay_assume_role(Duration::from_millis(500));
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let arn = format!("arn:aws:iam::123456789012:role/role-{client}");
        let bucket = format!("bucket-{client}");
        server.store(&arn, &bucket, "key", bucket.as_bytes()).unwrap();
        let base = base.clone();
        tasks.spawn(async move {
            let client = s3(&base, role(&base, &arn).await);
            for _ in 0..3 {
                assert_eq!(read(&client, &bucket).await, Ok(bucket.clone().into_bytes()));
            }
            client
        });
    }
    let clients = tasks.join_all().await;
    assert_eq!(seen.request_count(), 3 * CLIENTS);
    assert!(seen.most_assume_roles_at_once() > 1, "calls overlap");
    assert!(seen.connections_held() >= CLIENTS, "each has connections of its own: {}", seen.connections_held());
    assert!(seen.connections_opened() <= 2 * CLIENTS + seen.assume_role_count(), "connections are kept alive");

    drop((clients, base));
    let all_closed = async {
        while seen.connections_held() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_closed).await.expect("connections end with their clients");
}
