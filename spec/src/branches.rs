//! Branch coverage of a run: how often each operation took each of its branches.

use std::fmt;

use crate::branch::{Before, Branch};
use crate::model::InsertionMode;
use crate::operation::{Operation, OperationKind, OperationKinds, Outcome};
use crate::reference::{Reference, follow};

/// The number of times that each [`Branch`] was taken.
///
/// A level counts compared operations only: not those that the cache does not have, nor those in which it declares a
/// [`Difference`](crate::check::Difference).
///
/// ```
/// use aws_client_cache_spec::check::{Branch, Branches};
/// use aws_client_cache_spec::{Model, Operation};
///
/// let mut branches = Branches::default();
/// let mut model = Model::lru(1);
/// branches.apply(&mut model, &Operation::Insert(1, 10));
/// branches.apply(&mut model, &Operation::Insert(2, 20));
/// assert_eq!(branches.count(Branch::InsertEvicts), 1);
/// assert_eq!(branches.operations(), 2);
/// assert!(branches.never().any(|branch| branch == Branch::Miss));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Branches {
    taken: [u64; Self::NUMBER],
    answered: OperationKinds,
    /// Is `true` if a predicate of [`Operation::Retain`] could keep some entries and not others.
    has_mixed_answers: bool,
    /// Is `true` if a reference was followed, which has an order, and not only a dict.
    ordered: bool,
    /// Is `true` for each insertion mode that a reference or dict had.
    insertions: [bool; InsertionMode::ALL.len()],
    /// Is `true` for each branch that only some references distinguish, if one of those was followed.
    own: [bool; Self::NUMBER],
}

/// Creates counts of 0.
impl Default for Branches {
    fn default() -> Self {
        let answered = OperationKinds::default();
        let (taken, insertions, own) = ([0; _], [false; _], [false; _]);
        Self { taken, answered, has_mixed_answers: false, ordered: false, insertions, own }
    }
}

impl Branches {
    /// One more than the number of the last branch.
    const NUMBER: usize = Branch::RetainNone as usize + 1;

    /// Applies an operation to a reference, and counts the branch that it takes.
    ///
    /// The type shows an example.
    pub fn apply<R: Reference<u8, u64>>(
        &mut self,
        reference: &mut R,
        operation: &Operation<u8, u64>,
    ) -> Outcome<u8, u64> {
        self.expect(reference);
        let before = reference.clone();
        let outcome = follow(reference, operation);
        self.add(&before, operation, &outcome, reference);
        outcome
    }

    /// Notes the branches that a reference can take.
    pub(crate) fn expect<R: Reference<u8, u64>>(&mut self, reference: &R) {
        self.ordered = true;
        self.expect_mode(InsertionMode::of(reference));
        for branch in reference.own_branches() {
            self.own[branch as usize] = true;
        }
    }

    /// Notes that present keys are inserted in a mode.
    pub(crate) fn expect_mode(&mut self, insertion: Option<InsertionMode>) {
        if let Some(insertion) = insertion {
            self.insertions[insertion as usize] = true;
        }
    }

    /// Counts the branch of an operation that led from one state of a reference to another.
    pub(crate) fn add<R: Reference<u8, u64>>(
        &mut self,
        before: &R,
        operation: &Operation<u8, u64>,
        outcome: &Outcome<u8, u64>,
        after: &R,
    ) {
        let (entries, expiry) = (before.entries(), |key| before.expiry(&key));
        let seen = Before { entries: &entries, max_size: before.bound(), now: before.now(), expiry: &expiry };
        let own = before.own_branches_of(operation, after);
        self.note(operation);
        self.taken[Branch::of(&seen, operation, outcome).or_special(&own) as usize] += 1;
        own.iter().filter(|own| Branch::OF_AGING.contains(own)).for_each(|own| self.taken[*own as usize] += 1);
    }

    /// Counts the branch of an operation of a dict without an order.
    pub(crate) fn add_without_order(
        &mut self,
        before: &Before<'_>,
        operation: &Operation<u8, u64>,
        outcome: &Outcome<u8, u64>,
    ) {
        self.note(operation);
        self.taken[Branch::of(before, operation, outcome).without_order() as usize] += 1;
    }

    /// Notes that an operation was compared.
    fn note(&mut self, operation: &Operation<u8, u64>) {
        self.answered.insert(operation.kind());
        self.has_mixed_answers |= matches!(operation, Operation::Retain(1..=0xFE));
    }

    /// Returns the kinds of the compared operations.
    ///
    /// [`OperationKinds`] shows an example.
    pub fn answered(&self) -> OperationKinds {
        self.answered
    }

    /// Returns the number of times that a branch was taken.
    ///
    /// The type shows an example.
    pub fn count(&self, branch: Branch) -> u64 {
        self.taken[branch as usize]
    }

