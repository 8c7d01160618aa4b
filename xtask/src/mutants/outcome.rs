//! Reads from the log of a test run which test caught a mutant.

use regex::Regex;

/// Returns the test or the signal that has failed, or `None` if the log shows neither.
pub(super) fn caught_by(log: &str) -> Option<String> {
    let test = Regex::new(r"(?m)^test (.*) \.\.\. FAILED$|^(error\[E\d+\])").expect("a valid expression");
    let signal = Regex::new(r"\(signal: (\d+), ").expect("a valid expression");
    if let Some(found) = test.captures(log) {
        let compiler = || format!("the compiler, in a test: {}", &found[2]);
        return Some(found.get(1).map_or_else(compiler, |name| name.as_str().to_owned()));
    }
    signal.captures(log).map(|found| format!("a test that aborts: signal {}", &found[1]))
}

/// Returns `true` if the log says that a library other than that of the tests does not compile.
///
/// Then the tests do not detect the mutant.
pub(super) fn library_is_broken(log: &str) -> bool {
    let of_a_library = |line: &&str| line.starts_with("error: could not compile `") && line.contains("` (lib) due to");
    log.lines().filter(of_a_library).any(|line| !line.contains("-test-support`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_test_that_fails_catches() {
        let log = "test a ... ok\ntest map::b ... FAILED\ntest c ... FAILED\n";
        assert_eq!(caught_by(log).unwrap(), "map::b");
    }

    #[test]
    fn a_test_that_does_not_compile_catches() {
        let log =
            "error[E0308]: mismatched types\nerror: could not compile `a` (test \"laws\") due to 1 previous error\n";
        assert_eq!(caught_by(log).unwrap(), "the compiler, in a test: error[E0308]");
        assert!(!library_is_broken(log));
    }

    #[test]
    fn a_test_that_aborts_catches() {
        let log = "test a ... error: test failed\n  process didn't exit successfully: `x` (signal: 6, SIGABRT)\n";
        assert_eq!(caught_by(log).unwrap(), "a test that aborts: signal 6");
    }

    #[test]
    fn a_log_without_a_failure_catches_nothing() {
        assert_eq!(caught_by("test a ... ok\nerror: no such command\n"), None);
    }

    #[test]
    fn a_library_that_does_not_compile_is_told_from_a_test() {
        assert!(library_is_broken("error: could not compile `aws-client-cache` (lib) due to 2 previous errors\n"));
        assert!(!library_is_broken("error: could not compile `aws-client-cache` (lib test) due to 1 previous error\n"));
        let support = "error: could not compile `aws-client-cache-test-support` (lib) due to 1 previous error\n";
        assert!(!library_is_broken(support));
    }
}
