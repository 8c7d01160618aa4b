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

/// Prints the URL, then the counts for each line of standard input; stops when the input ends.
pub(crate) fn run(tenants: u32) -> Result<(), Failure> {
    let base = Credentials::new(ACCESS_KEY, SECRET, None, None, "tenants");
    let runtime = Runtime::new()?;
    let server = runtime.block_on(Server::start([&base]))?;
    for tenant in (0..tenants).map(Tenant) {
        server.store(&tenant.role(), &tenant.bucket(), Tenant::KEY, tenant.content().as_bytes())?;
    }
    println!("{}", server.endpoint_url());
    let request_log = server.seen();
    for line in io::stdin().lines() {
        line?;
        println!(
            "{}",
            json!({
                "requests": request_log.request_count(),
                "assume_roles": request_log.assume_role_count(),
                "opened": request_log.connections_opened(),
                "held": request_log.connections_held(),
            })
        );
    }
    Ok(())
}