    /// Returns the number of operations.
    ///
    /// The type shows an example.
    pub fn operations(&self) -> u64 {
        let exclusive = Branch::ALL.into_iter().chain(Branch::OF_EXPIRY).chain(Branch::OF_INSERTION);
        let exclusive = exclusive.chain(Branch::OF_RETAIN);
        exclusive.map(|branch| self.count(branch)).sum()
    }

    /// Returns the branches that can be taken.
    ///
    /// Those [of order](Branch::OF_ORDER) are included only if a reference was followed, and not a dict; some of them,
    /// and those [of aging](Branch::OF_AGING), only if the reference distinguishes them. Of those
    /// [of insertion](Branch::OF_INSERTION) and [`Branch::InsertRefused`], those of each mode that occurred are. Those
    /// [of expiry](Branch::OF_EXPIRY) are included only if one of them was taken. Those
    /// [of retaining](Branch::OF_RETAIN) are included only if the cache has the operation, and [`Branch::RetainSome`]
    /// only if its predicate gave mixed answers.
    ///
    /// ```
    /// # use aws_client_cache_spec::check::{Branch, Branches};
    /// # use aws_client_cache_spec::{Model, Operation};
    /// let mut branches = Branches::default();
    /// branches.apply(&mut Model::lfu(1), &Operation::Clear);
    /// assert_eq!(branches.all().count(), Branch::ALL.len());
    /// branches.apply(&mut Model::lfuda(1), &Operation::Clear);
    /// assert_eq!(branches.all().count(), Branch::ALL.len() + Branch::OF_AGING.len());
    /// ```
    pub fn all(&self) -> impl Iterator<Item = Branch> {
        let this = *self;
        let expires = Branch::OF_EXPIRY.into_iter().any(|branch| this.count(branch) > 0);
        let retains = this.answered.contains(OperationKind::Retain);
        let any_mode = this.insertions.contains(&true);
        let is_of_mode = move |branch: Branch| {
            let is_there = |mode| this.insertions[mode as usize] || (!any_mode && mode == InsertionMode::Refuse);
            branch.insertion().is_none_or(is_there)
        };
        let is_possible = move |branch: &Branch| match branch {
            Branch::InsertEvictsTied | Branch::HitSaturated => this.own[*branch as usize],
            Branch::HitNextVictim | Branch::RemoveNextVictim | Branch::InsertReplacesNextVictim => {
                this.ordered && is_of_mode(*branch)
            }
            Branch::RetainSome => this.has_mixed_answers,
            branch if Branch::OF_RETAIN.contains(branch) => retains,
            branch if Branch::OF_EXPIRY.contains(branch) => expires,
            branch if Branch::OF_AGING.contains(branch) => this.own[*branch as usize],
            branch => is_of_mode(*branch),
        };
        let all = Branch::ALL.into_iter().chain(Branch::OF_INSERTION).chain(Branch::OF_EXPIRY).chain(Branch::OF_AGING);
        let all = all.chain(Branch::OF_RETAIN);
        all.filter(is_possible)
    }

    /// Returns the branches of [all](Self::all) that were never taken.
    ///
    /// The type shows an example.
    pub fn never(&self) -> impl Iterator<Item = Branch> {
        self.all().filter(|branch| self.count(*branch) == 0)
    }
}

impl std::ops::AddAssign for Branches {
    fn add_assign(&mut self, other: Self) {
        self.taken.iter_mut().zip(other.taken).for_each(|(count, more)| *count += more);
        self.answered |= other.answered;
        self.has_mixed_answers |= other.has_mixed_answers;
        self.ordered |= other.ordered;
        self.insertions.iter_mut().zip(other.insertions).for_each(|(mode, more)| *mode |= more);
        self.own.iter_mut().zip(other.own).for_each(|(own, more)| *own |= more);
    }
}

/// Formats the branches that were taken, by name.
impl fmt::Debug for Branches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = self.all().filter(|branch| self.count(*branch) > 0);
        f.debug_map().entries(taken.map(|branch| (branch, self.count(branch)))).finish()
    }
}

/// A line for each branch.
///
/// Of those [of insertion](Branch::OF_INSERTION), [of expiry](Branch::OF_EXPIRY) and [of aging](Branch::OF_AGING), there
/// is one for each that was taken.
impl fmt::Display for Branches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others = Branch::OF_INSERTION.into_iter().chain(Branch::OF_EXPIRY).chain(Branch::OF_AGING);
        let others = others.chain(Branch::OF_RETAIN);
        let others = others.filter(|branch| self.count(*branch) > 0);
        Branch::ALL.into_iter().chain(others).try_for_each(|branch| {
            let name = format!("{branch:?}");
            writeln!(f, "{name:<24}{:>10}", self.count(branch))
        })
    }
}
