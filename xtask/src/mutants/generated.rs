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

/// One half of the code; both halves are tested at the same time.
struct Half {
    name: &'static str,
    /// Returns `true` if this half contains the file.
    has: fn(&str) -> bool,
    /// The option for the test program that catches most mutants of this half.
    first: &'static str,
}

const HALVES: [Half; 2] = [
    Half { name: "engine", has: |file| file.starts_with("src/map/"), first: "--test=engine" },
    Half { name: "rest", has: |file| !file.starts_with("src/map/"), first: "--test=cache" },
];

/// The mutants of some files, with a separate build folder that is kept.
struct Group<'a> {
    project: &'a Project,
    folder: PathBuf,
    files: Vec<String>,
    /// The option for `cargo test` in the first run.
    first: &'static str,
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
        let mut clean = self.project.cargo(["clean", "--quiet", "--package", "aws-client-cache"]);
        clean.env("CARGO_TARGET_DIR", &target);
        process::run_logged(clean, &log, None)?;
        let mut command = self.project.cargo(["mutants", "--iterate", "--colors", "never", "--output"]);
        command.arg(&self.folder).env("CARGO_TARGET_DIR", &target).env("CARGO_PROFILE_DEV_DEBUG", "0");
        for file in &self.files {
            command.args(["--file", file]);
        }
        command.args(tests.iter().map(|option| format!("--cargo-arg={option}")));
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
        self.run(&[self.first])?;
        self.run(&["--lib", "--tests"])
    }
}

/// Returns the lines of a file, or none if the file does not exist.
fn lines(path: &Path) -> BTreeSet<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Returns the source files with their sizes.
fn sources(project: &Project) -> Result<Vec<(String, u64)>> {
    let files = process::read(project.git(["ls-files", "--", "src/*.rs"]))?;
    let size = |file: &str| fs::metadata(project.root().join(file)).map_or(0, |metadata| metadata.len());
    Ok(files.lines().map(|file| (file.to_owned(), size(file))).collect())
}

/// Runs cargo-mutants on both halves of the code.
pub(super) fn run(project: &Project, shard: Option<Shard>, again: bool, keep: bool) -> Result<Verdict> {
    project.require_committed(&INPUTS)?;
    let inputs = project.tree(&INPUTS)?;
    let sources = sources(project)?;
    let files =
        shard.map_or_else(|| sources.iter().map(|file| file.0.clone()).collect(), |shard| shard.files(sources.clone()));
    let suffix = shard.map(|shard| format!("-{}", shard.name())).unwrap_or_default();
    let mut groups = Vec::new();
    for half in HALVES {
        let group = Group {
            project,
            folder: project.target().join("mutants-generated").join(format!("{}{suffix}", half.name)),
            files: files.iter().filter(|file| (half.has)(file)).cloned().collect(),
            first: half.first,
        };
        group.prepare(&inputs, again, keep)?;
        groups.push(group);
    }
    thread::scope(|scope| {
        let running: Vec<_> = groups.iter().map(|group| scope.spawn(|| group.run_all())).collect();
        running.into_iter().try_for_each(|group| group.join().expect("a group does not panic"))
    })?;
    let of_last_run = |name: &str| groups.iter().flat_map(|group| group.found(name)).collect::<Vec<_>>();
    let kept = |name: &str| groups.iter().map(|group| lines(&group.path(name)).len()).sum::<usize>();
    let survivors = of_last_run("missed.txt");
    for mutant in &survivors {
        println!("{mutant}");
    }
    println!(
        "{} caught, {} caught by time, {} survived; {} do not compile",
        kept("caught.txt"),
        of_last_run("timeout.txt").len(),
        survivors.len(),
        kept("unviable.txt")
    );
    Ok(Verdict::of(survivors.is_empty()))
}
