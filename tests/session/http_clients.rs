//! Clients whose parameters name an HTTP client of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use aws_client_cache::{ClientParamsBuilder, KeyedHttpClient, S3, Service};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;
use support::cloud::Cloud;

use crate::tenancy::{Sts, call, cloud, params, role};

/// A proxy in front of a fake AWS. Clones share its counters.
#[derive(Clone, Debug)]
struct Proxy {
    cloud: Cloud,
    requests: Arc<AtomicUsize>,
    validations: Arc<AtomicUsize>,
}

impl Proxy {
    fn new(cloud: &Cloud) -> Self {
        Self { cloud: cloud.clone(), requests: Arc::default(), validations: Arc::default() }
    }

    fn handle(&self, name: &str) -> KeyedHttpClient {
        KeyedHttpClient::new(name, self.clone())
    }

    fn requests(&self) -> usize {
        self.requests.load(Relaxed)
    }
}

impl HttpClient for Proxy {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    fn validate_base_client_config(&self, _: &RuntimeComponentsBuilder, _: &ConfigBag) -> Result<(), BoxError> {
        self.validations.fetch_add(1, Relaxed);
        Ok(())
    }
}

impl HttpConnector for Proxy {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.requests.fetch_add(1, Relaxed);
        self.cloud.call(request)
    }
}

fn of_tenant<S: Service>() -> ClientParamsBuilder<S> {
    params().assume_role(role("tenant"))
}

// Proves K1, T4.
#[tokio::test]
async fn each_client_sends_its_requests_through_the_http_client_of_its_parameters() {
    let (cloud, session) = cloud();
    let (eu, us) = (Proxy::new(&cloud), Proxy::new(&cloud));
    // The names are equal, so the handles alone differ.
    let (of_eu, of_us) = (eu.handle("proxy"), us.handle("proxy"));
    let of_eu = of_tenant::<S3>().http_client(of_eu).build().unwrap();
    let of_us = of_tenant::<S3>().http_client(of_us).build().unwrap();
    let of_base = of_tenant::<S3>().build().unwrap();
    for (params, through) in [(&of_eu, (1, 0)), (&of_us, (1, 1)), (&of_base, (1, 1)), (&of_eu, (2, 1))] {
        call(&session.client(params).await.unwrap()).await;
        assert_eq!((eu.requests(), us.requests()), through, "{params:?}");
    }
    assert_eq!(cloud.requests().len(), 4);
    assert_eq!(session.cache().len(), 3);
    call(&of_eu.client(&cloud.config()).await.unwrap()).await;
    assert_eq!((eu.requests(), cloud.all_assumed()), (3, 2), "a client created without a session does, too");
}

// Proves T1, T4.
#[tokio::test]
async fn clients_with_other_http_clients_share_credentials_which_load_through_the_base() {
    let (cloud, session) = cloud();
    let proxy = Proxy::new(&cloud);
    let handle = proxy.handle("proxy");
    let by_proxy = of_tenant::<S3>().http_client(handle.clone()).build().unwrap();
    let chained = role("reader").source_role(role("tenant"));
    let chained = params::<Sts>().assume_role(chained).http_client(handle).build().unwrap();
    session.ready(&by_proxy).await.unwrap();
    session.ready(&chained).await.unwrap();
    assert_eq!((cloud.all_assumed(), proxy.requests()), (2, 0), "STS is called through the base's HTTP client");
    call(&session.client(&of_tenant::<S3>().build().unwrap()).await.unwrap()).await;
    call(&session.client(&by_proxy).await.unwrap()).await;
    assert_eq!((cloud.all_assumed(), proxy.requests()), (2, 1));
    assert_eq!(cloud.last().signer.as_deref(), Some("tenant by base"));
    assert_eq!(session.scopes(), (2, 0));
    // T6: all of them have these credentials.
    assert_eq!(session.invalidate_credentials(&by_proxy).len(), 3);
}

// Proves T4.
#[tokio::test]
async fn equal_handles_share_a_client() {
    let (cloud, session) = cloud();
    let proxy = Proxy::new(&cloud);
    let handle = proxy.handle("proxy");
    for _ in 0..3 {
        let params = of_tenant::<S3>().http_client(handle.clone()).build().unwrap();
        call(&session.client(&params).await.unwrap()).await;
    }
    assert_eq!((session.cache().len(), session.stats().cache.creations), (1, 1));
    let new = of_tenant::<S3>().http_client(proxy.handle("proxy")).build().unwrap();
    session.client(&new).await.unwrap();
    assert_eq!(session.cache().len(), 2, "each handle is another HTTP client");
}

// Proves T4.
#[tokio::test]
async fn an_http_client_of_parameters_is_validated_once() {
    let (cloud, session) = cloud();
    let proxy = Proxy::new(&cloud);
    let handle = proxy.handle("proxy");
    for region in ["us-east-1", "us-west-2", "eu-west-1"] {
        let s3 = params::<S3>().region(region).http_client(handle.clone()).build().unwrap();
        call(&session.client(&s3).await.unwrap()).await;
        let sts = params::<Sts>().region(region).http_client(handle.clone()).build().unwrap();
        session.client(&sts).await.unwrap();
    }
    assert_eq!((session.cache().len(), proxy.validations.load(Relaxed)), (6, 1));
}

// Proves T15.
#[tokio::test]
async fn a_configuration_has_the_http_client_of_its_parameters() {
    let (cloud, session) = cloud();
    let proxy = Proxy::new(&cloud);
    let params = of_tenant::<S3>().http_client(proxy.handle("proxy")).build().unwrap();
    let config = session.sdk_config(&params).unwrap();
    call(&aws_sdk_s3::Client::new(&config)).await;
    assert_eq!((cloud.all_assumed(), proxy.requests()), (1, 1));
}
