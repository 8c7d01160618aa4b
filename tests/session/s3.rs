//! The SDK's own clients of S3, on an embedded server and on a recorder of requests.

use std::process::Command;
use std::sync::{Arc, Mutex};

use aws_client_cache::{
    AssumeRole, ClientCache, ClientCacheError, ClientParams, ClientParamsBuilder, Credentials, EvictionPolicy, Region,
    S3, SdkConfig,
};
use aws_config::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use support_server::Server;

fn params() -> ClientParamsBuilder<S3> {
    ClientParams::builder()
}

fn credentials(name: &str) -> Credentials {
    Credentials::new(format!("AKID{name}"), format!("secret of {name}"), None, None, "test")
}

/// An HTTP client that records requests and never responds.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Vec<(String, String)>>>);

impl Recorder {
    /// The URI and the authorization of the last request.
    fn last(&self) -> (String, String) {
        self.0.lock().unwrap().last().cloned().expect("a request was sent")
    }
}

impl HttpClient for Recorder {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let authorization = request.headers().get("authorization").unwrap_or_default();
        self.0.lock().unwrap().push((request.uri().to_owned(), authorization.to_owned()));
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::empty())))
    }
}

fn recorded() -> (Recorder, SdkConfig) {
    let recorder = Recorder::default();
    let base = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .http_client(recorder.clone())
        .credentials_provider(aws_client_cache::SharedCredentialsProvider::new(credentials("base")))
        .build();
    (recorder, base)
}

async fn request(params: ClientParamsBuilder<S3>, base: &SdkConfig, recorder: &Recorder) -> (String, String) {
    let s3 = params.build().unwrap().client(base).await.unwrap();
    s3.delete_object().bucket("bucket").key("key").send().await.unwrap();
    recorder.last()
}

#[tokio::test]
async fn a_request_follows_the_parameters() {
    let (recorder, base) = recorded();
    let (uri, authorization) = request(params(), &base, &recorder).await;
    assert!(uri.starts_with("https://bucket.s3.us-east-1.amazonaws.com/key"), "{uri}");
    assert!(authorization.contains("Credential=AKIDbase/"), "{authorization}");
    assert!(authorization.contains("/us-east-1/s3/"), "{authorization}");

    let (uri, authorization) = request(params().region("us-west-2"), &base, &recorder).await;
    assert!(uri.starts_with("https://bucket.s3.us-west-2.amazonaws.com/key"), "{uri}");
    assert!(authorization.contains("/us-west-2/s3/"), "{authorization}");

    let (uri, _) = request(params().use_fips(true).use_dual_stack(true), &base, &recorder).await;
    assert!(uri.starts_with("https://bucket.s3-fips.dualstack.us-east-1.amazonaws.com/key"), "{uri}");

    let (_, authorization) = request(params().credentials(credentials("own")), &base, &recorder).await;
    assert!(authorization.contains("Credential=AKIDown/"), "{authorization}");

    let path_style = params()
        .endpoint_url("http://127.0.0.1:9000/prefix/")
        .customize("path_style", |builder| builder.force_path_style(true));
    let (uri, _) = request(path_style, &base, &recorder).await;
    assert!(uri.starts_with("http://127.0.0.1:9000/prefix/bucket/key"), "{uri}");
}

