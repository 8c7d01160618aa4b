//! The generated mutants: those of cargo-mutants.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::{Verdict, process};

/// A part of the code, with the tests for its mutants.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// The paths that the mutants and their results depend on.
    pub(crate) inputs: &'static [&'static str],
    /// Returns `true` if this part contains the file.
    has: fn(&str) -> bool,
    /// The tests to run one after the other, each for the mutants that survive those before.
    tests: &'static [Tests],
}

/// Some tests of a package.
#[derive(Debug)]
struct Tests {
    /// The options of cargo-mutants.
    options: &'static [&'static str],
    /// The options of `cargo test` that select the test programs to build.
    ///
    /// Without an option, all run, and the examples of the documentation too.
    programs: &'static [&'static str],
    /// The beginnings of the names of tests that do not run.
    skipped: &'static [&'static str],
    /// The optimization level: 0 for fast builds, 1 for fast searches.
    opt_level: &'static str,
    /// Returns `true` for a file whose mutants they are to find.
    covers: fn(&str) -> bool,
}

/// The core without a service crate, so that no test program links an SDK client.
const CORE: &[&str] = &["--no-default-features"];
const KIT: &[&str] = &["--package", "aws-client-cache-spec", "--all-features"];
const ALL_OF_CORE: Tests =
    Tests { options: CORE, programs: &["--lib", "--tests"], skipped: &[], opt_level: "1", covers: all_files };
/// All but those of the examples, which cargo-mutants does not build.
const ALL: Tests = Tests {
    options: &[],
    programs: &["--lib", "--test=allocations", "--test=cache", "--test=engine", "--test=memory", "--test=session"],
    skipped: &[],
    opt_level: "1",
    covers: all_files,
};
const ALL_OF_KIT: Tests = Tests { options: KIT, programs: &[], skipped: &[], opt_level: "1", covers: all_files };

/// The unit tests.
const UNITS: Tests = Tests { options: &[], programs: &["--lib"], skipped: &[], opt_level: "0", covers: all_files };
const UNITS_OF_CORE: Tests =
    Tests { options: CORE, programs: &["--lib"], skipped: &[], opt_level: "0", covers: all_files };

const FAST_ENGINE_TESTS: Tests = Tests {
    options: CORE,
    programs: &["--test=engine"],
    skipped: &[
        "every_state::",
        "panics::the_engine",
        "random::",
        "corpus::the_engine_matches_the_model_on_the_corpus_of_collisions",
        "churn::",
    ],
    opt_level: "0",
    covers: all_files,
};

const FAST_CACHE_TESTS: Tests = Tests {
    options: CORE,
    programs: &["--lib", "--test=cache"],
    skipped: &["creation::longer_schedules", "creation::every_short_schedule", "schedules::"],
    opt_level: "0",
    covers: all_files,
};

const FAST_SESSION_TESTS: Tests = Tests {
    options: &[],
    programs: &["--test=session"],
    skipped: &[
        "credentials_base::the_error_of_a_timeout",
        "credentials_base::the_suites_hold",
        "credentials_progress::a_load_that_was_not_polled",
        "load_permits::a_provider_that_hangs",
        "load_permits::providers_that_hang",
        "credentials_weather::no_request_fails",
        "credentials_weather::scopes_loaded_together",
        "http::server_errors",
        "http::ten_thousand_requests",
        "idle_connections::",
        "ready_all::many_scopes",
        "server::",
        "session_stats::no_setting",
        "tenants::in_thousands_of_operations",
    ],
    opt_level: "0",
    covers: all_files,
};

/// Building the test programs takes longer than running them, so the first are few.
const FIRST_KIT_TESTS: Tests = Tests {
    options: KIT,
    programs: &["--test=branches", "--test=counter_examples"],
    skipped: &[],
    opt_level: "0",
    covers: all_files,
};

const CREATION_TESTS: Tests = Tests {
    options: KIT,
    programs: &["--test=creation"],
    skipped: SLOW_KIT_TESTS,
    opt_level: "1",
    covers: |file| file.starts_with("spec/src/creation/"),
};

const THREAD_TESTS: Tests = Tests {
    options: KIT,
    programs: &["--test=linearization", "--test=threads"],
    skipped: SLOW_KIT_TESTS,
    opt_level: "1",
    covers: |file| ["spec/src/history.rs", "spec/src/threads.rs"].contains(&file),
};

