//! The process that makes the calls, by one strategy.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use aws_sdk_s3::error::DisplayErrorContext;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::strategies::{ClientMap, Clients, NewClients, SessionClients, Strategy};
use crate::tenant::Tenant;
use crate::{Arguments, Failure, usage};

/// Makes all calls, prints their cost in one line, and keeps the clients until standard input ends.
pub(crate) fn run(arguments: &Arguments, strategy: Strategy) -> Result<(), Failure> {
    let runtime = Runtime::new()?;
    match strategy {
        Strategy::EachCall => run_calls(&runtime, arguments, runtime.block_on(NewClients::new())),
        Strategy::EachTenant => {
            run_calls(&runtime, arguments, runtime.block_on(ClientMap::each_with_its_own_connections()))
        }
        Strategy::OneConfig => run_calls(&runtime, arguments, runtime.block_on(ClientMap::with_one_http_client())),
        Strategy::Session => run_calls(&runtime, arguments, runtime.block_on(SessionClients::new(arguments.max_size))),
    }
}

/// Makes all calls with `clients`.
fn run_calls(runtime: &Runtime, arguments: &Arguments, clients: impl Clients) -> Result<(), Failure> {
    let clients = Arc::new(clients);
    let start = Instant::now();
    for _ in 0..arguments.calls {
        runtime.block_on(round(arguments, &clients))?;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{}",
        json!({ "seconds": seconds, "cpu_seconds": usage::cpu_seconds(), "peak_memory": usage::peak_memory() })
    );
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// Makes one call as each tenant, `concurrency` of them at once.
async fn round(arguments: &Arguments, clients: &Arc<impl Clients>) -> Result<(), Failure> {
    let (tenants, next) = (arguments.tenants, Arc::new(AtomicU32::new(0)));
    let mut tasks = JoinSet::<Result<(), Failure>>::new();
    for _ in 0..arguments.concurrency.min(tenants) {
        let (clients, next) = (clients.clone(), next.clone());
        tasks.spawn(async move {
            loop {
                let tenant = Tenant(next.fetch_add(1, Ordering::Relaxed));
                if tenant.0 >= tenants {
                    return Ok(());
                }
                call(&*clients, &tenant).await?;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// Gets the tenant's object, and checks that it is the tenant's.
async fn call(clients: &impl Clients, tenant: &Tenant) -> Result<(), Failure> {
    let client = clients.client(tenant).await?;
    let object = client.get_object().bucket(tenant.bucket()).key(Tenant::KEY).send().await;
    let object = object.map_err(|error| format!("{tenant:?}: {}", DisplayErrorContext(error)))?;
    let content = object.body.collect().await?.into_bytes();
    if content != tenant.content().as_bytes() {
        return Err(format!("{tenant:?} has received the object of another tenant").into());
    }
    Ok(())
}
