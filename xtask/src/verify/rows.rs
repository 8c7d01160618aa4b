//! Reads the counts of checks from their logs.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::check::{Check, Kind};

/// One row of the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) check: String,
    pub(super) subject: String,
    pub(super) figures: String,
}

impl Row {
    pub(super) fn new(check: impl Into<String>, subject: impl Into<String>, figures: impl Into<String>) -> Self {
        Self { check: check.into(), subject: subject.into(), figures: figures.into() }
    }
}

/// Returns the rows of a check that has passed, by its log.
pub(super) fn of(check: &Check, log: &str) -> Vec<Row> {
    match check.kind {
        Kind::Tests => with_reports("tests", "unit and integration tests, examples of the documentation", log),
        Kind::Ignored => with_reports("long tests", "tests that are ignored by default", log),
        Kind::Coverage => coverage(log),
        Kind::Fuzz(_) => fuzzing(log)
            .map(|figures| Row::new("fuzzing, AddressSanitizer", format!("`{}`", check.name), figures))
            .into_iter()
            .collect(),
        Kind::Mutants => summary("hand-written mutants", "`tests/mutants`", log),
        Kind::GeneratedMutants(part) => summary("generated mutants", format!("`cargo mutants`, {part}"), log),
    }
}

/// Returns a row for the number of tests, and one for each report that a test has printed.
fn with_reports(check: &str, subject: &str, log: &str) -> Vec<Row> {
    let mut rows = vec![Row::new(check, subject, format!("{} passed, 0 failed", passed(log)))];
    rows.extend(reports(log));
    rows
}

/// Returns the number of tests that have passed.
fn passed(log: &str) -> u64 {
    let result = Regex::new(r"(?m)^test result: ok\. (\d+) passed").expect("a valid expression");
    result.captures_iter(log).filter_map(|found| found[1].parse::<u64>().ok()).sum()
}

/// Returns the distinct reports of tests, in alphabetical order.
fn reports(log: &str) -> impl Iterator<Item = Row> {
    // `tests/support/src` prints these lines.
    let report = Regex::new(r"(?m)^report: (.*)$").expect("a valid expression");
    let reports: BTreeSet<_> = report.captures_iter(log).map(|found| found[1].to_owned()).collect();
    reports.into_iter().filter_map(|report| {
        let mut cells = report.splitn(3, " | ");
        Some(Row::new(cells.next()?, cells.next()?, cells.next()?))
    })
}

/// Returns the number of executions of a fuzz target and of the seconds that they took.
pub(super) fn executions(log: &str) -> Option<(u64, u64)> {
    let done = Regex::new(r"(?m)^Done (\d+) runs in (\d+) second\(s\)").expect("a valid expression");
    let done = done.captures_iter(log).last()?;
    Some((done[1].parse().ok()?, done[2].parse().ok()?))
}

fn fuzzing(log: &str) -> Option<String> {
    let (executions, seconds) = executions(log)?;
    let edges = Regex::new(r"(?m)^#\d+\s+DONE\s+cov: (\d+)").expect("a valid expression");
    let edges = edges.captures_iter(log).last().map(|found| format!(", {} edges covered", &found[1]));
    Some(format!("{executions} executions in {seconds} s{}, no finding", edges.unwrap_or_default()))
}

/// Returns the covered lines and functions of each folder with code, by the table of cargo-llvm-cov.
fn coverage(log: &str) -> Vec<Row> {
    // Of functions, then of lines: the number, and how many of them are not covered.
    let mut folders = BTreeMap::<&str, [u64; 4]>::new();
    for line in log.lines() {
        let cells: Vec<_> = line.split_whitespace().collect();
        let [file, _, _, _, functions, no_functions, _, lines, no_lines, ..] = cells[..] else { continue };
        let numbers: Vec<u64> =
            [functions, no_functions, lines, no_lines].iter().filter_map(|cell| cell.parse().ok()).collect();
        if numbers.len() == 4 && file != "TOTAL" {
            // The table names the files of the crate by their paths in `src`.
            let sums = folders.entry(file.split_once('/').map_or("", |(folder, _)| folder)).or_default();
            sums.iter_mut().zip(&numbers).for_each(|(sum, number)| *sum += number);
        }
    }
    let row = |(folder, [functions, no_functions, lines, no_lines]): (&str, [u64; 4])| {
        let figures = format!(
            "{} of {lines} lines, {} of {functions} functions",
            lines.saturating_sub(no_lines),
            functions.saturating_sub(no_functions)
        );
        Row::new("coverage", format!("`src/{folder}`"), figures)
    };
    folders.into_iter().map(row).collect()
}

/// Returns the last line that is not blank, as a row.
fn summary(check: &str, subject: impl Into<String>, log: &str) -> Vec<Row> {
    let last = log.lines().rev().find(|line| !line.trim().is_empty());
    last.map(|line| Row::new(check, subject, line)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_summed_up_and_reports_follow_once_each() {
        let log = "running 2 tests\ntest a ... \nreport: L1 order | engine, Lru | 5 states\nok\n\
                   test result: ok. 2 passed; 0 failed\nreport: L0 dict | cache | 7 operations\n\
                   report: L1 order | engine, Lru | 5 states\ntest result: ok. 40 passed; 0 failed\n";
        let rows = with_reports("tests", "all", log);
        let expected = [
            ("tests", "all", "42 passed, 0 failed"),
            ("L0 dict", "cache", "7 operations"),
            ("L1 order", "engine, Lru", "5 states"),
        ];
        assert_eq!(rows, expected.map(|(check, subject, figures)| Row::new(check, subject, figures)));
    }

    #[test]
    fn fuzzing_is_counted_by_libfuzzer() {
        let log = "#10\tINITED cov: 3 ft: 4\n#20000\tDONE   cov: 1571 ft: 6017 corp: 679/57Kb\nDone 20000 runs in 601 second(s)\n";
        assert_eq!(executions(log), Some((20_000, 601)));
        assert_eq!(fuzzing(log).unwrap(), "20000 executions in 601 s, 1571 edges covered, no finding");
        assert_eq!(fuzzing("SUMMARY: libFuzzer: deadly signal\n"), None);
    }

    #[test]
    fn coverage_is_summed_up_by_folder() {
        // Lines of a real table.
        let log = "\
            Filename  Regions  Missed Regions  Cover  Functions  Missed Functions  Executed  Lines  Missed Lines  Cover  Branches  Missed Branches  Cover\n\
            ------------------------------\n\
            map/hasher.rs  20  9  55.00%  5  3  40.00%  15  9  40.00%  0  0  -\n\
            map/eviction/lfuda.rs  76  4  94.74%  13  1  92.31%  44  3  93.18%  0  0  -\n\
            error.rs  63  0  100.00%  7  0  100.00%  33  0  100.00%  0  0  -\n\
            TOTAL  10573  123  98.84%  1203  6  99.50%  5670  22  99.61%  0  0  -\n";
        let rows = [
            Row::new("coverage", "`src/`", "33 of 33 lines, 7 of 7 functions"),
            Row::new("coverage", "`src/map`", "47 of 59 lines, 14 of 18 functions"),
        ];
        assert_eq!(coverage(log), rows);
        assert_eq!(coverage("no table\n"), []);
    }

    #[test]
    fn mutants_are_summed_up_by_the_last_line() {
        let rows = summary("mutants", "all", "D1-a   every_state::b\n\n3 caught, 0 survived, 0 invalid\n\n");
        assert_eq!(rows, [Row::new("mutants", "all", "3 caught, 0 survived, 0 invalid")]);
    }
}