const COMPARISON_TESTS: Tests = Tests {
    options: KIT,
    programs: &["--test=copies", "--test=coverage", "--test=differences"],
    skipped: &[],
    opt_level: "1",
    covers: |file| {
        let names = ["branch", "branches", "dict", "random", "shrink", "step", "system_under_test"];
        names.iter().any(|name| file == format!("spec/src/{name}.rs"))
    },
};

const SEARCH_TESTS: Tests = Tests {
    options: KIT,
    programs: &["--test=fingerprints", "--test=generate", "--test=sieve"],
    skipped: &[],
    opt_level: "1",
    covers: |file| !file.starts_with("spec/src/creation/"),
};

const SLOWER_KIT_TESTS: Tests = Tests {
    options: KIT,
    programs: &[
        "--test=aging",
        "--test=copies",
        "--test=coverage",
        "--test=creation",
        "--test=differences",
        "--test=enumeration",
        "--test=expiry",
        "--test=faulty",
        "--test=insertion",
        "--test=linearization",
        "--test=ordered_keys",
        "--test=panic_messages",
        "--test=reentrant",
        "--test=threads",
    ],
    skipped: SLOW_KIT_TESTS,
    opt_level: "1",
    covers: all_files,
};

const SLOW_KIT_TESTS: &[&str] = &[
    "a_cache_that_answers_no_look_up",
    "a_cache_that_drops_under_its_lock",
    "a_faulty_cache_without_a_fault_has_every_level",
    "a_lock_that_is_held_in_one_operation",
    "a_look_up_that_removes_an_expired_entry",
    "every_short_schedule",
    "longer_schedules",
    "the_model_has_every_level",
];

/// The paths that the mutants of the kit depend on.
const KIT_INPUTS: &[&str] = &["spec", "Cargo.toml", "Cargo.lock", ".cargo/mutants.toml"];
/// The paths that those of the crate depend on.
const INPUTS: &[&str] =
    &["src", "spec/src", "spec/Cargo.toml", "tests/", "Cargo.toml", "Cargo.lock", ".cargo/mutants.toml"];

/// The parts of the code. A file belongs to the first part that contains it.
pub(crate) const PARTS: [Part; 4] = [
    Part {
        name: "session",
        inputs: INPUTS,
        has: is_session,
        tests: &[FAST_SESSION_TESTS, UNITS, FAST_CACHE_TESTS, ALL],
    },
    Part {
        name: "engine",
        inputs: INPUTS,
        has: is_engine,
        tests: &[FAST_ENGINE_TESTS, UNITS_OF_CORE, FAST_CACHE_TESTS, ALL_OF_CORE],
    },
    Part {
        name: "kit",
        inputs: KIT_INPUTS,
        has: is_kit,
        tests: &[
            FIRST_KIT_TESTS,
            CREATION_TESTS,
            THREAD_TESTS,
            COMPARISON_TESTS,
            SEARCH_TESTS,
            SLOWER_KIT_TESTS,
            ALL_OF_KIT,
        ],
    },
    Part { name: "cache", inputs: INPUTS, has: |_| true, tests: &[FAST_CACHE_TESTS, ALL_OF_CORE, ALL] },
];

fn all_files(_: &str) -> bool {
    true
}

fn is_engine(file: &str) -> bool {
    file.starts_with("src/map/")
}

fn is_kit(file: &str) -> bool {
    file.starts_with("spec/")
}

/// Returns `true` for a file that only tests with clients of the SDK reach.
fn is_session(file: &str) -> bool {
    let others = [
        "src/key/credential_scope.rs",
        "src/key/scope_selection.rs",
        "src/params/assume_role.rs",
        "src/params/assume_role_provider.rs",
        "src/params/credential_source.rs",
        "src/params/profile.rs",
        "src/params/web_identity.rs",
        "src/redact.rs",
        "src/shared_future.rs",
    ];
    file.starts_with("src/session/") || others.contains(&file)
}

/// Returns the position in [`PARTS`] of a file's part.
fn part_of(file: &str) -> usize {
    PARTS.iter().position(|part| (part.has)(file)).unwrap_or(PARTS.len() - 1)
}

