//! Measures one strategy: starts a server and a process that calls it, and reads the counts of both.

use std::env;
use std::io::{self, BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

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
    /// In bytes, where the system reports it.
    pub(crate) peak_memory: Option<u64>,
    /// Of the calling process alone, where the system reports it.
    pub(crate) cpu_seconds: Option<f64>,
}

/// The delay of the progress bar, and the time in which closed connections are noticed.
const SHORTLY: Duration = Duration::from_millis(100);

/// The longest that a process may take to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs one strategy on its own server.
pub(crate) fn measure(arguments: &Arguments, strategy: Strategy) -> Result<Figures, Failure> {
    let mut server = Part::Server.start(arguments, &[])?;
    let endpoint = server.line()?;
    let mut caller = Part::from(strategy).start(
        arguments,
        &[
            ("AWS_ENDPOINT_URL", &endpoint),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", server_process::ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", server_process::SECRET),
        ],
    )?;
    let report = watch(arguments, strategy, &mut server, &mut caller)?;

    // The caller still has its clients. Clients that it has just dropped may take a moment to close their connections.
    let mut counts = server.counts()?;
    loop {
        thread::sleep(SHORTLY);
        let later = server.counts()?;
        if later == counts {
            break;
        }
        counts = later;
    }
    Ok(Figures {
        seconds: report["seconds"].as_f64().ok_or("no seconds")?,
        assume_roles: count(&counts, "assume_roles")?,
        opened: count(&counts, "opened")?,
        held: count(&counts, "held")?,
        peak_memory: report["peak_memory"].as_u64(),
        cpu_seconds: report["cpu_seconds"].as_f64(),
    })
}

/// Returns the report of the caller.
///
/// Until then it shows the progress by the counts of the server, which costs the caller nothing.
fn watch(
    arguments: &Arguments,
    strategy: Strategy,
    server: &mut Process,
    caller: &mut Process,
) -> Result<Value, Failure> {
    let style = ProgressStyle::with_template("{prefix:>26} {wide_bar} {pos}/{len}")?;
    let bar = ProgressBar::new(u64::from(arguments.tenants) * u64::from(arguments.calls));
    bar.set_style(style);
    bar.set_prefix(strategy.name());
    let report = thread::scope(|scope| -> Result<String, Failure> {
        let (sender, receiver) = mpsc::channel();
        scope.spawn(move || sender.send(caller.line()));
        loop {
            match receiver.recv_timeout(SHORTLY) {
                Ok(line) => return Ok(line?),
                Err(RecvTimeoutError::Timeout) => bar.set_position(count(&server.counts()?, "requests")?.try_into()?),
                Err(RecvTimeoutError::Disconnected) => return Err("the reader of the caller's output has ended".into()),
            }
        }
    });
    bar.finish_and_clear();
    let report = report.map_err(|error| format!("{} has failed: {error}", strategy.name()))?;
    Ok(serde_json::from_str(&report)?)
}

fn count(counts: &Value, name: &str) -> Result<usize, Failure> {
    Ok(counts[name].as_u64().ok_or_else(|| format!("the server does not report {name}"))?.try_into()?)
}

/// A process of this program, which ends when this value is dropped.
struct Process {
    child: Child,
    /// `None` once the process has to stop.
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Part {
    /// Starts a process with this role.
    ///
    /// Of all variables of AWS and of proxies, its environment has only those in `environment`.
    fn start(self, arguments: &Arguments, environment: &[(&str, &str)]) -> Result<Process, Failure> {
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
        let (input, output) = child.stdin.take().zip(child.stdout.take()).ok_or("a process without pipes")?;
        Ok(Process { child, input: Some(input), output: BufReader::new(output).lines() })
    }
}

impl Process {
    /// Returns the next line of its output.
    fn line(&mut self) -> io::Result<String> {
        self.output.next().unwrap_or_else(|| Err(io::Error::other("the process has ended")))
    }

    /// Returns the counts of a server.
    fn counts(&mut self) -> Result<Value, Failure> {
        self.input.as_mut().ok_or("the process is stopping")?.write_all(b"\n")?;
        Ok(serde_json::from_str(&self.line()?)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // At the end of its input a process stops, and a server removes its folder. A process that is killed cannot.
        drop(self.input.take());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(SHORTLY);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
