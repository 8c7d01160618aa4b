//! The statements of `docs/HTTP.md` on connections, held against the HTTP clients of the SDK.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use aws_client_cache::{
    ClientParams, ClientParamsBuilder, Credentials, KeyedHttpClient, Region, S3, SdkConfig, Session, TimeoutConfig,
};
use aws_config::BehaviorVersion;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::pool::{self, ConnectionPool};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpClient;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfigBuilder;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use support::report::report;
use support_server::Server;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const TLS: Provider = Provider::Rustls(CryptoMode::AwsLc);

const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// The concurrent requests that a server of HTTP/2 allows on one connection.
const STREAMS: usize = 100;

/// A server that answers each request with 200, as soon as there is a permit for the answer.
struct GatedServer {
    endpoint_url: String,
    certificate: String,
    trusted: TlsContext,
    seen: Arc<Seen>,
    _serving: JoinSet<()>,
}

#[derive(Debug)]
struct Seen {
    connections: AtomicUsize,
    requests: AtomicUsize,
    /// Each answer needs a permit.
    gate: Semaphore,
}

impl GatedServer {
    /// Starts a server that speaks the first of these protocols that a client offers.
    async fn start(protocols: &[&[u8]]) -> Self {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pem = certified.cert.pem();
        let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint_url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let trusted = TrustStore::empty().with_pem_certificate(pem.as_bytes());
        let trusted = TlsContext::builder().with_trust_store(trusted).build().unwrap();
        let seen = Seen { connections: AtomicUsize::new(0), requests: AtomicUsize::new(0), gate: Semaphore::new(0) };
        let seen = Arc::new(seen);
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, acceptor, Arc::clone(&seen)));
        Self { endpoint_url, certificate: pem, trusted, seen, _serving: serving }
    }

    fn client(&self) -> impl HttpClient + 'static {
        Builder::new().tls_provider(TLS).tls_context(self.trusted.clone()).build_https()
    }

    fn pool(&self, max_connections: usize) -> impl HttpClient + 'static {
        let pool = ConnectionPool::builder().max_connections_per_host(max_connections).tls_provider(TLS);
        pool::Client::new(&pool.tls_context(self.trusted.clone()).build_https().unwrap()).unwrap()
    }

    /// Returns the connections and the requests on them, after `requests` have arrived or cannot arrive.
    async fn waiting(&self, requests: usize) -> (usize, usize) {
        for _ in 0..10_000 {
            if self.seen.requests.load(Relaxed) >= requests {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        (self.seen.connections.load(Relaxed), self.seen.requests.load(Relaxed))
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, seen: Arc<Seen>) {
    let mut open = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        seen.connections.fetch_add(1, Relaxed);
        open.spawn(answer(socket, acceptor.clone(), Arc::clone(&seen)));
    }
}

async fn answer(socket: TcpStream, acceptor: TlsAcceptor, seen: Arc<Seen>) {
    let answered = service_fn(move |_: Request<Incoming>| {
        let seen = Arc::clone(&seen);
        async move {
            seen.requests.fetch_add(1, Relaxed);
            seen.gate.acquire().await.unwrap().forget();
            Ok::<_, Infallible>(Response::new(SdkBody::empty()))
        }
    });
    let socket = acceptor.accept(socket).await.unwrap();
    // A client that closes its connection is not an error of the server.
    if socket.get_ref().1.alpn_protocol() == Some(HTTP_2) {
        let mut http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        http2.max_concurrent_streams(u32::try_from(STREAMS).unwrap());
        let _ = http2.serve_connection(TokioIo::new(socket), answered).await;
    } else {
        let http1 = hyper::server::conn::http1::Builder::new();
        let _ = http1.serve_connection(TokioIo::new(socket), answered).await;
    }
}

fn base(endpoint_url: &str, http_client: impl HttpClient + 'static) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(endpoint_url)
        .http_client(http_client)
        .build()
}

fn keys(tenant: usize) -> Credentials {
    Credentials::new(format!("AKID{tenant}"), "secret", None, None, "test")
}

/// Returns the parameters of a tenant with a key pair of its own.
fn params(tenant: usize) -> ClientParamsBuilder<S3> {
    let params = ClientParams::<S3>::builder().credentials(keys(tenant));
    params.customize("path_style", |builder| builder.force_path_style(true))
}

/// Begins one request with the client of each of the parameters.
async fn request(session: &Session, all: impl IntoIterator<Item = ClientParams<S3>>) -> JoinSet<Result<(), String>> {
    let mut requests = JoinSet::new();
    for params in all {
        let s3 = session.client(&params).await.unwrap();
        requests.spawn(async move {
            let sent = s3.delete_object().bucket("bucket").key("key").send().await;
            sent.map(drop).map_err(|error| DisplayErrorContext(error).to_string())
        });
    }
    requests
}

const TENANTS: usize = 150;

/// Begins a request of each tenant with one of these HTTP clients, whose connections are open already.
///
/// Returns the connections, and the requests that the server has received before it answers any of them.
async fn at_once(server: &GatedServer, http_clients: &[KeyedHttpClient]) -> (usize, usize) {
    let session = Session::builder(&base(&server.endpoint_url, server.client())).max_size(TENANTS).build();
    let of_tenant = |tenant: usize| {
        let http_client = http_clients[tenant % http_clients.len()].clone();
        params(tenant).http_client(http_client).build().unwrap()
    };
    // Until a connection is open, each request begins to open one.
    server.seen.gate.add_permits(http_clients.len());
    for tenant in 0..http_clients.len() {
        assert_eq!(request(&session, [of_tenant(tenant)]).await.join_all().await, [Ok(())]);
    }
    server.seen.requests.store(0, Relaxed);
    let requests = request(&session, (0..TENANTS).map(of_tenant)).await;
    let seen = server.waiting(TENANTS.min(STREAMS * http_clients.len())).await;
    server.seen.gate.add_permits(TENANTS);
    assert_eq!(requests.join_all().await, [const { Ok(()) }; TENANTS], "requests that wait do not fail");
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn all_tenants_share_one_connection_over_http_2() {
    let server = GatedServer::start(&[HTTP_2, HTTP_1]).await;
    let one = KeyedHttpClient::new("one", server.client());
    assert_eq!(at_once(&server, &[one]).await, (1, STREAMS));
    report("connections", "HTTP/2, one HTTP client", format!("{STREAMS} of {TENANTS} requests at a time"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_has_one_connection_over_http_2_whatever_its_bound_is() {
    let server = GatedServer::start(&[HTTP_2, HTTP_1]).await;
    let pool = KeyedHttpClient::new("pool", server.pool(8));
    assert_eq!(at_once(&server, &[pool]).await, (1, STREAMS));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_http_client_has_its_own_connection_over_http_2() {
    let server = GatedServer::start(&[HTTP_2, HTTP_1]).await;
    let lanes = ["one", "two"].map(|name| KeyedHttpClient::new(name, server.client()));
    assert_eq!(at_once(&server, &lanes).await, (2, TENANTS));
}

const CLIENTS: usize = 20;

/// Begins a request with each of 20 clients over HTTP/1.1.
///
/// Returns the requests that the server has received before it answers any of them.
async fn at_once_over_http_1(server: &GatedServer, http_client: impl HttpClient + 'static, expected: usize) -> usize {
    let session = Session::builder(&base(&server.endpoint_url, http_client)).max_size(CLIENTS).build();
    server.seen.requests.store(0, Relaxed);
    let requests = request(&session, (0..CLIENTS).map(|tenant| params(tenant).build().unwrap())).await;
    let (_, arrived) = server.waiting(expected).await;
    server.seen.gate.add_permits(CLIENTS);
    assert_eq!(requests.join_all().await, [const { Ok(()) }; CLIENTS], "requests that wait do not fail");
    arrived
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_bounds_the_connections_to_a_host() {
    let server = GatedServer::start(&[HTTP_1]).await;
    assert_eq!(at_once_over_http_1(&server, server.pool(2), 2).await, 2);
    assert_eq!(at_once_over_http_1(&server, server.client(), CLIENTS).await, CLIENTS);
}

/// A setting of timeouts, with a different duration for each client.
type SetTimeout = fn(TimeoutConfigBuilder, Duration) -> TimeoutConfigBuilder;

const CONNECT: SetTimeout = TimeoutConfigBuilder::connect_timeout;
const READ: SetTimeout = TimeoutConfigBuilder::read_timeout;
const ATTEMPT: SetTimeout = TimeoutConfigBuilder::operation_attempt_timeout;
const OPERATION: SetTimeout = TimeoutConfigBuilder::operation_timeout;

/// Sends a request with each of 20 clients, whose timeouts differ, one after another.
///
/// Returns the connections that they have opened.
async fn opened(http_client: impl HttpClient + 'static, set: SetTimeout) -> usize {
    let server = Server::start([&keys(0)]).await.unwrap();
    server.store("AKID0", "bucket", "key", b"").unwrap();
    let session = Session::builder(&base(&server.endpoint_url(), http_client)).max_size(CLIENTS).build();
    for client in 0..CLIENTS {
        let duration = Duration::from_millis(u64::try_from(60_000 + client).unwrap());
        let timeouts = set(TimeoutConfig::builder(), duration);
        let params = params(0).timeout_config(timeouts.build()).build().unwrap();
        assert_eq!(request(&session, [params]).await.join_all().await, [Ok(())]);
    }
    assert_eq!(session.cache().len(), CLIENTS, "timeouts are part of the key");
    server.seen().connections_opened()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_a_pool_share_connections_whatever_their_timeouts_are() {
    for set in [CONNECT, READ, ATTEMPT, OPERATION] {
        let pool = ConnectionPool::builder().max_connections_per_host(2).tls_provider(TLS).build_https();
        // A connection may be closed, and another one be opened in its place.
        assert!(opened(pool::Client::new(&pool.unwrap()).unwrap(), set).await < CLIENTS / 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_and_read_timeouts_split_the_connections_of_a_builders_client_and_others_do_not() {
    let client = || Builder::new().tls_provider(TLS).build_https();
    for set in [CONNECT, READ] {
        assert_eq!(opened(client(), set).await, CLIENTS);
    }
    for set in [ATTEMPT, OPERATION] {
        assert!(opened(client(), set).await < CLIENTS / 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeout_of_a_request_that_waits_for_a_stream_keeps_running() {
    let server = GatedServer::start(&[HTTP_2]).await;
    let session = Session::builder(&base(&server.endpoint_url, server.client())).max_size(TENANTS).build();
    let of_tenant = |tenant| params(tenant).build().unwrap();
    server.seen.gate.add_permits(1);
    assert_eq!(request(&session, [of_tenant(0)]).await.join_all().await, [Ok(())]);
    server.seen.requests.store(0, Relaxed);
    let busy = request(&session, (0..STREAMS).map(of_tenant)).await;
    assert_eq!(server.waiting(STREAMS).await, (1, STREAMS));

    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_millis(300)).build();
    let late = params(STREAMS).timeout_config(timeouts).build().unwrap();
    let [Err(error)] = &*request(&session, [late]).await.join_all().await else { panic!("it waits in vain") };
    assert!(error.contains("operation timeout"), "{error}");
    assert_eq!(server.seen.requests.load(Relaxed), STREAMS, "it has never reached the server");
    server.seen.gate.add_permits(STREAMS);
    assert_eq!(busy.join_all().await, [const { Ok(()) }; STREAMS]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bound_of_a_pool_applies_to_each_host() {
    let servers = [GatedServer::start(&[HTTP_1]).await, GatedServer::start(&[HTTP_1]).await];
    let trusted = servers.each_ref().map(|server| server.certificate.as_bytes());
    let trusted = trusted.into_iter().fold(TrustStore::empty(), TrustStore::with_pem_certificate);
    let trusted = TlsContext::builder().with_trust_store(trusted).build().unwrap();
    let pool = ConnectionPool::builder().max_connections_per_host(2).tls_provider(TLS).tls_context(trusted);
    let pool = pool::Client::new(&pool.build_https().unwrap()).unwrap();
    let session = Session::builder(&base(&servers[0].endpoint_url, pool)).max_size(2 * CLIENTS).build();
    let of_host = |server: &GatedServer, tenant| params(tenant).endpoint_url(&server.endpoint_url).build().unwrap();
    let all = servers.iter().flat_map(|server| (0..CLIENTS).map(|tenant| of_host(server, tenant)));
    let requests = request(&session, all.collect::<Vec<_>>()).await;
    for server in &servers {
        assert_eq!(server.waiting(2).await, (2, 2), "connections, and requests on them");
        server.seen.gate.add_permits(CLIENTS);
    }
    assert_eq!(requests.join_all().await, [const { Ok(()) }; 2 * CLIENTS]);
}

/// Sends a request in each of two sessions over one base configuration, one after another.
async fn request_in_two_sessions(base: &SdkConfig) {
    for session in [Session::new(base), Session::new(base)] {
        assert_eq!(request(&session, [params(0).build().unwrap()]).await.join_all().await, [Ok(())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_share_connections_if_their_base_names_an_http_client() {
    let server = GatedServer::start(&[HTTP_2]).await;
    server.seen.gate.add_permits(2);
    request_in_two_sessions(&base(&server.endpoint_url, server.client())).await;
    assert_eq!(server.waiting(2).await, (1, 2));

    let server = Server::start([&keys(0)]).await.unwrap();
    server.store("AKID0", "bucket", "key", b"").unwrap();
    let mut base = base(&server.endpoint_url(), Builder::new().build_http()).to_builder();
    base.set_http_client(None);
    request_in_two_sessions(&base.build()).await;
    assert_eq!(server.seen().connections_opened(), 2);
}
