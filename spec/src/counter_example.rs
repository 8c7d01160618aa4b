//! A difference between a cache and a reference, as a Rust test to paste.

use std::fmt::{self, Write as _};

use crate::level::Level;
use crate::operation::Operation;
use crate::panic_probe::Callback;
use crate::step::Divergence;

/// The operations that make a cache and a reference differ, none of which can be omitted.
///
/// A search that cannot go on, such as one that reaches its [limit](crate::Scope::max_states), shows the operations that lead
/// there, as a comment.
///
/// [`exhaustive`](crate::check::exhaustive()) returns it, and shows an example; so do the other levels of one thread.
#[derive(Clone)]
pub struct CounterExample(Box<Found>);

#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) level: Level,
    /// Code that creates the reference empty.
    pub(crate) reference: String,
    pub(crate) max_size: usize,
    pub(crate) operations: Vec<Operation<u8, u64>>,
    /// The callback that panics in the last operation, and the number of its call.
    pub(crate) panic: Option<(Callback, usize)>,
    /// Is `true` if keys or values leak without a panic.
    pub(crate) leaks: bool,
    pub(crate) note: Option<Note>,
    pub(crate) divergence: Divergence,
}

/// An explanation, if it is not the cache alone that is wrong.
#[derive(Clone, Copy)]
pub(crate) enum Note {
    /// The cache diverges, but the search could have missed that.
    Hidden(&'static str),
    /// The search cannot go on, although the cache does not diverge.
    Stopped(&'static str),
}

impl CounterExample {
    /// Returns the level that the cache fails.
    ///
    /// [`exhaustive`](crate::check::exhaustive()) shows an example.
    pub fn level(&self) -> Level {
        self.0.level
    }

    /// Returns the operations, to be applied in this order to an empty cache.
    ///
    /// [`exhaustive`](crate::check::exhaustive()) shows an example.
    pub fn operations(&self) -> &[Operation<u8, u64>] {
        &self.0.operations
    }

    /// Returns the difference after the last operation.
    ///
    /// [`exhaustive`](crate::check::exhaustive()) shows an example.
    pub fn divergence(&self) -> &Divergence {
        &self.0.divergence
    }
}

/// Formats a Rust test, to paste where `new` creates your cache, as for the level.
impl fmt::Display for CounterExample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { level, reference, max_size, operations, panic, leaks, note, divergence } = &*self.0;
        let (last, before) = match (&operations[..], panic) {
            ([before @ .., last], Some(panic)) => (Some((last, panic)), before),
            (all, _) => (None, all),
        };
        let name = if *level == Level::Dict { "dict" } else { "model" };
        let changes = if before.is_empty() { "" } else { "mut " };
        let mut body =
            format!("    let {changes}cache = new({max_size}); // yours, empty, with a bound of {max_size}\n");
        writeln!(body, "    let {changes}{name} = {reference};")?;
        let mut types = types(before);
        for operation in before {
            match level {
                Level::Dict => {
                    writeln!(body, "    dict.step(&mut cache, &Operation{types}::{operation:?}).unwrap();")?;
                }
                Level::Panics => writeln!(
                    body,
                    "    step(&mut cache, &mut model, &Operation{types}::{operation:?}.map(PanicProbe::new, PanicProbe::new)).unwrap();"
                )?,
                _ => writeln!(body, "    step(&mut cache, &mut model, &Operation{types}::{operation:?}).unwrap();")?,
            }
            types = "";
        }
        if let Some((operation, (callback, calls))) = last {
            writeln!(
                body,
                "    panic_step(cache, &model, &Operation::{operation:?}, Callback::{callback:?}, {calls}).unwrap();"
            )?;
        }
        if *leaks {
            writeln!(body, "    drop((cache, model));\n    assert_eq!(PanicProbe::<u8>::alive(), 0);")?;
        }
        writeln!(f, "// {level}: {divergence}")?;
        match note {
            Some(Note::Stopped(note)) => {
                writeln!(f, "// {note}")?;
                // As a test, they would pass.
                return operations.iter().try_for_each(|operation| writeln!(f, "// {operation:?}"));
            }
            Some(Note::Hidden(note)) => writeln!(f, "// {note}")?,
            None => {}
        }
        f.write_str(&test("the_cache_matches_the_model", &body))
    }
}

/// Returns the types that the first of these operations needs where a cache is generic.
///
/// Literals of a key and a value determine the types of both.
pub(crate) fn types<K, V>(operations: &[Operation<K, V>]) -> &'static str {
    let has_value = |operation: &Operation<K, V>| {
        matches!(operation, Operation::Insert(..) | Operation::GetOrInsert(..) | Operation::GetMut(..))
    };
    if operations.iter().any(has_value) { "" } else { "::<u8, u64>" }
}

/// Returns a Rust test with this body.
///
/// It imports its names itself, because the module that it is pasted into may have imported some of them.
pub(crate) fn test(name: &str, body: &str) -> String {
    format!("#[test]\nfn {name}() {{\n{}\n{body}}}\n", imports(body))
}

/// Returns the `use` lines of the names of this crate that occur in code.
fn imports(code: &str) -> String {
    const NAMES: [(&str, &[&str]); 5] = [
        ("::check", &["Callback", "Difference", "PanicProbe", "panic_step", "step"]),
        ("::concurrency", &["Call", "History", "Shared"]),
        ("::creation", &["Schedules", "Step"]),
        ("::model", &["Expiring", "follow"]),
        ("", &["Dict", "InsertionMode", "Model", "Operation", "Outcome", "Policy", "Refusal"]),
    ];
    let is_part = |letter: char| letter.is_alphanumeric() || "_:.".contains(letter);
    let begins = |name: &&str| {
        code.match_indices(name).any(|(start, _)| {
            let (before, after) = (&code[..start], &code[start + name.len()..]);
            !before.ends_with(is_part) && !after.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_')
        })
    };
    let line = |(module, names): (&str, &[&str])| {
        let used: Vec<_> = names.iter().copied().filter(begins).collect();
        match used[..] {
            [] => None,
            [name] => Some(format!("    use aws_client_cache_spec{module}::{name};\n")),
            _ => Some(format!("    use aws_client_cache_spec{module}::{{{}}};\n", used.join(", "))),
        }
    };
    NAMES.into_iter().filter_map(line).collect()
}

/// Formats like [`Display`](fmt::Display), so that `unwrap` prints the test.
impl fmt::Debug for CounterExample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for CounterExample {}

impl From<Found> for CounterExample {
    fn from(found: Found) -> Self {
        Self(Box::new(found))
    }
}