// Proves K7.
// Each client reads the endpoint of the environment when it is created, so this runs in a child process.
#[tokio::test]
async fn a_set_endpoint_overrides_the_environment() {
    if std::env::var_os("AWS_ENDPOINT_URL_S3").is_none() {
        let name = "s3::a_set_endpoint_overrides_the_environment";
        let child = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact"])
            .env("AWS_ENDPOINT_URL_S3", "http://service.environment.example")
            .env("AWS_ENDPOINT_URL_STS", "http://sts.environment.example")
            .env("AWS_ENDPOINT_URL", "http://environment.example")
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && output.contains("1 passed"), "{output}");
        return;
    }
    let recorder = Recorder::default();
    let base = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .http_client(recorder.clone())
        .credentials_provider(credentials("base"))
        .load()
        .await;
    let (uri, _) = request(params(), &base, &recorder).await;
    assert!(uri.starts_with("http://bucket.service.environment.example/"), "the environment is in force: {uri}");
    let (uri, _) = request(params().endpoint_url("http://params.example"), &base, &recorder).await;
    assert!(uri.starts_with("http://bucket.params.example/"), "{uri}");

    let role = || AssumeRole::new("arn:aws:iam::123456789012:role/tenant");
    for (role, url) in [
        (role(), "http://sts.environment.example/"),
        (role().endpoint_url("http://role.example"), "http://role.example/"),
    ] {
        let s3 = params().assume_role(role).build().unwrap().client(&base).await.unwrap();
        // The recorder answers with no credentials.
        s3.delete_object().bucket("bucket").key("key").send().await.unwrap_err();
        assert_eq!(recorder.last().0, url);
    }
}

// Proves K6.
#[tokio::test]
async fn a_client_of_another_region_is_refused() {
    let (_, base) = recorded();
    let cache = ClientCache::default();
    let west = params().region("us-west-2").build().unwrap();
    let east = params().region("us-east-1").build().unwrap();
    let refused = cache.insert(west.key(), east.client(&base).await.unwrap()).unwrap_err();
    assert!(matches!(refused.error, ClientCacheError::ClientMismatch { .. }), "K6");
    assert!(cache.is_empty());
    cache.insert(west.key(), west.client(&base).await.unwrap()).unwrap();
}

#[tokio::test]
async fn tenants_of_a_small_cache_use_their_own_credentials() {
    const TENANTS: usize = 6;
    let tenants: Vec<_> = (0..TENANTS).map(|tenant| credentials(&format!("tenant{tenant}"))).collect();
    let server = Server::start(&tenants).await.unwrap();
    let (_, base) = recorded();
    let mut own_http = base.to_builder();
    own_http.set_http_client(None);
    let base = own_http.endpoint_url(server.endpoint_url()).build();

    for policy in EvictionPolicy::ALL.iter().copied() {
        let cache = ClientCache::new(policy, 3);
        let (mut made, mut hits) = (0, 0);
        for round in 0..24 {
            let tenant = (round * round) % TENANTS;
            let params = params()
                .credentials(tenants[tenant].clone())
                .customize("path_style", |builder| builder.force_path_style(true))
                .build()
                .unwrap();
            let s3 = if let Some(client) = cache.get(&params.key()) {
                hits += 1;
                client
            } else {
                made += 1;
                let client = params.client(&base).await.unwrap();
                cache.insert(params.key(), client.clone()).unwrap();
                client
            };
            let bucket = format!("bucket-{tenant}-{policy}").to_lowercase();
            let _ = s3.create_bucket().bucket(&bucket).send().await;
            let body = format!("{round} of {tenant}");
            let put = s3.put_object().bucket(&bucket).key("key").body(body.clone().into_bytes().into());
            put.send().await.unwrap();
            let got = s3.get_object().bucket(&bucket).key("key").send().await.unwrap();
            assert_eq!(got.body.collect().await.unwrap().into_bytes(), body.as_bytes());
            assert!(cache.len() <= 3, "D1");
        }
        assert!(made > 3 && hits > 0, "{made} clients made, {hits} hits");
    }

    // The server denies a bucket to all but its owner, and to unsigned requests.
    for other in [tenants[1].clone(), credentials("stranger")] {
        let other = params().credentials(other).customize("path_style", |builder| builder.force_path_style(true));
        let other = other.build().unwrap().client(&base).await.unwrap();
        let denied = other.get_object().bucket("bucket-0-lru").key("key").send().await.unwrap_err();
        assert_eq!(denied.raw_response().map(|response| response.status().as_u16()), Some(403), "{denied:?}");
    }
}
