//! Measures one strategy: a server of its own, a process that calls it, and the counts of both.

use std::env;
use std::io::{self, BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::strategies::Strategy;
use crate::{Arguments, Failure, Part, server_process};

/// The cost of a strategy.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) seconds: f64,
    pub(crate) assume_roles: usize,
    pub(crate) opened: usize,
    pub(crate) held: usize,
    /// In bytes, where the system tells.
    pub(crate) peak_memory: Option<u64>,
    /// Of the calling process alone, where the system tells.
    pub(crate) cpu_seconds: Option<f64>,
}

/// The delay of the progress bar, and the time in which closed connections are noticed.
const SHORTLY: Duration = Duration::from_millis(100);

/// Runs one strategy on a server of its own.
pub(crate) fn measure(arguments: &Arguments, strategy: Strategy) -> Result<Figures, Failure> {
    let mut server = Part::Server.started(arguments, &[])?;
    let endpoint = server.line()?;
    let mut caller = Part::from(strategy).started(
        arguments,
        &[
            ("AWS_ENDPOINT_URL", &endpoint),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", server_process::ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", server_process::SECRET),
        ],
    )?;
    let told = watched(arguments, strategy, &mut server, &mut caller)?;

    // The caller still has its clients. What it has just dropped may take a moment to close its connections.
    let mut seen = server.seen()?;
    loop {
        thread::sleep(SHORTLY);
        let later = server.seen()?;
        if later == seen {
            break;
        }
        seen = later;
    }
    Ok(Figures {
        seconds: told["seconds"].as_f64().ok_or("no seconds")?,
        assume_roles: count(&seen, "assume_roles")?,
        opened: count(&seen, "opened")?,
        held: count(&seen, "held")?,
        peak_memory: told["peak_memory"].as_u64(),
        cpu_seconds: told["cpu_seconds"].as_f64(),
    })
}

/// Returns the last line of the caller.
///
/// Until then it asks the server for the progress, which costs the caller nothing.
fn watched(
    arguments: &Arguments,
    strategy: Strategy,
    server: &mut Process,
    caller: &mut Process,
) -> Result<Value, Failure> {
    let style = ProgressStyle::with_template("{prefix:>26} {wide_bar} {pos}/{len}")?;
    let bar = ProgressBar::new(u64::from(arguments.tenants) * u64::from(arguments.calls));
    bar.set_style(style);
    bar.set_prefix(strategy.name());
    let told = thread::scope(|scope| -> Result<String, Failure> {
        let (tell, told) = mpsc::channel();
        scope.spawn(move || tell.send(caller.line()));
        loop {
            match told.recv_timeout(SHORTLY) {
                Ok(line) => return Ok(line?),
                Err(RecvTimeoutError::Timeout) => bar.set_position(count(&server.seen()?, "requests")?.try_into()?),
                Err(RecvTimeoutError::Disconnected) => return Err("nobody reads what the caller says".into()),
            }
        }
    });
    bar.finish_and_clear();
    let told = told.map_err(|error| format!("{} has failed: {error}", strategy.name()))?;
    Ok(serde_json::from_str(&told)?)
}

fn count(seen: &Value, name: &str) -> Result<usize, Failure> {
    Ok(seen[name].as_u64().ok_or_else(|| format!("the server does not tell {name}"))?.try_into()?)
}

/// A process of this program, which ends with this.
struct Process {
    child: Child,
    asks: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
}

impl Part {
    /// Starts a process for this part.
    ///
    /// Its environment has no other variable of AWS or of proxies than these.
    fn started(self, arguments: &Arguments, environment: &[(&str, &str)]) -> Result<Process, Failure> {
        let mut command = Command::new(env::current_exe()?);
        for (name, _) in env::vars_os() {
            let upper = name.to_string_lossy().to_uppercase();
            if upper.starts_with("AWS_") || upper.ends_with("_PROXY") {
                command.env_remove(name);
            }
        }
        let nothing = if cfg!(windows) { "NUL" } else { "/dev/null" };
        command.envs([("AWS_CONFIG_FILE", nothing), ("AWS_SHARED_CREDENTIALS_FILE", nothing)]);
        command.env("AWS_EC2_METADATA_DISABLED", "true").envs(environment.iter().copied());
        let part = self.to_possible_value().ok_or("a part without a name")?;
        command.args(["--as", part.get_name()]);
        for (name, value) in [
            ("--tenants", arguments.tenants.to_string()),
            ("--calls", arguments.calls.to_string()),
            ("--max-size", arguments.max_size.to_string()),
            ("--concurrency", arguments.concurrency.to_string()),
        ] {
            command.args([name, &value]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (asks, says) = child.stdin.take().zip(child.stdout.take()).ok_or("a process without pipes")?;
        Ok(Process { child, asks, says: BufReader::new(says).lines() })
    }
}

impl Process {
    /// The next line that it says.
    fn line(&mut self) -> io::Result<String> {
        self.says.next().unwrap_or_else(|| Err(io::Error::other("it has ended")))
    }

    /// The counts of a server.
    fn seen(&mut self) -> Result<Value, Failure> {
        self.asks.write_all(b"\n")?;
        Ok(serde_json::from_str(&self.line()?)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
