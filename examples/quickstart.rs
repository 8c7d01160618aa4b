//! Three tenants share one cache of S3 clients that is too small for them.
//!
//! An S3 server runs in this process, unless `AWS_ENDPOINT_URL` names another server. Then all tenants use the
//! credentials of the environment.
//!
//! ```text
//! cargo run --example quickstart -- --policy lfu --max-size 2
//! ```

#![expect(clippy::print_stdout, reason = "a program that reports its progress")]

use std::error::Error;

use aws_client_cache::{
    AnyKey, ClientCache, ClientCacheError, ClientParams, Credentials, EvictionPolicy, Region, S3, SdkConfig,
};
use aws_config::BehaviorVersion;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use clap::Parser;
use support_server::Server;

/// Three tenants share one cache of S3 clients that is too small for them.
#[derive(Parser)]
struct Arguments {
    /// The eviction policy: LRU, LFU or LFUDA.
    #[arg(long, default_value_t)]
    policy: EvictionPolicy,

    /// The maximum number of clients in the cache.
    #[arg(long, default_value_t = 2)]
    max_size: usize,
}

/// A tenant with the parameters of its client.
struct Tenant {
    name: &'static str,
    params: ClientParams<S3>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let policy = arguments.policy;

    // In your program: aws_config::load_defaults(BehaviorVersion::latest()).await, and no server.
    let (_server, sdk_config, tenants) = set_up().await?;

    println!("\n1. A cache of at most {} clients, and three tenants' keys\n", arguments.max_size);
    let names = tenants.each_ref().map(|tenant| (AnyKey::from(tenant.params.key()), tenant.name));
    let cache = ClientCache::builder()
        .policy(policy)
        .max_size(arguments.max_size)
        .on_evict(move |evicted, cause| {
            let name = names.iter().find(|(key, _)| *key == evicted.key).map_or("?", |(_, name)| name);
            println!("   {name:>9}  is evicted: {cause:?}");
        })
        .build();
    let [alice, bob, carol] = &tenants;
    for tenant in &tenants {
        println!("   {:>9}  {}", tenant.name, tenant.params.key());
    }

    println!("\n2. Objects are put and read; alice comes most often, bob came last\n");
    for tenant in [alice, bob, alice, alice, bob] {
        visit(&cache, &sdk_config, tenant).await?;
    }

    println!("\n3. carol is one too many: {policy} selects the victim\n");
    visit(&cache, &sdk_config, carol).await?;
    println!("\n{}", indented(&cache));

    println!("\n4. Nothing is replaced silently, and a miss is an error or None, as you choose\n");
    let again = cache.insert(carol.params.key(), carol.params.client(&sdk_config).await?);
    println!("   insert again: {}", shown(again));
    let stranger = ClientParams::<S3>::builder().region("sa-east-1").build()?.key();
    println!("   try_get:      {}", shown(cache.try_get(&stranger)));
    println!("   get:          {:?}", cache.get(&stranger).map(|_| "a client"));
    println!("   pop_item:     {}", shown(ClientCache::default().pop_item()));
    println!("   bad params:   {}", shown(ClientParams::<S3>::builder().region("").build()));
    println!("   bad policy:   {}", shown("FIFO".parse::<EvictionPolicy>()));

    println!("\n5. Tidying up\n");
    for tenant in &tenants {
        let s3 = client(&cache, &sdk_config, tenant).await?;
        let bucket = bucket(tenant);
        s3.delete_object().bucket(&bucket).key("greeting.txt").send().await.map_err(context)?;
        s3.delete_bucket().bucket(&bucket).send().await.map_err(context)?;
    }
    println!("\n   Done: every object was written and read by its own tenant's client.");
    Ok(())
}

