//! Commands whose output goes to a file, with a time limit.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use process_wrap::std::CommandWrap;
#[cfg(windows)]
use process_wrap::std::JobObject;
#[cfg(unix)]
use process_wrap::std::ProcessGroup;

/// The interval at which a process is polled.
const POLL: Duration = Duration::from_millis(50);

/// Runs a command and appends its output to `log`.
///
/// Returns its status, or `None` if it was killed at the limit. The processes that it has started are then killed as
/// well, because a test that hangs is a child of cargo.
pub(crate) fn run_logged(mut command: Command, log: &Path, limit: Option<Duration>) -> Result<Option<ExitStatus>> {
    let file = OpenOptions::new().create(true).append(true).open(log);
    let file: File = file.with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let Some(limit) = limit else {
        return Ok(Some(command.status().with_context(|| format!("cannot start {command:?}"))?));
    };
    let name = format!("{command:?}");
    let mut command = CommandWrap::from(command);
    #[cfg(unix)]
    command.wrap(ProcessGroup::leader());
    #[cfg(windows)]
    command.wrap(JobObject);
    let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            child.kill()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// Runs a command that prints to this program's output. Fails unless the command succeeds.
pub(crate) fn run(mut command: Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}

/// Runs a command and returns its standard output. Fails unless it succeeds.
pub(crate) fn read(mut command: Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_and_errors_are_appended_to_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let status = run_logged(shell("echo out; echo err >&2; exit 3"), &log, None).unwrap();
        assert_eq!(status.unwrap().code(), Some(3));
        let limit = Some(Duration::from_mins(1));
        assert!(run_logged(shell("echo more"), &log, limit).unwrap().unwrap().success());
        assert_eq!(fs::read_to_string(log).unwrap(), "out\nerr\nmore\n");
    }

    #[test]
    fn at_the_limit_children_are_killed_as_well() {
        let folder = tempfile::tempdir().unwrap();
        let (log, late) = (folder.path().join("log"), folder.path().join("late"));
        let script = format!("(sleep 1; touch {}) & wait", late.display());
        assert_eq!(run_logged(shell(&script), &log, Some(Duration::from_millis(100))).unwrap(), None);
        thread::sleep(Duration::from_millis(1500));
        assert!(!late.exists());
    }
}
