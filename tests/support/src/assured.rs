//! What a test has covered, told so that `assurance/run` can write it down.

use std::fmt::Display;

/// Tells how much of something was covered.
#[expect(clippy::print_stdout, reason = "`assurance/run` reads it")]
pub fn assured(level: &str, what: impl Display, figures: impl Display) {
    // A line of its own, whatever the test harness has begun to print.
    println!("\nassured: {level} | {what} | {figures}");
}
