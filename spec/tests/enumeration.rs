//! The counts of the exhaustive search, compared with an independent enumeration of sequences.
//!
//! The enumeration shares no code with the search. It applies every operation to the model alone, and compares whole models. It knows neither fingerprints
//! nor names of keys, and finds out by replaying permuted sequences which states differ only by the names of keys.

use std::collections::{BTreeSet, HashMap, HashSet};

use aws_client_cache_spec::check::{exhaustive, exhaustive_to_depth};
use aws_client_cache_spec::model::Expiring;
use aws_client_cache_spec::{InsertionMode, Model, Operation, Outcome, Policy, Scope as Limits, SystemUnderTest};

/// A model without values, which no behavior depends on.
type Plain = Expiring<u8, Model<u8, ()>>;

/// The limits of a search, and the rules of the model in it.
#[derive(Clone, Copy, Debug)]
struct Scope {
    policy: Policy,
    insertion: InsertionMode,
    max_uses: u64,
    expiry: &'static [(u8, u64)],
    max_size: u8,
    keys: u8,
    symmetric: bool,
    depth: usize,
}

impl Scope {
    fn new(policy: Policy, max_size: u8, keys: u8) -> Self {
        let max_uses = if policy == Policy::Lru { 1 } else { 3 };
        let insertion = InsertionMode::Refuse;
        Self { policy, insertion, max_uses, expiry: &[], max_size, keys, symmetric: false, depth: usize::MAX }
    }

    fn limits(self) -> Limits {
        let Self { symmetric, depth, .. } = self;
        Limits { symmetric, depth, ..Limits::new(self.max_size, self.keys) }
    }

    fn model<V>(self, max_size: usize) -> Expiring<u8, Model<u8, V>> {
        let model = Model::with_max_uses(self.policy, max_size, self.max_uses).with_insertion(self.insertion);
        self.expiry.iter().fold(Expiring::new(model), |model, (key, at)| model.with_expiry(*key, *at))
    }
}

fn empty(scope: Scope) -> Plain {
    scope.model(scope.max_size.into())
}

/// Returns every operation with every argument.
fn alphabet(scope: Scope) -> Vec<Operation<u8, ()>> {
    let mut all = vec![Operation::Pop, Operation::Clear, Operation::Copy, Operation::Items];
    for key in 0..scope.keys {
        all.extend([Operation::Insert(key, ()), Operation::Get(key), Operation::TryGet(key)]);
        all.extend([Operation::Peek(key), Operation::ContainsKey(key), Operation::Remove(key)]);
        all.extend([Operation::GetOrInsert(key, ()), Operation::GetMut(key, ())]);
    }
    all.push(Operation::NextVictim);
    for ends in [0b0000_0000, 0b0000_0110, 0b1111_1111] {
        all.extend([Operation::Iterate(ends), Operation::Drain(ends)]);
    }
    // In groups of as many entries as the bound allows, each entry is kept or rejected.
    let answers = match scope.max_size {
        0 => vec![0b0000_0000],
        1 => vec![0b0000_0000, 0b1111_1111],
        2 => vec![0b0000_0000, 0b0101_0101, 0b1010_1010, 0b1111_1111],
        3 => {
            vec![0b0000_0000, 0b0100_1001, 0b1001_0010, 0b0010_0100, 0b1101_1011, 0b1011_0110, 0b0110_1101, 0b1111_1111]
        }
        _ => (0..16).map(|half| half << 4 | half).collect(),
    };
    all.extend(answers.into_iter().map(Operation::Retain));
    all.extend((0..=scope.max_size).map(|max_size| Operation::SetMaxSize(max_size.into())));
    if !scope.expiry.is_empty() {
        all.push(Operation::RemoveExpired);
        let around = scope.expiry.iter().flat_map(|(_, at)| [at - 1, *at, at + 1]);
        all.extend(around.chain([0]).collect::<BTreeSet<_>>().into_iter().map(Operation::SetTime));
    }
    all
}

/// Adds all models that sequences of up to `depth` more operations lead to. It remembers nothing.
fn every_sequence(model: &Plain, alphabet: &[Operation<u8, ()>], depth: usize, models: &mut HashSet<Plain>) {
    models.insert(model.clone());
    for operation in alphabet.iter().filter(|_| depth > 0) {
        let mut after = model.clone();
        operation.apply(&mut after);
        every_sequence(&after, alphabet, depth - 1, models);
    }
}

/// All states of a scope.
struct Enumerated {
    scope: Scope,
    alphabet: Vec<Operation<u8, ()>>,
    models: Vec<Plain>,
    /// A shortest sequence that leads to each model.
    sequences: Vec<Vec<Operation<u8, ()>>>,
    indices: HashMap<Plain, usize>,
}

