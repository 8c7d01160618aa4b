//! A fake AWS: an HTTP client that issues credentials for roles.
//!
//! It accepts all other requests, and records their signers.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use aws_client_cache::{Credentials, Region, SdkConfig, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;

use super::clock::Clock;

/// The environment variable that gives base configurations the shape of `aws_config::load_defaults`.
pub const LIKE_LOAD_DEFAULTS: &str = "BASE_LIKE_LOAD_DEFAULTS";

/// A handle to a fake AWS. Clones share its state.
#[derive(Clone, Debug, Default)]
pub struct Cloud(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    clock: Clock,
    state: Mutex<State>,
    validations: AtomicUsize,
    final_validations: AtomicUsize,
    assuming: AtomicUsize,
    most_assuming: AtomicUsize,
    /// The number of times that a call of `AssumeRole` yields.
    slowness: AtomicUsize,
    /// The seconds by which the clock of AWS is behind the local one.
    lag: AtomicU64,
    /// Calls of `AssumeRole` wait while it is locked.
    gate: tokio::sync::RwLock<()>,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    /// The calls of `AssumeRole` by the name of the role, including refused calls.
    assumed: BTreeMap<String, usize>,
    /// The sessions of S3 Express by the signer of the requests in them.
    sessions: BTreeMap<String, usize>,
    /// The signer that each access key was issued for.
    issued: HashMap<String, String>,
    /// The error code for each refused role.
    refused: HashMap<String, String>,
    garbled: Vec<String>,
    throttled: Vec<String>,
    /// The last call of `AssumeRole`.
    last_assumed: AssumeRoleCall,
    /// The error code and the status for each access key that has expired.
    expired: HashMap<String, (u16, String)>,
}

/// A request to a service other than the Security Token Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The name of the role, or else the access key id. `None` if the request is not signed.
    pub signer: Option<String>,
    pub uri: String,
    /// The region in the signature.
    pub region: Option<String>,
    pub user_agent: String,
}

/// A call of `AssumeRole` or `AssumeRoleWithWebIdentity`.
#[derive(Clone, Debug, Default)]
pub struct AssumeRoleCall {
    pub uri: String,
    /// The name of the role, or else the access key id, that signed it.
    pub signer: Option<String>,
    /// The region in the signature.
    pub region: Option<String>,
    pub form: BTreeMap<String, String>,
}

impl Cloud {
    pub fn new(clock: &Clock) -> Self {
        Self(Arc::new(Inner { clock: clock.clone(), ..Inner::default() }))
    }

    /// Returns a base configuration that uses this fake AWS, with its own credentials.
    ///
    /// Sleeps take no time.
    pub fn config(&self) -> SdkConfig {
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .http_client(self.clone())
            .time_source(self.0.clock.clone())
            .sleep_impl(NoSleep)
            // The protection would always detect a stall, because sleeps take no time.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .credentials_provider(SharedCredentialsProvider::new(keys("base")));
        if std::env::var_os(LIKE_LOAD_DEFAULTS).is_some() {
            config.set_identity_cache(Some(IdentityCache::lazy().build()));
        }
        config.build()
    }

    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// Returns the number of access keys that were issued.
    pub fn issued(&self) -> usize {
        self.state().issued.len()
    }

