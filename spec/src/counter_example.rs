//! A difference between a cache and the model, as a Rust test to paste.

use std::fmt;

use crate::expiry::calls;
use crate::fused::Callback;
use crate::level::Level;
use crate::model::{EvictionPolicy, InsertionMode};
use crate::operation::Operation;
use crate::step::Divergence;

/// The operations that make a cache and the model differ, none of which can be omitted.
///
/// [`closure`](crate::closure()) returns it, and shows an example; so do the other levels of one thread.
#[derive(Clone)]
pub struct CounterExample(Box<Found>);

#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) level: Level,
    pub(crate) policy: EvictionPolicy,
    pub(crate) insertion: InsertionMode,
    pub(crate) max_size: usize,
    pub(crate) max_uses: u64,
    pub(crate) expiry: &'static [(u8, u64)],
    pub(crate) operations: Vec<Operation<u8, u64>>,
    /// The callback that panics in the last operation, and the number of its call.
    pub(crate) panic: Option<(Callback, usize)>,
    /// An explanation, if it is not the cache that is wrong.
    pub(crate) note: Option<&'static str>,
    pub(crate) divergence: Divergence,
}

impl Found {
    /// Returns the expiries of the keys in the operations; other expiries have no effect.
    fn expiry_of_what_occurs(&self) -> Vec<(u8, u64)> {
        let occurs = |key: u8| self.operations.iter().any(|operation| operation.key() == Some(&key));
        self.expiry.iter().copied().filter(|(key, _)| occurs(*key)).collect()
    }
}

impl CounterExample {
    /// Returns the level that the cache fails.
    ///
    /// [`closure`](crate::closure()) shows an example.
    pub fn level(&self) -> Level {
        self.0.level
    }

    /// Returns the operations, to be applied in this order to an empty cache.
    ///
    /// [`closure`](crate::closure()) shows an example.
    pub fn operations(&self) -> &[Operation<u8, u64>] {
        &self.0.operations
    }

    /// Returns the difference after the last operation.
    ///
    /// [`closure`](crate::closure()) shows an example.
    pub fn divergence(&self) -> &Divergence {
        &self.0.divergence
    }
}

/// Formats a Rust test, to paste where `new` creates your cache, as for the level.
impl fmt::Display for CounterExample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { level, policy, insertion, max_size, max_uses, operations, panic, note, divergence, .. } = &*self.0;
        let expiry = self.0.expiry_of_what_occurs();
        let reference = match level {
            Level::Dict => format!("Dict::new({max_size})"),
            _ if *max_uses == u64::MAX => format!("Model::new(EvictionPolicy::{policy:?}, {max_size})"),
            _ => format!("Model::with_max_uses(EvictionPolicy::{policy:?}, {max_size}, {max_uses})"),
        };
        let reference = reference
            + &insertion.call()
            + &calls(&expiry, |key| match level {
                Level::Panics => format!("Fused::new({key})"),
                _ => key.to_string(),
            });
        let (last, before) = match (&operations[..], panic) {
            ([before @ .., last], Some(panic)) => (Some((last, panic)), before),
            (all, _) => (None, all),
        };
        let uses_fused = *level == Level::Panics && (!before.is_empty() || !expiry.is_empty());
        let used = [
            ("Callback", last.is_some()),
            ("Dict", *level == Level::Dict),
            ("EvictionPolicy", *level != Level::Dict),
            ("Fused", uses_fused),
            ("InsertionMode", *insertion != InsertionMode::default()),
            ("Model", *level != Level::Dict),
            ("Operation", true),
            ("panic_step", last.is_some()),
            ("step", *level != Level::Dict && !before.is_empty()),
        ];
        let used: Vec<_> = used.into_iter().filter_map(|(name, is_used)| is_used.then_some(name)).collect();
        writeln!(f, "// {level}: {divergence}")?;
        if let Some(note) = note {
            writeln!(f, "// {note}")?;
        }
        writeln!(f, "use aws_client_cache_spec::{{{}}};\n", used.join(", "))?;
        writeln!(f, "#[test]\nfn the_cache_matches_the_model() {{")?;
        let name = if *level == Level::Dict { "dict" } else { "model" };
        let also = if *max_uses == u64::MAX { String::new() } else { format!(", with counts up to {max_uses}") };
        let expires = if expiry.is_empty() { String::new() } else { format!(", with the expiries {expiry:?}") };
        let changes = if before.is_empty() { "" } else { "mut " };
        writeln!(
            f,
            "    let {changes}cache = new({max_size}); // yours, empty, with a bound of {max_size}{also}{expires}"
        )?;
        writeln!(f, "    let {changes}{name} = {reference};")?;
        for operation in before {
            match level {
                Level::Dict => writeln!(f, "    dict.step(&mut cache, &Operation::{operation:?}).unwrap();")?,
                Level::Panics => writeln!(
                    f,
                    "    step(&mut cache, &mut model, &Operation::{operation:?}.map(Fused::new, Fused::new)).unwrap();"
                )?,
                _ => writeln!(f, "    step(&mut cache, &mut model, &Operation::{operation:?}).unwrap();")?,
            }
        }
        if let Some((operation, (callback, calls))) = last {
            writeln!(
                f,
                "    panic_step(cache, &model, &Operation::{operation:?}, Callback::{callback:?}, {calls}).unwrap();"
            )?;
        }
        writeln!(f, "}}")
    }
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