impl Enumerated {
    /// Applies all operations to all models that sequences of one length lead to, until no model is new.
    fn new(scope: Scope) -> Self {
        let first = empty(scope);
        let (indices, alphabet) = (HashMap::from([(first.clone(), 0)]), alphabet(scope));
        let mut all = Self { scope, alphabet, models: vec![first], sequences: vec![Vec::new()], indices };
        let mut of_length = vec![0];
        while !of_length.is_empty() && all.sequences[of_length[0]].len() < scope.depth {
            let mut longer = Vec::new();
            for (state, operation) in
                of_length.iter().flat_map(|state| (0..all.alphabet.len()).map(move |op| (*state, op)))
            {
                let mut model = all.models[state].clone();
                all.alphabet[operation].apply(&mut model);
                if !all.indices.contains_key(&model) {
                    let index = all.models.len();
                    longer.push(index);
                    all.indices.insert(model.clone(), index);
                    all.models.push(model);
                    let last = all.alphabet[operation].clone();
                    all.sequences.push(all.sequences[state].iter().cloned().chain([last]).collect());
                }
            }
            of_length = longer;
        }
        all
    }

    /// Returns the numbers of states and of transitions.
    ///
    /// A transition is an operation in a state from which the search goes on.
    fn counts(&self) -> (usize, usize) {
        let open = self.sequences.iter().filter(|sequence| sequence.len() < self.scope.depth).count();
        (self.models.len(), open * self.alphabet.len())
    }

    /// Returns the same numbers, of states and transitions that differ by more than the names of keys.
    fn counts_up_to_names(&self) -> (usize, usize) {
        let expiry = |key: u8| self.scope.expiry.iter().find(|(expiring, _)| *expiring == key).map(|(_, at)| *at);
        let all: Vec<u8> = (0..self.scope.keys).collect();
        let keeps_expiry = |names: &Vec<u8>| all.iter().all(|key| expiry(*key) == expiry(names[usize::from(*key)]));
        let permutations: Vec<_> = permutations(&all).into_iter().filter(keeps_expiry).collect();
        let (mut states, mut transitions) = (HashSet::new(), HashSet::new());
        for sequence in self.sequences.iter().filter(|sequence| sequence.len() < self.scope.depth) {
            // The transition of each operation is represented by the least of its images under all permutations.
            let images = permutations.iter().map(|names| {
                let rename =
                    |operation: &Operation<u8, ()>| operation.clone().map(|key| names[usize::from(key)], |()| ());
                let mut model = empty(self.scope);
                for operation in sequence {
                    rename(operation).apply(&mut model);
                }
                let position = |operation| self.alphabet.iter().position(|other| *other == rename(operation)).unwrap();
                (self.indices[&model], self.alphabet.iter().map(position).collect::<Vec<_>>())
            });
            let images: Vec<_> = images.collect();
            states.insert(images.iter().map(|(state, _)| *state).min());
            let image = |place: usize| images.iter().map(move |(state, operations)| (*state, operations[place])).min();
            transitions.extend((0..self.alphabet.len()).map(image));
        }
        (states.len(), transitions.len())
    }

    /// Returns the number of states that differ in behavior: in what a sequence of operations returns.
    fn behaviors(&self) -> usize {
        let step = |state: usize| {
            self.alphabet.iter().map(move |operation| {
                let mut after = self.models[state].clone();
                let outcome = operation.apply(&mut after);
                (outcome, self.indices[&after])
            })
        };
        let steps: Vec<Vec<(Outcome<u8, ()>, usize)>> =
            (0..self.models.len()).map(|state| step(state).collect()).collect();
        let mut classes: Vec<usize> = vec![0; self.models.len()];
        let mut number = 1;
        loop {
            // States stay together if all operations return the same and lead to states that are together.
            let mut known = HashMap::new();
            classes = (0..self.models.len())
                .map(|state| {
                    let model = &self.models[state];
                    let next: Vec<_> = steps[state].iter().map(|(outcome, after)| (outcome, classes[*after])).collect();
                    let numbered = known.len();
                    *known.entry((classes[state], model.max_size(), next)).or_insert(numbered)
                })
                .collect();
            if known.len() == number {
                return number;
            }
            number = known.len();
        }
    }
}

fn permutations(keys: &[u8]) -> Vec<Vec<u8>> {
    if keys.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (place, first) in keys.iter().enumerate() {
        let others = [&keys[..place], &keys[place + 1..]].concat();
        all.extend(permutations(&others).into_iter().map(|rest| [vec![*first], rest].concat()));
    }
    all
}

