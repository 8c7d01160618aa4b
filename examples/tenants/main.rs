//! Hundreds of roles, some S3 calls as each: what it costs by hand, and through a `Session`.
//!
//! A server of S3 and STS and each of the ways to call it run in processes of their own, so that each pays for itself
//! alone. Nothing leaves this machine.
//!
//! ```text
//! cargo run --example tenants -- --tenants 200 --calls 5 --max-size 200
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that tells what it has measured")]

mod caller;
mod host;
mod measure;
#[path = "../server/mod.rs"]
mod server;
mod table;
mod tenant;
mod usage;
mod ways;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use ways::Way;

/// What ends a run of one of the processes.
type Failure = Box<dyn Error + Send + Sync>;

/// Hundreds of roles, some S3 calls as each: what it costs by hand, and through a `Session`.
#[derive(Parser)]
struct Arguments {
    /// How many tenants there are, each a role that is to be assumed.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    tenants: u32,

    /// How often each tenant's object is got; all tenants take turns.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    calls: u32,

    /// The most clients that the `Session` holds.
    #[arg(long, default_value_t = 200)]
    max_size: usize,

    /// How many calls are in flight at once.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: u32,

    /// What this process is, if it is not the one that a user has started.
    #[arg(long = "as", value_name = "PART", hide = true)]
    part: Option<Part>,
}

/// What a process that this program has started does.
#[derive(Clone, Copy, ValueEnum)]
enum Part {
    Server,
    EachCall,
    EachTenant,
    OneConfig,
    Session,
}

impl From<Way> for Part {
    fn from(way: Way) -> Self {
        match way {
            Way::EachCall => Self::EachCall,
            Way::EachTenant => Self::EachTenant,
            Way::OneConfig => Self::OneConfig,
            Way::Session => Self::Session,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.part {
        None => measured(&arguments),
        Some(Part::Server) => host::run(arguments.tenants),
        Some(Part::EachCall) => caller::run(&arguments, Way::EachCall),
        Some(Part::EachTenant) => caller::run(&arguments, Way::EachTenant),
        Some(Part::OneConfig) => caller::run(&arguments, Way::OneConfig),
        Some(Part::Session) => caller::run(&arguments, Way::Session),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures each way, shows the table, and fails if a way did, or if the session asked for keys that it had.
fn measured(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { tenants, calls, max_size, concurrency, .. } = arguments;
    println!(
        "{tenants} tenants, {calls} calls as each, {concurrency} at once; a session of at most {max_size} clients\n"
    );
    let mut rows = Vec::new();
    for way in Way::ALL {
        rows.push((way, measure::measure(arguments, way)?));
    }
    println!("{}", table::table(&rows));
    print!("{}", table::sentences(&rows));

    let tenants = usize::try_from(*tenants)?;
    let asked = rows.iter().find(|(way, _)| *way == Way::Session).map_or(0, |(_, figures)| figures.assume_roles);
    if *max_size >= tenants && asked > tenants {
        return Err(format!("the session called AssumeRole {asked} times for {tenants} roles").into());
    }
    Ok(())
}
