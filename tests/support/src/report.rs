//! Reports of a test's coverage, which `cargo xtask verify` records.

use std::fmt::Display;

/// Prints how much of `what` a test has covered, as one row of the report.
#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
pub fn report(level: &str, what: impl Display, figures: impl Display) {
    // The report starts its own line, because the test harness may have begun one.
    println!("\nreport: {level} | {what} | {figures}");
}
