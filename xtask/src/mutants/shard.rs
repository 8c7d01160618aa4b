//! A part of the source files, about as large as the other parts.

use std::str::FromStr;

/// One of several equal parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    index: usize,
    of: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((index, of)) if index < of => Ok(Self { index, of }),
            _ => Err("expected INDEX/COUNT, with INDEX from 0 to COUNT - 1".to_owned()),
        }
    }
}

impl Shard {
    /// Returns a name for a folder.
    pub(super) fn name(self) -> String {
        format!("{}-of-{}", self.index, self.of)
    }

    /// Returns the files of this part, of all files with their sizes. Every file is in one part.
    ///
    /// A part consists of whole files. cargo-mutants would divide the mutants, but only those that were not caught
    /// before. A resumed run would then have other parts.
    pub(super) fn files(self, mut files: Vec<(String, u64)>) -> Vec<String> {
        files.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        let mut sizes = vec![0; self.of];
        let mut selected = Vec::new();
        for (file, size) in files {
            let smallest = (0..self.of).min_by_key(|part| sizes[*part]).unwrap_or(0);
            sizes[smallest] += size;
            if smallest == self.index {
                selected.push(file);
            }
        }
        selected.sort();
        selected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_an_index_below_a_count() {
        assert_eq!("3/4".parse(), Ok(Shard { index: 3, of: 4 }));
        for invalid in ["4/4", "1", "a/2", "0/0", "-1/2"] {
            assert!(invalid.parse::<Shard>().is_err(), "{invalid}");
        }
    }

    #[test]
    fn every_file_is_in_one_part_and_parts_are_of_one_size() {
        let files = [50, 30, 30, 10, 10, 10, 10].into_iter().enumerate();
        let files: Vec<_> = files.map(|(number, size)| (format!("{number}.rs"), size)).collect();
        let parts = [0, 1, 2].map(|index| Shard { index, of: 3 }.files(files.clone()));
        assert_eq!(parts[0], ["0.rs"]);
        assert_eq!(parts[1], ["1.rs", "3.rs", "5.rs"]);
        assert_eq!(parts[2], ["2.rs", "4.rs", "6.rs"]);
    }
}