    /// Removes and returns the requests since the last call of this method.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state().requests)
    }

    /// Returns the last request.
    pub fn last(&self) -> Request {
        self.state().requests.last().cloned().expect("a request was sent")
    }

    /// Returns the number of calls of `AssumeRole` for a role, by its name.
    pub fn assumed(&self, role: &str) -> usize {
        self.state().assumed.get(role).copied().unwrap_or_default()
    }

    /// Returns the number of calls of `AssumeRole` for all roles.
    pub fn all_assumed(&self) -> usize {
        self.state().assumed.values().sum()
    }

    /// Returns the numbers of sessions of S3 Express, by the signer of the requests in them.
    pub fn express_sessions(&self) -> BTreeMap<String, usize> {
        self.state().sessions.clone()
    }

    /// Returns the last call of `AssumeRole`.
    pub fn last_assumed(&self) -> AssumeRoleCall {
        self.state().last_assumed.clone()
    }

    /// Returns the maximum number of concurrent calls of `AssumeRole`.
    pub fn most_assuming(&self) -> usize {
        self.0.most_assuming.load(Relaxed)
    }

    /// Returns the number of validations of the HTTP client.
    pub fn validations(&self) -> usize {
        self.0.validations.load(Relaxed)
    }

    /// Sets the clock of AWS back, by seconds.
    pub fn lag_behind(&self, seconds: u64) {
        self.0.lag.store(seconds, Relaxed);
    }

    /// Makes calls of `AssumeRole` yield so many times from now on.
    pub fn slow_down(&self, yields: usize) {
        self.0.slowness.store(yields, Relaxed);
    }

    /// Returns the number of validations of the HTTP client before an operation.
    pub fn final_validations(&self) -> usize {
        self.0.final_validations.load(Relaxed)
    }

    /// Answers no call of `AssumeRole` until the result is dropped.
    pub async fn hold(&self) -> impl Drop + '_ {
        self.0.gate.write().await
    }

    /// Refuses a role from now on.
    pub fn refuse(&self, role: &str) {
        self.refuse_with(role, "AccessDenied");
    }

    /// Refuses a role with this error code from now on.
    pub fn refuse_with(&self, role: &str, code: &str) {
        self.state().refused.insert(role.to_owned(), code.to_owned());
    }

    /// Allows a role again.
    pub fn allow(&self, role: &str) {
        self.state().refused.remove(role);
    }

    /// Answers calls for a role with an unreadable response that contains its keys, from now on.
    pub fn garble(&self, role: &str) {
        self.state().garbled.push(role.to_owned());
    }

    /// Answers the requests of a signer with 503 from now on.
    pub fn throttle(&self, signer: &str) {
        self.state().throttled.push(signer.to_owned());
    }

    /// Refuses the access keys that were issued to a signer so far, and the key of this name.
    pub fn expire(&self, signer: &str, status: u16, code: &str) {
        let state = &mut *self.state();
        let keys = state.issued.iter().filter(|(_, name)| *name == signer).map(|(key, _)| key.clone());
        let keys: Vec<_> = keys.chain([signer.to_owned()]).collect();
        state.expired.extend(keys.into_iter().map(|key| (key, (status, code.to_owned()))));
    }

    fn answer(&self, request: &HttpRequest) -> (u16, String) {
        let authorization = request.headers().get("authorization").unwrap_or_default();
        // `… Credential=key/date/region/service/aws4_request, …`
        let mut scope = authorization.split_once("Credential=").map_or("", |(_, rest)| rest).split('/');
        let key = scope.next().filter(|key| !key.is_empty());
        let region = scope.nth(1).map(str::to_owned);
        let service = scope.next().unwrap_or_default();
        let mut state = self.state();
        if let Some(key) = key.filter(|key| state.issued.contains_key(*key)) {
            let name = if service == "s3express" && key.starts_with("S3EX") {
                "x-amz-s3session-token"
            } else {
                "x-amz-security-token"
            };
            let token = request.headers().get(name);
            assert_eq!(token, Some(&*format!("the token of {key}")), "a token belongs to its key");
        }
        let signer = key.map(|key| state.issued.get(key).cloned().unwrap_or_else(|| key.to_owned()));
        if (service == "sts" || key.is_none()) && is_assuming(request) {
            let form = request.body().bytes().unwrap_or_default();
            let form: BTreeMap<String, String> = form_urlencoded::parse(form).into_owned().collect();
            let field = |name: &str| form.get(name).map(String::as_str);
            let role = field("RoleArn").unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
            *state.assumed.entry(role.clone()).or_default() += 1;
            let uri = request.uri().to_owned();
            state.last_assumed = AssumeRoleCall { uri, signer: signer.clone(), region, form: form.clone() };
            if let Some((status, code)) = key.and_then(|key| state.expired.get(key)) {
                return (*status, error(code));
            }
            if let Some(code) = state.refused.get(&role) {
                return (403, refusal(code));
            }
            if state.throttled.contains(&role) {
                return (503, error("SlowDown"));
            }
            let key = format!("ASIA{}", state.issued.len());
            let is_garbled = state.garbled.contains(&role);
            // This does not check permissions: it records the signer instead.
            let name = match field("ExternalId") {
                Some(id) => format!("{role} as {id}"),
                None => role,
            };
            let name = format!("{name} by {}", signer.as_deref().or(field("WebIdentityToken")).unwrap_or_default());
            state.issued.insert(key.clone(), name);
            let length: u64 = field("DurationSeconds").map_or(3_600, |seconds| seconds.parse().unwrap());
            let expiration = self.0.clock.seconds() + length - self.0.lag.load(Relaxed);
            let expiration = DateTime::from_secs(expiration.try_into().unwrap());
            let answer = assumed(field("Action").unwrap_or_default(), &key, &expiration);
            return (200, if is_garbled { answer.replace("<Expiration>", "<Expiration>never") } else { answer });
        }
        if request.uri().ends_with("?session") {
            // A session of S3 Express, which signs the further requests to its bucket.
            let key = format!("S3EX{}", state.issued.len());
            let signer = format!("session of {}", signer.unwrap_or_default());
            *state.sessions.entry(signer.clone()).or_default() += 1;
            state.issued.insert(key.clone(), signer);
            let expiration = DateTime::from_secs((self.0.clock.seconds() + 300).try_into().unwrap());
            return (200, format!("<CreateSessionResult>{}</CreateSessionResult>", credentials(&key, &expiration)));
        }
        let is_throttled = signer.as_ref().is_some_and(|signer| state.throttled.contains(signer));
        let user_agent = request.headers().get("x-amz-user-agent").unwrap_or_default().to_owned();
        state.requests.push(Request { signer, uri: request.uri().to_owned(), region, user_agent });
        let expired = key.and_then(|key| state.expired.get(key)).cloned();
        let is_s3 = request.body().bytes().is_none_or(|body| !body.starts_with(b"Action="));
        if let Some((status, _)) = expired
            && request.method() == "HEAD"
        {
            return (status, String::new());
        }
        if let Some((status, code)) = expired {
            let body = if is_s3 { format!("<Error><Code>{code}</Code></Error>") } else { error(&code) };
            return (status, body);
        }
        match (is_throttled, is_s3) {
            (true, _) => (503, error("SlowDown")),
            (false, true) => (200, String::new()),
            (false, false) => {
                (200, "<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>".to_owned())
            }
        }
    }
}

