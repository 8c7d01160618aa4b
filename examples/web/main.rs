//! A web service that reads objects as many tenants, with one `Session` in axum's state.
//!
//! `service.rs` is the service. This program runs it against an S3 and STS server in the same process, and requests
//! some objects. With `--serve`, it then serves until it is interrupted.
//!
//! ```text
//! cargo run --example web
//! cargo run --example web -- --serve
//! ```

#![expect(clippy::print_stdout, reason = "a program that reports its progress")]

mod get;
mod metrics;
mod service;

use std::collections::HashMap;
use std::error::Error;

use aws_client_cache::{Credentials, EvictionPolicy, Session};
use clap::Parser;
use tokio::net::TcpListener;

use service::Tenant;
use support_server::Server;

/// A web service that reads objects as many tenants.
#[derive(Parser)]
struct Arguments {
    /// Keeps serving until it is interrupted.
    #[arg(long)]
    serve: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments = Arguments::parse();
    let own = Credentials::new("AKIAWEB", "the secret of the service", None, None, "web");
    let server = Server::start([&own]).await?;
    let tenants = tenants(&server)?;

    let session = Session::builder(&server.sdk_config(&own)).policy(EvictionPolicy::Lru).max_size(200).build();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(axum::serve(listener, service::router(session.clone(), tenants)).into_future());
    println!("The service is http://{address}\n");

    for path in [
        "/tenants/alice/eu-central-1/greeting.txt",
        "/tenants/bob/eu-central-1/greeting.txt",
        "/tenants/alice/eu-central-1/greeting.txt",
        "/tenants/alice/us-west-2/greeting.txt",
        "/tenants/alice/us-west-2/no-such-object",
        "/tenants/alice/nowhere!/greeting.txt",
        "/tenants/carol/eu-central-1/greeting.txt",
        "/tenants/nobody/eu-central-1/greeting.txt",
        "/metrics",
    ] {
        let (status, body) = get::get(address, path).await?;
        println!("GET {path}\n    {} {body}", status.as_u16());
    }
    let (clients, roles) = (session.cache().len(), server.seen().assume_role_count());
    println!("\n{clients} clients are cached, and AssumeRole was called {roles} times: carol's role is refused.");

    if arguments.serve {
        println!("\nServing until it is interrupted.");
        serving.await??;
    }
    Ok(())
}

/// Returns three tenants with a greeting in each of two regions. The role of the third is refused.
fn tenants(server: &Server) -> Result<HashMap<String, Tenant>, Box<dyn Error + Send + Sync>> {
    let mut tenants = HashMap::new();
    for name in ["alice", "bob", "carol"] {
        let tenant = Tenant {
            role_arn: format!("arn:aws:iam::123456789012:role/{name}"),
            external_id: format!("as-agreed-with-{name}"),
            bucket: format!("bucket-of-{name}"),
        };
        for region in ["eu-central-1", "us-west-2"] {
            let bucket = format!("{}-{region}", tenant.bucket);
            server.store(&tenant.role_arn, &bucket, "greeting.txt", format!("hello {name}, in {region}").as_bytes())?;
        }
        tenants.insert(name.to_owned(), tenant);
    }
    server.faults().refuse_role(&tenants["carol"].role_arn);
    Ok(tenants)
}