/// Returns the server, the base configuration of all clients, and the tenants.
async fn set_up() -> Result<(Option<Server>, SdkConfig, [Tenant; 3]), Box<dyn Error>> {
    let names = [("alice", "us-west-2"), ("bob", "eu-central-1"), ("carol", "ap-south-1")];
    let params = |region: &'static str| {
        ClientParams::<S3>::builder().region(region).customize("path_style", |builder| builder.force_path_style(true))
    };

    if let Ok(endpoint) = std::env::var("AWS_ENDPOINT_URL") {
        println!("The S3 server is {endpoint}, as AWS_ENDPOINT_URL says.");
        let sdk_config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let mut tenants = Vec::new();
        for (name, region) in names {
            let params = params(region).build()?;
            tenants.push(Tenant { name, params });
        }
        let tenants = tenants.try_into().unwrap_or_else(|_| unreachable!("there are three names"));
        return Ok((None, sdk_config, tenants));
    }

    let credentials = names.map(|(name, _)| {
        Credentials::new(format!("AKIA{name}"), format!("the secret of {name}"), None, None, "quickstart")
    });
    let server = Server::start(&credentials).await?;
    println!("An S3 server runs in this process, at {}.", server.endpoint_url());
    let sdk_config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(server.endpoint_url())
        .build();
    let mut tenants = Vec::new();
    for ((name, region), credentials) in names.into_iter().zip(credentials) {
        let params = params(region).credentials(credentials).build()?;
        tenants.push(Tenant { name, params });
    }
    let tenants = tenants.try_into().unwrap_or_else(|_| unreachable!("there are three names"));
    Ok((Some(server), sdk_config, tenants))
}

/// Returns the tenant's client: the cached client, or a new one, which is then cached.
async fn client(
    cache: &ClientCache,
    sdk_config: &SdkConfig,
    tenant: &Tenant,
) -> Result<aws_sdk_s3::Client, ClientCacheError> {
    let key = tenant.params.key();
    if let Some(client) = cache.get(&key) {
        println!("   {:>9}  uses its cached client", tenant.name);
        return Ok(client);
    }
    let client = tenant.params.client(sdk_config).await?;
    println!("   {:>9}  creates a client", tenant.name);
    match cache.insert(key.clone(), client.clone()) {
        Ok(_evicted) => Ok(client),
        Err(refused) => match refused.error {
            // Another task was faster; this program has none.
            ClientCacheError::AlreadyExists { .. } => Ok(cache.get(&key).unwrap_or(client)),
            error => Err(error),
        },
    }
}

/// Puts an object, reads it back, and checks that it is the same.
async fn visit(cache: &ClientCache, sdk_config: &SdkConfig, tenant: &Tenant) -> Result<(), Box<dyn Error>> {
    let s3 = client(cache, sdk_config, tenant).await?;
    let (bucket, greeting) = (bucket(tenant), format!("hello from {}", tenant.name));
    let region = s3.config().region().map(AsRef::as_ref).unwrap_or_default();
    let place = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region));
    match s3.create_bucket().bucket(&bucket).create_bucket_configuration(place.build()).send().await {
        Err(error) if !error.as_service_error().is_some_and(is_already_mine) => return Err(context(error)),
        _ => {}
    }
    let put = s3.put_object().bucket(&bucket).key("greeting.txt").body(greeting.clone().into_bytes().into());
    put.send().await.map_err(context)?;
    let object = s3.get_object().bucket(&bucket).key("greeting.txt").send().await.map_err(context)?;
    let read = object.body.collect().await?.into_bytes();
    if read != greeting.as_bytes() {
        return Err(format!("{} did not read the text that it wrote", tenant.name).into());
    }
    println!("   {:>9}  read \"{greeting}\" from {region}", "");
    Ok(())
}

fn is_already_mine(error: &aws_sdk_s3::operation::create_bucket::CreateBucketError) -> bool {
    error.is_bucket_already_owned_by_you() || error.is_bucket_already_exists()
}

fn bucket(tenant: &Tenant) -> String {
    format!("quickstart-{}-{}", tenant.name, std::process::id())
}

fn shown<T, E: Error>(result: Result<T, E>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "done".into())
}

fn indented(cache: &ClientCache) -> String {
    format!("   {cache}").replace('\n', "\n   ")
}

/// Adds the sources of an SDK error, which alone says little.
fn context(error: impl Error + Send + Sync + 'static) -> Box<dyn Error> {
    DisplayErrorContext(error).to_string().into()
}
