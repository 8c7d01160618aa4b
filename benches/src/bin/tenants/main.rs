//! Measures S3 calls as hundreds of roles, by common strategies and through a `Session`.
//!
//! A server of S3 and STS and each strategy run in separate processes, so that each measurement contains one strategy
//! alone. Nothing leaves this machine.
//!
//! ```text
//! cargo run --release -p aws-client-cache-benches --features tenants --bin tenants -- --tenants 200 --calls 5 --max-size 200
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints its measurements")]

mod caller;
mod processes;
mod server_process;
mod strategies;
mod table;
mod tenant;
mod usage;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use strategies::Strategy;

/// The error that ends a run of one of the processes.
type Failure = Box<dyn Error + Send + Sync>;

/// Measures S3 calls as hundreds of roles, by common strategies and through a `Session`.
#[derive(Parser)]
struct Arguments {
    /// The number of tenants, each a role to assume.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    tenants: u32,

    /// The calls for each tenant's object; all tenants take turns.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    calls: u32,

    /// The maximum number of clients of the `Session`.
    #[arg(long, default_value_t = 200)]
    max_size: usize,

    /// The number of calls in flight at once.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: u32,

    /// The role of a process that this program has started.
    #[arg(long = "as", value_name = "PART", hide = true)]
    part: Option<Part>,
}

/// The role of a process that this program has started.
#[derive(Clone, Copy, ValueEnum)]
enum Part {
    Server,
    EachCall,
    EachTenant,
    OneConfig,
    Session,
}

impl From<Strategy> for Part {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::EachCall => Self::EachCall,
            Strategy::EachTenant => Self::EachTenant,
            Strategy::OneConfig => Self::OneConfig,
            Strategy::Session => Self::Session,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.part {
        None => measure_all(&arguments),
        Some(Part::Server) => server_process::run(arguments.tenants),
        Some(Part::EachCall) => caller::run(&arguments, Strategy::EachCall),
        Some(Part::EachTenant) => caller::run(&arguments, Strategy::EachTenant),
        Some(Part::OneConfig) => caller::run(&arguments, Strategy::OneConfig),
        Some(Part::Session) => caller::run(&arguments, Strategy::Session),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures each strategy and prints the table.
///
/// Fails if a strategy fails, or if the session requests credentials that it already has.
fn measure_all(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { tenants, calls, max_size, concurrency, .. } = arguments;
    println!(
        "{tenants} tenants, {calls} calls as each, {concurrency} at once; a session of at most {max_size} clients\n"
    );
    let mut rows = Vec::new();
    for strategy in Strategy::ALL {
        rows.push((strategy, processes::measure(arguments, strategy)?));
    }
    println!("{}", table::table(&rows));
    print!("{}", table::sentences(&rows));

    let tenants = usize::try_from(*tenants)?;
    let assumed =
        rows.iter().find(|(strategy, _)| *strategy == Strategy::Session).map_or(0, |(_, figures)| figures.assume_roles);
    if *max_size >= tenants && assumed > tenants {
        return Err(format!("the session called AssumeRole {assumed} times for {tenants} roles").into());
    }
    Ok(())
}
