//! The hand-written mutants, one patch each.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rules::Rules;

use super::{FOLDER, outcome, rule_tests};
use crate::project::{self, Project};
use crate::worktree::Worktree;
use crate::{Verdict, process};

/// The time limit of the tests, once they are built.
const LIMIT: Duration = Duration::from_mins(5);

/// The paths that a result depends on, except the patch itself.
const INPUTS: [&str; 6] = ["src", "spec", "tests/", "examples", "Cargo.toml", "Cargo.lock"];

/// All tests except those of the documentation.
///
/// They are built without these options, because some start the examples, which `--tests` does not build.
const ALL_TESTS: [&str; 2] = ["--lib", "--tests"];

/// Returns the patches whose names begin with one of `prefixes`, or all.
fn selected(project: &Project, prefixes: &[String]) -> Result<Vec<(String, PathBuf)>> {
    let mut patches = Vec::new();
    for file in fs::read_dir(project.root().join(FOLDER)).with_context(|| format!("cannot read {FOLDER}"))? {
        let path = file?.path();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_wanted = prefixes.is_empty() || prefixes.iter().any(|prefix| name.starts_with(prefix));
        if is_wanted && path.extension().is_some_and(|extension| extension == "patch") {
            patches.push((name, path));
        }
    }
    ensure!(!patches.is_empty(), "no patch in {FOLDER} has a name that begins like: {}", prefixes.join(" "));
    patches.sort();
    Ok(patches)
}

/// Checks that every patch applies, to the files as they are.
pub(super) fn check(project: &Project, prefixes: &[String]) -> Result<Verdict> {
    let patches = selected(project, prefixes)?;
    let mut refused = 0;
    for (name, path) in &patches {
        // git alone knows what it takes for a match.
        let output = project.git(["apply", "--check"]).arg(path).output().context("cannot start git")?;
        if !output.status.success() {
            println!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim_end());
            refused += 1;
        }
    }
    println!("{} patches, {refused} do not apply", patches.len());
    Ok(Verdict::of(refused == 0))
}

/// The result of one run of the tests.
enum Run {
    Passed,
    DoesNotBuild,
    Failed,
    Hangs,
}

/// A copy of the last commit, in which mutants are tested.
struct Bench<'a> {
    copy: Worktree<'a>,
    target: PathBuf,
    log: PathBuf,
}

impl<'a> Bench<'a> {
    fn new(project: &'a Project) -> Result<Self> {
        let target = project.target().join("mutants");
        fs::create_dir_all(&target)?;
        let copy = Worktree::create(project, "mutants")?;
        Ok(Self { copy, log: target.join("log"), target })
    }

    /// Runs `cargo test` with `arguments`. Returns `true` if it succeeded, or `None` at the limit.
    fn cargo_test(&self, arguments: &[String], limit: Option<Duration>) -> Result<Option<bool>> {
        let mut command = project::cargo(self.copy.path(), ["test"]);
        command.args(arguments).env("CARGO_TARGET_DIR", &self.target);
        // Mutants are not debugged, and a program without debug information links faster.
        command.env("CARGO_PROFILE_DEV_DEBUG", "0");
        Ok(process::run_logged(command, &self.log, limit)?.map(|status| status.success()))
    }

    fn build(&self, tests: &[String]) -> Result<bool> {
        Ok(self.cargo_test(&[&["--no-run".to_owned()], tests].concat(), None)? == Some(true))
    }

    /// Runs some tests, then all, then the examples in the documentation, up to the first failure.
    ///
    /// The tests of a rule catch most of its mutants; all tests take longer to build and to run. Builds have no time
    /// limit, so that a slow machine is not mistaken for a test that hangs.
    fn run_tests(&self, first: &[String]) -> Result<Run> {
        let _ = fs::remove_file(&self.log);
        let all = ALL_TESTS.map(str::to_owned);
        for (targets, tests) in [(first, first), (&[], &all)] {
            if tests.is_empty() {
                continue;
            }
            if !self.build(targets)? {
                return Ok(Run::DoesNotBuild);
            }
            match self.cargo_test(tests, Some(LIMIT))? {
                Some(true) => {}
                Some(false) => return Ok(Run::Failed),
                None => return Ok(Run::Hangs),
            }
        }
        Ok(match self.cargo_test(&["--doc".to_owned()], Some(LIMIT))? {
            Some(true) => Run::Passed,
            Some(false) => Run::Failed,
            None => Run::Hangs,
        })
    }