/// The mutants of a part, with a separate build folder that is kept.
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
            for name in KEPT.into_iter().chain(["log"]) {
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
        let hung = self.found("timeout.txt");
        for name in KEPT {
            let mut lines = lines(&self.path(name));
            lines.extend(self.found(name));
            if name == CAUGHT {
                lines.extend(hung.clone());
            }
            write_lines(&self.path(name), &lines)?;
        }
        // By itself, it would try those again that have hung.
        let last = self.path("mutants.out").join(CAUGHT);
        if last.exists() {
            fs::copy(self.path(CAUGHT), last)?;
        }
        Ok(())
    }

    /// Returns the mutants of a list of the last run.
    fn found(&self, name: &str) -> BTreeSet<String> {
        lines(&self.path("mutants.out").join(name))
    }

    /// Tries the mutants that are not caught yet with some of the tests.
    fn run(&self, tests: &Tests) -> Result<()> {
        self.collect()?;
        let (log, target) = (self.path("log"), self.path("target"));
        // The crate in that folder was built from the last mutant.
        let packages = ["--package", "aws-client-cache", "--package", "aws-client-cache-spec"];
        let mut clean = self.project.cargo(["clean", "--quiet"]);
        clean.args(packages);
        clean.env("CARGO_TARGET_DIR", &target);
        process::run_logged(clean, &log, None)?;
        let mut command = self.project.cargo(["mutants", "--iterate", "--colors", "never", "--output"]);
        command.arg(&self.folder).args(tests.options);
        command.env("CARGO_TARGET_DIR", &target);
        command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_PROFILE_DEV_OPT_LEVEL", tests.opt_level);
        for file in self.files.iter().filter(|file| (tests.covers)(file)) {
            command.args(["--file", file]);
        }
        command.args(tests.arguments());
        let status = process::run_logged(command, &log, None)?.context("without a limit it ends")?;
        self.collect()?;
        // 2 is a mutant that survives, 3 one that hangs.
        if !matches!(status.code(), Some(0 | 2 | 3)) {
            println!("{}", String::from_utf8_lossy(&fs::read(&log)?));
            bail!("cargo mutants did not do its work: {status}");
        }
        Ok(())
    }

    /// Tries the mutants with all tests of the part.
    fn run_all(&self) -> Result<()> {
        self.part.tests.iter().try_for_each(|tests| self.run(tests))
    }
}

impl Tests {
    /// Returns the arguments of cargo-mutants that select these tests.
    fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<_> = self.programs.iter().map(|program| format!("--cargo-arg={program}")).collect();
        if !arguments.is_empty() {
            // A test program ends at its first failure only where unstable options are allowed.
            let runner = "--cargo-arg=--config=target.'cfg(unix)'.runner=['env', 'RUSTC_BOOTSTRAP=1']";
            arguments.extend([runner, "--", "--", "-Zunstable-options", "--fail-fast"].map(str::to_owned));
            arguments.extend(self.skipped.iter().map(|name| format!("--skip={name}")));
        }
        arguments
    }
}

/// The lists of mutants that are not tried again.
const KEPT: [&str; 3] = [CAUGHT, "timeout.txt", "unviable.txt"];

/// The list of caught mutants, including those that hang.
const CAUGHT: &str = "caught.txt";

fn write_lines(path: &Path, lines: &BTreeSet<String>) -> Result<()> {
    let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Returns the lines of a file, or none if the file does not exist.
fn lines(path: &Path) -> BTreeSet<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Runs cargo-mutants on a part of the code, or on all parts.
pub(super) fn run(project: &Project, part: Option<&str>, again: bool, keep: bool) -> Result<Verdict> {
    let files = process::read(project.git(["ls-files", "--", "src/*.rs", "spec/src/*.rs"]))?;
    let mut groups = Vec::new();
    for (position, selected) in PARTS.iter().enumerate().filter(|(_, each)| part.is_none_or(|name| name == each.name)) {
        project.require_committed(selected.inputs)?;
        let group = Group {
            project,
            folder: project.target().join("mutants-generated").join(selected.name),
            files: files.lines().filter(|file| part_of(file) == position).map(str::to_owned).collect(),
            part: selected,
        };
        group.prepare(&project.tree(selected.inputs)?, again, keep)?;
        groups.push(group);
    }
    groups.iter().try_for_each(Group::run_all)?;
    let of_last_run = |name: &str| groups.iter().flat_map(|group| group.found(name)).collect::<Vec<_>>();
    let kept = |name: &str| groups.iter().map(|group| lines(&group.path(name)).len()).sum::<usize>();
    let survivors = of_last_run("missed.txt");
    for mutant in &survivors {
        println!("{mutant}");
    }
    println!(
        "{} caught, {} of them by a timeout, {} survived, {} do not compile",
        kept(CAUGHT),
        kept("timeout.txt"),
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
    fn all_tests_of_a_part_run_last_for_each_mutant_that_survives() {
        for part in PARTS {
            let last = part.tests.last().unwrap();
            assert!((last.covers)("src/any.rs") && last.skipped.is_empty(), "{part:?}");
        }
    }
}
