//! The page of evidence: written from rows, and read again to compare its trees.

use super::check::Check;
use super::rows::Row;

/// The number of digits of a tree's hash on the page.
const DIGITS: usize = 12;

const HEAD: &str = "\
# Verification

`cargo xtask verify` generates this page; do not edit it. The checks themselves count the figures.

The tree of a row is a hash of all files that its result depends on: for most checks the code, the kit, the tests and the
manifests. `cargo xtask verify --check` compares these hashes with those of your last commit. A check that has not passed on
this tree has no row. The command of a row runs its check again.

| check | subject | result | tree | command |
|---|---|---|---|---|
";

/// A row of the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) tree: String,
    pub(super) command: String,
}

impl Line {
    /// Returns `true` if the row was recorded by a check on a tree.
    pub(super) fn is_of(&self, check: &Check, tree: &str) -> bool {
        self.command == check.rerun && self.tree == shortened(tree)
    }
}

/// Returns the digits of a tree's hash that the page shows.
fn shortened(tree: &str) -> &str {
    tree.get(..DIGITS).unwrap_or(tree)
}

/// Returns the line for a row.
pub(super) fn line(row: &Row, check: &Check, tree: &str) -> String {
    let cells = [&row.check, &row.subject, &row.figures].map(|cell| cell.replace('|', "\\|")).join(" | ");
    format!("| {cells} | `{}` | `{}` |\n", shortened(tree), check.rerun)
}

/// Returns the page with these lines.
pub(super) fn write(lines: &[String]) -> String {
    HEAD.to_owned() + &lines.concat()
}

/// Returns the lines that a check recorded on a tree.
pub(super) fn of(page: &str, check: &Check, tree: &str) -> Vec<String> {
    let lines = page.split_inclusive('\n');
    lines.filter(|line| read(line).iter().any(|row| row.is_of(check, tree))).map(str::to_owned).collect()
}

/// Returns the rows of a page.
pub(super) fn read(page: &str) -> Vec<Line> {
    let row = |text: &str| {
        let mut cells = text.strip_prefix("| ")?.strip_suffix(" |")?.rsplitn(3, " | ");
        let (command, tree) = (cells.next()?, cells.next()?);
        let unquoted = |cell: &str| Some(cell.strip_prefix('`')?.strip_suffix('`')?.to_owned());
        Some(Line { text: cells.next()?.to_owned(), tree: unquoted(tree)?, command: unquoted(command)? })
    };
    page.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;
    use crate::project::Project;

    #[test]
    fn rows_are_read_as_they_were_written_and_headings_are_none() {
        let line = "| L1 order | engine `a` | 5 states | `0123456789ab` | `cargo test --workspace -- --nocapture` |\n";
        let rows = read(&write(&[line.to_owned()]));
        let command = "cargo test --workspace -- --nocapture".to_owned();
        let text = "L1 order | engine `a` | 5 states".to_owned();
        assert_eq!(rows, [Line { text, tree: "0123456789ab".to_owned(), command }]);
        assert!(read(HEAD).is_empty());
    }

    #[test]
    fn the_rows_of_a_check_on_a_tree_are_kept_as_they_are() {
        let project = Project::open().unwrap();
        let checks = check::all(&project, 1).unwrap();
        let row = |check: &Check, tree| line(&Row::new("a", "b|c", "1 passed"), check, tree);
        let (kept, of_another_tree) = (row(&checks[0], "0123456789abcdef"), row(&checks[0], "3210456789abcdef"));
        let page = write(&[kept.clone(), of_another_tree, row(&checks[1], "0123456789abcdef")]);
        assert_eq!(of(&page, &checks[0], "0123456789abffff"), [kept]);
        assert!(of("", &checks[0], "0123456789abcdef").is_empty());
    }
}