    /// Returns the tests of a rule, by the comments in the copy.
    fn tests_of(&self, rule: &str) -> Result<Vec<String>> {
        Ok(rule_tests::options(&Rules::read(self.copy.path())?, rule))
    }

    /// Returns `true` if the library itself does not compile with the features of the tests.
    ///
    /// To check this, it builds a test program. Alone, the library and the SDK would be built with other features.
    fn library_is_broken(&self) -> Result<bool> {
        let _ = fs::remove_file(&self.log);
        Ok(!self.build(&["--test=engine".to_owned()])? && outcome::library_is_broken(&self.read_log()?))
    }

    fn read_log(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.log)?).into_owned())
    }
}

/// The mutants that were caught on one tree, with the test that noticed each.
///
/// The name and the hash of its patch identify a mutant.
struct Ledger {
    file: PathBuf,
    caught: BTreeMap<String, String>,
}

impl Ledger {
    fn open(file: PathBuf, again: bool) -> Self {
        let text = if again { String::new() } else { fs::read_to_string(&file).unwrap_or_default() };
        if again {
            let _ = fs::remove_file(&file);
        }
        let caught = text.lines().filter_map(|line| line.rsplit_once('\t'));
        Self { file, caught: caught.map(|(mutant, by)| (mutant.to_owned(), by.to_owned())).collect() }
    }

    fn add(&self, mutant: &str, by: &str) -> Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.file)?;
        Ok(writeln!(file, "{mutant}\t{by}")?)
    }
}

/// The result for one mutant.
enum Outcome {
    Caught(String),
    Survived,
    Invalid(&'static str),
}

fn try_mutant(bench: &Bench<'_>, name: &str, patch: &Path) -> Result<Outcome> {
    bench.copy.reset()?;
    if !bench.copy.apply(patch)? {
        return Ok(Outcome::Invalid("does not apply"));
    }
    let rule = name.split('-').next().unwrap_or(name);
    let caught_by_a_test = || -> Result<Outcome> {
        let log = bench.read_log()?;
        Ok(outcome::caught_by(&log).map_or_else(
            || {
                println!("{log}");
                Outcome::Invalid("no test failed, and yet they did not pass")
            },
            Outcome::Caught,
        ))
    };
    match bench.run_tests(&bench.tests_of(rule)?)? {
        Run::Passed => Ok(Outcome::Survived),
        Run::Hangs => Ok(Outcome::Caught("a test that hangs".to_owned())),
        Run::Failed => caught_by_a_test(),
        Run::DoesNotBuild => {
            let result = caught_by_a_test()?;
            if bench.library_is_broken()? {
                println!("{}", bench.read_log()?);
                return Ok(Outcome::Invalid("does not compile"));
            }
            Ok(result)
        }
    }
}

/// Runs the tests on each patched copy of the last commit.
pub(super) fn run(project: &Project, prefixes: &[String], again: bool) -> Result<Verdict> {
    let patches = selected(project, prefixes)?;
    let bench = Bench::new(project)?;
    let ledger = bench.target.join(format!("caught-{}", project.tree(&INPUTS)?));
    let ledger = Ledger::open(ledger, again);
    let mut mutants = Vec::new();
    for (name, patch) in patches {
        let hash = process::read(project.git([OsStr::new("hash-object"), patch.as_os_str()]))?;
        mutants.push((format!("{name}\t{}", hash.trim()), name, patch));
    }
    // Tests that fail without a mutant prove nothing.
    if mutants.iter().any(|(mutant, ..)| !ledger.caught.contains_key(mutant))
        && !matches!(bench.run_tests(&[])?, Run::Passed)
    {
        println!("{}", bench.read_log()?);
        bail!("the tests fail on the code as it is");
    }
    let (mut caught, mut survived, mut invalid) = (0, 0, 0);
    for (mutant, name, patch) in &mutants {
        if let Some(by) = ledger.caught.get(mutant) {
            caught += 1;
            println!("{name:<40} {by} (in an earlier run)");
            continue;
        }
        let text = match try_mutant(&bench, name, patch)? {
            Outcome::Caught(by) => {
                caught += 1;
                ledger.add(mutant, &by)?;
                by
            }
            Outcome::Survived => {
                survived += 1;
                "SURVIVED".to_owned()
            }
            Outcome::Invalid(reason) => {
                invalid += 1;
                format!("INVALID: {reason}")
            }
        };
        println!("{name:<40} {text}");
    }
    println!("\n{caught} caught, {survived} survived, {invalid} invalid");
    Ok(if invalid > 0 { Verdict::Invalid } else { Verdict::of(survived == 0) })
}
