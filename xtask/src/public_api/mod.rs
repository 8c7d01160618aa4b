//! `cargo xtask public-api`: lists the public items of the published crates.

mod surface;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;

use crate::project::Project;
use crate::{Verdict, process};

/// The folder of the lists.
const FOLDER: &str = "tests/public-api";

/// The published crates and their folders.
const PACKAGES: [(&str, &str); 2] = [("aws-client-cache", "."), ("aws-client-cache-spec", "spec")];

/// List the public items of the published crates in tests/public-api.
///
/// The lists cover all features except the `__` ones. The command fails if an item names a type of a foreign crate,
/// other than the standard library and the AWS SDK: a major release of that crate would require one of ours. It needs a
/// nightly Rust and cargo-public-api.
///
/// Exit status: 1 if a foreign type or, with --check, a difference is found, 2 if the command could not do its work.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Compare the code with the lists, and show the difference, instead of writing them
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<Verdict> {
    let mut passed = true;
    let folder = project.target().join("public-api");
    fs::create_dir_all(&folder)?;
    for (package, path) in PACKAGES {
        let manifest = fs::read_to_string(project.root().join(path).join("Cargo.toml"))?;
        let manifest = surface::Manifest::parse(&manifest)?;
        let surface = read_surface(project, package, &manifest)?;
        let mut sources = Vec::new();
        read_sources(&project.root().join(path).join("src"), &mut sources)?;
        let foreign = surface::foreign(&surface, &manifest, &sources);
        if !foreign.is_empty() {
            println!("{package} shows types of: {}", foreign.into_iter().collect::<Vec<_>>().join(" "));
            passed = false;
        }
        let listed = project.root().join(FOLDER).join(package).with_extension("txt");
        if !arguments.check {
            fs::write(&listed, surface)?;
            continue;
        }
        let current = folder.join(package).with_extension("txt");
        fs::write(&current, surface)?;
        let mut difference = project.git(["diff", "--no-index", "--exit-code"]);
        let difference = difference.arg(&listed).arg(&current).status().context("cannot start git")?;
        if !difference.success() {
            println!("{package} differs from {FOLDER}/{package}.txt; `cargo xtask public-api` updates the list");
            passed = false;
        }
    }
    Ok(Verdict::of(passed))
}

/// Returns the public items of a package.
fn read_surface(project: &Project, package: &str, manifest: &surface::Manifest) -> Result<String> {
    let features = manifest.public_features().join(",");
    let arguments = ["+nightly", "public-api", "-s", "--color", "never", "--package", package, "--no-default-features"];
    let mut command = project.cargo(arguments);
    command.args(["--features", &features]);
    Ok(surface::stable(&process::read(command)?))
}

/// Adds the texts of the files in a folder, and in those below it.
fn read_sources(folder: &Path, sources: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_sources(&path, sources)?;
        } else {
            sources.push(fs::read_to_string(path)?);
        }
    }
    Ok(())
}
