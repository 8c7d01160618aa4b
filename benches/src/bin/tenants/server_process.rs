//! The process that serves S3 and STS.

use std::io;

use aws_client_cache::Credentials;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::Failure;
use crate::tenant::Tenant;
use support_server::Server;

pub(crate) const ACCESS_KEY: &str = "AKIATENANTS";
pub(crate) const SECRET: &str = "the secret of everyone's base";

/// Prints its URL, then its counts for each line of standard input, at whose end it stops.
pub(crate) fn run(tenants: u32) -> Result<(), Failure> {
    let base = Credentials::new(ACCESS_KEY, SECRET, None, None, "tenants");
    let runtime = Runtime::new()?;
    let server = runtime.block_on(Server::start([&base]))?;
    for tenant in (0..tenants).map(Tenant) {
        server.store(&tenant.role(), &tenant.bucket(), Tenant::KEY, tenant.content().as_bytes())?;
    }
    println!("{}", server.endpoint_url());
    let seen = server.seen();
    for asked in io::stdin().lines() {
        asked?;
        println!(
            "{}",
            json!({
                "requests": seen.request_count(),
                "assume_roles": seen.assume_role_count(),
                "opened": seen.connections_opened(),
                "held": seen.connections_held(),
            })
        );
    }
    Ok(())
}
