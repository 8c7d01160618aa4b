//! `cargo xtask bench`: measures the engine and the cache against their peers.

mod counting;
mod instructions;
mod results;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::project::Project;
use crate::{Verdict, process};

/// The paths that a measurement depends on.
const INPUTS: [&str; 4] = ["src", "benches/src", "benches/benches", "Cargo.lock"];

/// Measure the engine and the cache against their peers, and write benches/RESULTS.md and its plot.
///
/// All parts take some thirty minutes, plus the time to compile. Use an otherwise idle machine: other load distorts
/// times more than ratios. The instructions need valgrind and gungraun-runner.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Only these parts; `counting` is a separate check, and not part of the page
    #[arg(value_name = "PART")]
    parts: Vec<Part>,

    /// Measure nothing; write the page from the last measurements
    #[arg(long, conflicts_with = "parts")]
    report: bool,

    /// The number of seeds of the times: more of them take longer, and differ less from run to run
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
}

/// A part of the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Bytes per entry
    Memory,
    /// Instructions per operation
    Instructions,
    /// Times, as ratios
    Compare,
    /// Times, by the number of entries
    Growth,
    /// Instructions of a hit with statistics and without; fails if they cost more than 3 %
    Counting,
}

impl Part {
    /// The parts that the page shows.
    const PAGE: [Self; 4] = [Self::Memory, Self::Instructions, Self::Compare, Self::Growth];

    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Instructions => "instructions",
            Self::Compare => "compare",
            Self::Growth => "growth",
            Self::Counting => "counting",
        }
    }
}

/// The latest measurements.
struct Measured {
    folder: PathBuf,
}

impl Measured {
    fn read(&self, name: &str) -> Result<String> {
        let path = self.folder.join(name);
        fs::read_to_string(&path).with_context(|| format!("{name} was not measured: no {}", path.display()))
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.folder.join(name), text)?)
    }
}

/// Runs the command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<Verdict> {
    let measured = Measured { folder: project.target().join("results") };
    fs::create_dir_all(&measured.folder)?;
    let mut verdict = Verdict::Passed;
    let parts = if arguments.parts.is_empty() { &Part::PAGE[..] } else { &arguments.parts };
    if !arguments.report {
        project.require_committed(&INPUTS)?;
        for part in parts {
            println!("{} runs", part.name());
            if *part == Part::Counting {
                verdict = counting::run(project)?;
            } else {
                measured.write(part.name(), &measure(project, *part, arguments.seeds)?)?;
                measured.write(&format!("{}.tree", part.name()), &source_tree(project)?)?;
                measured.write("machine", &results::machine())?;
                if *part == Part::Compare {
                    measured.write("seeds", &arguments.seeds.to_string())?;
                }
            }
        }
        if parts.iter().all(|part| *part == Part::Counting) {
            return Ok(verdict);
        }
    }
    let page = results::page(project, &measured)?;
    fs::write(project.root().join("benches/RESULTS.md"), page)?;
    Ok(verdict)
}

/// Returns the hash of the tree `src`.
fn source_tree(project: &Project) -> Result<String> {
    Ok(process::read(project.git(["rev-parse", "HEAD:src"]))?.trim().to_owned())
}

/// Runs a part, and returns the table that it prints.
fn measure(project: &Project, part: Part, seeds: u64) -> Result<String> {
    if part == Part::Instructions {
        let counts = instructions::count(project.root(), project.target())?;
        return Ok(instructions::table(&counts));
    }
    let mut build = project.cargo(["build", "--release", "--package", "aws-client-cache-benches"]);
    build.args(["--features", "clients", "--bin", part.name()]);
    process::run(build)?;
    let program = project.target().join("release").join(part.name()).with_extension(std::env::consts::EXE_EXTENSION);
    let mut program = std::process::Command::new(program);
    if part == Part::Growth {
        program.args(["--plot", "benches/growth.svg"]);
    }
    if part == Part::Compare {
        program.args(["--seeds", &seeds.to_string()]);
    }
    program.current_dir(project.root());
    process::read(program)
}
