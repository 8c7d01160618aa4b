//! A Lambda function that reads objects as many tenants: what is made at the cold start serves every invocation.
//!
//! `State` and `handle` are the function. `main` invokes it with some events, on a server of S3 and STS in this process;
//! Lambda does so by the crate `lambda_runtime`:
//!
//! ```text
//! let base = aws_config::load_defaults(BehaviorVersion::latest()).await;
//! let state = State::start(&base, &["alice"]).await?;
//! lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| handle(&state, event.payload))).await
//! ```
//!
//! ```text
//! cargo run --example lambda
//! ```

#![expect(clippy::print_stdout, reason = "a program that tells what it does")]

use aws_client_cache::{AssumeRole, ClientCacheError, ClientParams, Credentials, S3, SdkConfig, Session};
use serde::{Deserialize, Serialize};
use serde_json::json;

use support_server::Server;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// What an invocation asks for.
#[derive(Deserialize)]
struct Event {
    /// Whoever an authorizer has found the caller to be.
    tenant: String,
    key: String,
}

/// What it is answered.
#[derive(Serialize)]
struct Response {
    content: String,
    /// Whether the tenant's client was there already.
    warm: bool,
}

/// What outlives an invocation.
struct State {
    session: Session,
}

impl State {
    /// At the cold start: makes the session, and assumes the roles of those who will surely ask.
    async fn start(base: &SdkConfig, warm_up: &[&str]) -> Result<Self, Error> {
        // It takes one event at a time, so a few clients are enough. One that has had to go is soon made again, and its
        // role need not be assumed again: the session keeps as many idle roles as clients.
        let session = Session::builder(base).max_size(2).build();
        for tenant in warm_up {
            session.ready(&params(tenant)?).await?;
        }
        Ok(Self { session })
    }
}

/// What makes a tenant's client another one than the others'. A name that makes no role's ARN is an error.
fn params(tenant: &str) -> Result<ClientParams<S3>, ClientCacheError> {
    let role = AssumeRole::new(format!("arn:aws:iam::123456789012:role/{tenant}")).session_name("lambda");
    ClientParams::<S3>::builder().region("eu-central-1").assume_role(role).build()
}

/// One invocation.
async fn handle(state: &State, event: Event) -> Result<Response, Error> {
    let params = params(&event.tenant)?;
    let warm = state.session.cache().contains_key(&params.key());
    let s3 = state.session.client(&params).await?;
    let object = s3.get_object().bucket(format!("bucket-of-{}", event.tenant)).key(event.key).send().await?;
    let content = String::from_utf8(object.body.collect().await?.to_vec())?;
    Ok(Response { content, warm })
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let own = Credentials::new("AKIALAMBDA", "the secret of the function", None, None, "lambda");
    let server = Server::start([&own]).await?;
    let seen = server.seen();
    for tenant in ["alice", "bob", "carol"] {
        let role = format!("arn:aws:iam::123456789012:role/{tenant}");
        server.store(&role, &format!("bucket-of-{tenant}"), "greeting", format!("hello {tenant}").as_bytes())?;
    }

    let state = State::start(&server.sdk_config(&own), &["alice"]).await?;
    let made = || state.session.cache().stats().creations;
    println!("The cold start made {} client, and {} AssumeRole call.\n", made(), seen.assume_role_count());

    let tenants = ["alice", "bob", "alice", "bob", "carol", "carol", "alice", "alice", "bob", "bob", "bob", "bob"];
    for tenant in tenants {
        let event = json!({ "tenant": tenant, "key": "greeting" });
        let response = handle(&state, serde_json::from_value(event.clone())?).await?;
        println!("{event} -> {}", serde_json::to_string(&response)?);
    }

    println!(
        "\n{} invocations made {} clients in all, {} of which are cached, and {} AssumeRole calls.",
        tenants.len(),
        made(),
        state.session.cache().len(),
        seen.assume_role_count(),
    );
    Ok(())
}