/// Returns credentials without an expiry, whose access key id is `name`.
pub fn keys(name: &str) -> Credentials {
    Credentials::new(name, format!("the secret of {name}"), None, None, "test")
}

fn error(code: &str) -> String {
    format!("<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>")
}

/// Returns an error that repeats the request in further lines, as AWS does for an invalid signature.
fn refusal(code: &str) -> String {
    let message =
        "no\n\nThe canonical string for this request should have been\n'x-amz-security-token:the token of the caller'";
    format!("<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>")
}

/// Returns `true` for a call of `AssumeRole` or `AssumeRoleWithWebIdentity`.
fn is_assuming(request: &HttpRequest) -> bool {
    request.body().bytes().is_some_and(|body| body.starts_with(b"Action=AssumeRole"))
}

fn assumed(action: &str, key: &str, expiration: &DateTime) -> String {
    let credentials = credentials(key, expiration);
    format!("<{action}Response><{action}Result>{credentials}</{action}Result></{action}Response>")
}

fn credentials(key: &str, expiration: &DateTime) -> String {
    format!(
        "<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>the secret of {key}</SecretAccessKey>\
         <SessionToken>the token of {key}</SessionToken><Expiration>{expiration}</Expiration></Credentials>"
    )
}

impl HttpClient for Cloud {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    fn validate_base_client_config(&self, _: &RuntimeComponentsBuilder, _: &ConfigBag) -> Result<(), BoxError> {
        self.0.validations.fetch_add(1, Relaxed);
        Ok(())
    }

    fn validate_final_config(&self, _: &RuntimeComponents, _: &ConfigBag) -> Result<(), BoxError> {
        self.0.final_validations.fetch_add(1, Relaxed);
        Ok(())
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("cloud", None))
    }
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let cloud = self.clone();
        HttpConnectorFuture::new(async move {
            let is_assuming = is_assuming(&request);
            if is_assuming {
                let assuming = cloud.0.assuming.fetch_add(1, Relaxed) + 1;
                cloud.0.most_assuming.fetch_max(assuming, Relaxed);
            }
            // This lets other tasks run, and lets callers give up here.
            tokio::task::yield_now().await;
            if is_assuming {
                drop(cloud.0.gate.read().await);
                for _ in 0..cloud.0.slowness.load(Relaxed) {
                    tokio::task::yield_now().await;
                }
            }
            let (status, body) = cloud.answer(&request);
            if is_assuming {
                cloud.0.assuming.fetch_sub(1, Relaxed);
            }
            Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body)))
        })
    }
}

#[derive(Clone, Debug)]
struct NoSleep;

impl AsyncSleep for NoSleep {
    fn sleep(&self, duration: std::time::Duration) -> Sleep {
        // A timeout never elapses; a backoff elapses at once.
        if duration > std::time::Duration::from_secs(21) {
            return Sleep::new(std::future::pending());
        }
        Sleep::new(std::future::ready(()))
    }
}
