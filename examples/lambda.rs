//! A Lambda function that reads objects as many tenants, with one session for all invocations.
//!
//! `State` and `handle` are the function. `main` invokes it with some events, on an S3 and STS server in this process.
//! On Lambda, the crate `lambda_runtime` invokes it:
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

#![expect(clippy::print_stdout, reason = "a program that reports its progress")]

use aws_client_cache::{AssumeRole, ClientCacheError, ClientParams, Credentials, S3, SdkConfig, Session};
use serde::{Deserialize, Serialize};
use serde_json::json;

use support_server::Server;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The request of an invocation.
#[derive(Deserialize)]
struct Event {
    /// The tenant that an authorizer has identified as the caller.
    tenant: String,
    key: String,
}

/// The response to an invocation.
#[derive(Serialize)]
struct Response {
    content: String,
    /// Is `true` if the tenant's client was cached.
    warm: bool,
}

/// The state that outlives an invocation.
struct State {
    session: Session,
}

impl State {
    /// Creates the session at the cold start, and assumes the roles of the tenants in `warm_up`.
    async fn start(base: &SdkConfig, warm_up: &[&str]) -> Result<Self, Error> {
        // The function handles one event at a time, so a few clients are enough. An evicted client is quickly created
        // again, and its role is not assumed again: the session keeps idle roles, far more than it keeps clients.
        let session = Session::builder(base).max_size(2).build();
        let params: Vec<_> = warm_up.iter().map(|tenant| params(tenant)).collect::<Result<_, _>>()?;
        for (params, client) in params.iter().zip(session.ready_all(&params).await) {
            // The invocations of the other tenants must not fail with this one's.
            if let Err(error) = client {
                println!("{params:?} is not ready: {error}");
            }
        }
        Ok(Self { session })
    }
}

/// Returns the parameters of a tenant's client.
///
/// A name that does not form the ARN of a role is an error.
fn params(tenant: &str) -> Result<ClientParams<S3>, ClientCacheError> {
    let role = AssumeRole::new(format!("arn:aws:iam::123456789012:role/{tenant}")).session_name("lambda");
    ClientParams::<S3>::builder().region("eu-central-1").assume_role(role).build()
}

/// Handles one invocation.
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
