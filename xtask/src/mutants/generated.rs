//! The generated mutants: those of cargo-mutants.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, bail};

use super::shard::Shard;
use crate::project::Project;
use crate::{Verdict, process};

/// The paths that a generated mutant and its result depend on.
const INPUTS: [&str; 6] = ["src", "spec", "tests/", "Cargo.toml", "Cargo.lock", ".cargo/mutants.toml"];

/// A part of the code, with the tests for its mutants.
struct Part {
    name: &'static str,
    /// Returns `true` if this part contains the file.
    has: fn(&str) -> bool,
    /// The options of cargo-mutants.
    options: &'static [&'static str],
    /// The arguments of `cargo test` in the first run: the fast tests, which catch most mutants.
    first: &'static [&'static str],
    /// The arguments in the second run, for the survivors of the first.
    all: &'static [&'static str],
}

/// The core without a service crate, so that no test program links an SDK client.
const CORE: &[&str] = &["--no-default-features"];
const KIT: &[&str] = &["--package", "aws-client-cache-spec", "--all-features"];
const ALL_TESTS: &[&str] = &["--lib", "--tests"];

/// The fast tests of the engine; the few others take most of the time.
const FAST_ENGINE_TESTS: &[&str] = &[
    "--lib",
    "--test=engine",
    "--",
    "--skip=closure::",
    "--skip=panics::the_engine",
    "--skip=random::",
    "--skip=corpus::the_engine_matches_the_model_on_the_corpus_of_collisions",
    "--skip=churn::",
];

/// The fast tests of the cache.
const FAST_CACHE_TESTS: &[&str] = &[
    "--lib",
    "--test=cache",
    "--",
    "--skip=creation::longer_schedules",
    "--skip=creation::every_short_schedule",
    "--skip=schedules::",
];

/// The fast tests of a session.
const FAST_SESSION_TESTS: &[&str] = &[
    "--test=session",
    "--",
    "--skip=http::ten_thousand_requests",
    "--skip=tenants::in_thousands_of_operations",
    "--skip=credentials_base::the_suites_hold",
    "--skip=credentials_weather::no_request_fails",
    "--skip=server::",
];

/// The fast tests of the kit.
const FAST_KIT_TESTS: &[&str] = &[
    "--lib",
    "--test=coverage",
    "--test=counter_examples",
    "--test=fingerprints",
    "--test=generate",
    "--test=insertion",
    "--test=sieve",
];

/// The parts of the code. A file belongs to the first part that contains it.
const PARTS: [Part; 4] = [
    Part { name: "engine", has: is_engine, options: CORE, first: FAST_ENGINE_TESTS, all: ALL_TESTS },
    Part { name: "kit", has: is_kit, options: KIT, first: FAST_KIT_TESTS, all: &[] },
    Part { name: "session", has: is_session, options: &[], first: FAST_SESSION_TESTS, all: ALL_TESTS },
    Part { name: "cache", has: |_| true, options: CORE, first: FAST_CACHE_TESTS, all: ALL_TESTS },
];

fn is_engine(file: &str) -> bool {
    file.starts_with("src/map/")
}

fn is_kit(file: &str) -> bool {
    file.starts_with("spec/")
}

/// Returns `true` for a file that only tests with clients of the SDK reach.
fn is_session(file: &str) -> bool {
    let of_credentials = ["src/redact.rs", "src/params/profile.rs", "src/params/credential_source.rs"];
    file.starts_with("src/session/") || of_credentials.contains(&file)
}

/// Returns the position in [`PARTS`] of a file's part.
fn part_of(file: &str) -> usize {
    PARTS.iter().position(|part| (part.has)(file)).unwrap_or(PARTS.len() - 1)
}

/// The parts that run one after the other, while the others do.
const LANES: [[usize; 2]; 2] = [[0, 1], [2, 3]];

/// The mutants of some files, with a separate build folder that is kept.
struct Group<'a> {
    project: &'a Project,
    folder: PathBuf,
    files: Vec<String>,
    part: &'static Part,
}