/// Returns the states and transitions that the kit counts.
fn searched(scope: Scope) -> (usize, usize) {
    let new = |max_size| scope.model(max_size);
    let covered = exhaustive(scope.limits(), new, new).unwrap_or_else(|found| panic!("{found}"));
    let kinds: HashSet<_> = alphabet(scope).iter().map(Operation::kind).filter(|_| scope.depth > 0).collect();
    assert_eq!(covered.answered.iter().collect::<HashSet<_>>(), kinds, "{scope:?}");
    (covered.states, covered.transitions)
}

/// Returns scopes of all policies and insertion modes.
fn scopes(max_size: u8, keys: u8) -> impl Iterator<Item = Scope> {
    let modes = |policy| InsertionMode::ALL.into_iter().map(move |insertion| (policy, insertion));
    let scope = move |(policy, insertion)| Scope { insertion, ..Scope::new(policy, max_size, keys) };
    Policy::ALL.into_iter().flat_map(modes).map(scope)
}

#[test]
fn the_search_counts_what_every_single_sequence_reaches() {
    for scope in scopes(1, 2) {
        // So small that four operations reach everything. A saturated floor still differs from none.
        let max_uses = if scope.policy == Policy::Lfu { 2 } else { 1 };
        let scope = Scope { max_uses, ..scope };
        let alphabet = alphabet(scope);
        let reached = |depth| {
            let mut models = HashSet::new();
            every_sequence(&empty(scope), &alphabet, depth, &mut models);
            models.len()
        };
        // The fourth operation reaches nothing new.
        assert_eq!((reached(3), reached(4) * alphabet.len()), searched(scope), "{scope:?}");
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask verify` reads it")]
fn the_search_counts_the_states_and_transitions_of_the_enumeration() {
    let mut compared = (0, 0);
    for (max_size, keys) in [(0, 1), (1, 1), (1, 2), (2, 2), (1, 3), (2, 3), (3, 3)] {
        for scope in scopes(max_size, keys) {
            let counts = Enumerated::new(scope).counts();
            assert_eq!(searched(scope), counts, "{scope:?}");
            compared = (compared.0 + 1, compared.1 + counts.1);
        }
    }
    println!(
        "report: independent search | states and transitions, against an enumeration | {} scopes, {} transitions",
        compared.0, compared.1
    );
}

#[test]
fn a_symmetric_search_counts_states_up_to_the_names_of_keys() {
    for scope in scopes(2, 3) {
        let enumerated = Enumerated::new(scope);
        assert_eq!(searched(Scope { symmetric: true, ..scope }), enumerated.counts_up_to_names(), "{scope:?}");
    }
}

#[test]
fn a_search_to_a_depth_counts_what_shorter_sequences_reach() {
    for scope in scopes(2, 2) {
        for depth in 0..7 {
            // Counts never saturate, so that the states are infinite. Under LRU, models would differ by counts without effect.
            let max_uses = if scope.policy == Policy::Lru { 1 } else { u64::MAX };
            let scope = Scope { max_uses, depth, ..scope };
            assert_eq!(searched(scope), Enumerated::new(scope).counts(), "{scope:?}");
        }
    }
}

#[test]
fn a_search_of_sequences_counts_all_of_them() {
    for scope in scopes(1, 2) {
        let scope = Scope { depth: 3, ..scope };
        let new = |max_size| scope.model(max_size);
        let covered = exhaustive_to_depth(scope.limits(), new, new);
        let (covered, operations) = (covered.unwrap_or_else(|found| panic!("{found}")), alphabet(scope).len());
        let sequences = operations + operations.pow(2) + operations.pow(3);
        assert_eq!((covered.states, covered.transitions), (1 + sequences, sequences), "{scope:?}");
    }
}

#[test]
fn a_search_with_expiry_counts_the_states_at_every_time() {
    for expiry in [&[(0, 1)][..], &[(0, 2), (1, 2)], &[(0, 1), (1, 4)]] {
        for scope in scopes(2, 2).chain(scopes(1, 3)) {
            let scope = Scope { expiry, max_uses: scope.max_uses.min(2), ..scope };
            let enumerated = Enumerated::new(scope);
            assert_eq!(searched(scope), enumerated.counts(), "{scope:?}");
            let symmetric = Scope { symmetric: true, ..scope };
            assert_eq!(searched(symmetric), enumerated.counts_up_to_names(), "{symmetric:?}");
        }
    }
}

// A search that merged two states of different behavior would have fewer states than there are behaviors.
#[test]
fn states_that_behave_differently_are_never_merged() {
    for scope in scopes(2, 3) {
        let (states, behaviors) = (searched(scope).0, Enumerated::new(scope).behaviors());
        match scope.policy {
            Policy::Lru => assert_eq!(states, behaviors, "{scope:?}"),
            // Some counts make no difference, since there are too few keys.
            Policy::Lfu | Policy::Lfuda => assert!(states > behaviors, "{scope:?}"),
        }
    }
}