impl Group<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Forgets the mutants that were caught on other `inputs`, or all.
    fn prepare(&self, inputs: &str, again: bool, keep: bool) -> Result<()> {
        fs::create_dir_all(&self.folder)?;
        let is_current = fs::read_to_string(self.path("inputs")).is_ok_and(|earlier| earlier == inputs);
        if again || !(is_current || keep) {
            for name in ["caught.txt", "unviable.txt", "log"] {
                let _ = fs::remove_file(self.path(name));
            }
            for name in ["mutants.out", "mutants.out.old"] {
                let _ = fs::remove_dir_all(self.path(name));
            }
        }
        Ok(fs::write(self.path("inputs"), inputs)?)
    }

    /// Adds the results of cargo-mutants to the lists that are kept, before it starts again.
    fn collect(&self) -> Result<()> {
        for name in ["caught.txt", "unviable.txt"] {
            let mut lines = lines(&self.path(name));
            lines.extend(self.found(name));
            let text: String = lines.into_iter().map(|line| line + "\n").collect();
            fs::write(self.path(name), text)?;
        }
        Ok(())
    }

    /// Returns the mutants of a list of the last run.
    fn found(&self, name: &str) -> BTreeSet<String> {
        lines(&self.path("mutants.out").join(name))
    }

    /// Tries the mutants that are not caught yet with some of the tests.
    fn run(&self, tests: &[&str]) -> Result<()> {
        self.collect()?;
        let (log, target) = (self.path("log"), self.path("target"));
        // The crate in that folder was built from the last mutant.
        let packages = ["--package", "aws-client-cache", "--package", "aws-client-cache-spec"];
        let mut clean = self.project.cargo(["clean", "--quiet"]);
        clean.args(packages);
        clean.env("CARGO_TARGET_DIR", &target);
        process::run_logged(clean, &log, None)?;
        let mut command = self.project.cargo(["mutants", "--iterate", "--colors", "never", "--output"]);
        command.arg(&self.folder).args(self.part.options);
        command.env("CARGO_TARGET_DIR", &target).env("CARGO_PROFILE_DEV_DEBUG", "0");
        for file in &self.files {
            command.args(["--file", file]);
        }
        command.arg("--").args(tests);
        let status = process::run_logged(command, &log, None)?.context("without a limit it ends")?;
        self.collect()?;
        // 2 is a mutant that survives, 3 one that hangs.
        if !matches!(status.code(), Some(0 | 2 | 3)) {
            println!("{}", String::from_utf8_lossy(&fs::read(&log)?));
            bail!("cargo mutants did not do its work: {status}");
        }
        Ok(())
    }

    /// Tries all mutants with the first tests, then the survivors with all tests.
    fn run_all(&self) -> Result<()> {
        if self.files.is_empty() {
            return Ok(());
        }
        self.run(self.part.first)?;
        self.run(self.part.all)
    }
}

/// Returns the lines of a file, or none if the file does not exist.
fn lines(path: &Path) -> BTreeSet<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Returns the source files with their sizes.
fn sources(project: &Project) -> Result<Vec<(String, u64)>> {
    let files = process::read(project.git(["ls-files", "--", "src/*.rs", "spec/src/*.rs"]))?;
    let size = |file: &str| fs::metadata(project.root().join(file)).map_or(0, |metadata| metadata.len());
    Ok(files.lines().map(|file| (file.to_owned(), size(file))).collect())
}

/// Runs cargo-mutants on all parts of the code, on two at the same time.
pub(super) fn run(project: &Project, shard: Option<Shard>, again: bool, keep: bool) -> Result<Verdict> {
    project.require_committed(&INPUTS)?;
    let inputs = project.tree(&INPUTS)?;
    let sources = sources(project)?;
    let files =
        shard.map_or_else(|| sources.iter().map(|file| file.0.clone()).collect(), |shard| shard.files(sources.clone()));
    let suffix = shard.map(|shard| format!("-{}", shard.name())).unwrap_or_default();
    let mut groups = Vec::new();
    for (position, part) in PARTS.iter().enumerate() {
        let group = Group {
            project,
            folder: project.target().join("mutants-generated").join(format!("{}{suffix}", part.name)),
            files: files.iter().filter(|file| part_of(file) == position).cloned().collect(),
            part,
        };
        group.prepare(&inputs, again, keep)?;
        groups.push(group);
    }
    let run_lane = |lane: [usize; 2]| lane.into_iter().try_for_each(|position| groups[position].run_all());
    thread::scope(|scope| {
        let running = LANES.map(|lane| scope.spawn(move || run_lane(lane)));
        running.into_iter().try_for_each(|lane| lane.join().expect("a lane does not panic"))
    })?;
    let of_last_run = |name: &str| groups.iter().flat_map(|group| group.found(name)).collect::<Vec<_>>();
    let kept = |name: &str| groups.iter().map(|group| lines(&group.path(name)).len()).sum::<usize>();
    let survivors = of_last_run("missed.txt");
    for mutant in &survivors {
        println!("{mutant}");
    }
    println!(
        "{} caught, {} caught by a timeout, {} survived, {} do not compile",
        kept("caught.txt"),
        of_last_run("timeout.txt").len(),
        survivors.len(),
        kept("unviable.txt")
    );
    Ok(Verdict::of(survivors.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_the_part_whose_tests_reach_it() {
        let names = ["src/map/slab.rs", "spec/src/model.rs", "src/session/scope.rs", "src/redact.rs", "src/key/mod.rs"]
            .map(|file| PARTS[part_of(file)].name);
        assert_eq!(names, ["engine", "kit", "session", "session", "cache"]);
    }

    #[test]
    fn each_part_has_a_lane() {
        let mut lanes = LANES.concat();
        lanes.sort_unstable();
        assert_eq!(lanes, (0..PARTS.len()).collect::<Vec<_>>());
    }
}
