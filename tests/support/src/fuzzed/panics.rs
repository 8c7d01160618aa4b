//! Rule P1: operations on one map, some of which panic in `Hash`, `Eq`, `Clone` or `Drop`.

use arbitrary::{Arbitrary, Result, Unstructured};
use aws_client_cache::map::EvictingMap;
use aws_client_cache_spec::check::{Callback, Injected, PanicProbe, inject_panic, may_be_left};
use aws_client_cache_spec::generate::{self, Limits};
use aws_client_cache_spec::{Model, Operation, Outcome, Policy, SystemUnderTest};

use super::{Fuzzed, Reached};
use crate::engine::{Engine, policy};
use crate::hashing::Hashing;

type Key = PanicProbe<u8>;
type Value = PanicProbe<u64>;

/// More keys than fit into the smallest index, so that the index is rebuilt.
const LIMITS: Limits = Limits { keys: 48, min_size: 0, max_size: 39, operations: 1_024, times: 0 };

/// A map, and a sequence of operations on it.
#[derive(Debug)]
pub struct Input {
    policy: Policy,
    hashing: Hashing,
    max_size: usize,
    max_uses: u64,
    steps: Vec<Step>,
}

/// An operation, and perhaps a callback that panics, with the number of the call that does.
type Step = (Operation<u8, u64>, Option<(Callback, usize)>);

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let policy = *bytes.choose(&Policy::ALL)?;
        let hashing = *bytes.choose(&[Hashing::Default, Hashing::Constant, Hashing::Identity])?;
        let max_size = bytes.int_in_range(0..=usize::from(LIMITS.max_size))?;
        let max_uses = u64::from(u8::arbitrary(bytes)?);
        let mix = generate::arbitrary::mix(bytes, LIMITS);
        // Keys are likely to be present ones of a model on which nothing panics.
        let mut model = Model::with_max_uses(policy, max_size, max_uses);
        let mut steps = Vec::new();
        while !bytes.is_empty() && steps.len() < LIMITS.operations {
            let operation = generate::arbitrary::operation(bytes, &mix, &model.keys(), steps.len() as u64);
            operation.apply(&mut model);
            let panics = if bool::arbitrary(bytes)? {
                Some((*bytes.choose(&Callback::ALL)?, u8::arbitrary(bytes)?.into()))
            } else {
                None
            };
            steps.push((operation, panics));
        }
        Ok(Self { policy, hashing, max_size, max_uses, steps })
    }
}

impl Fuzzed for Input {
    fn branches() -> Reached {
        let of_policy = |policy| Callback::ALL.into_iter().map(move |callback| branch(policy, callback));
        Policy::ALL.into_iter().flat_map(of_policy).collect()
    }

    fn run(self, reached: &mut Reached) {
        let alive = Key::alive();
        self.run_and_drop(reached);
        assert_eq!(Key::alive(), alive, "a key or a value leaked");
    }
}

/// Names the panic of a callback under a policy.
fn branch(policy: Policy, callback: Callback) -> String {
    format!("{policy:?}, {callback:?} panics")
}

impl Input {
    fn run_and_drop(self, reached: &mut Reached) {
        let Self { policy: spec_policy, hashing, max_size, max_uses, steps } = self;
        let map = EvictingMap::with_max_uses(policy(spec_policy), max_size, hashing, max_uses);
        let mut engine: Engine<Key, Value, Hashing> = Engine(map);
        // A hit that panicked may have counted a use or not. Until later operations decide it, both models are kept.
        let mut models = vec![Model::with_max_uses(spec_policy, max_size, max_uses)];
        for (operation, panics) in steps {
            let operation = operation.map(PanicProbe::new, PanicProbe::new);
            match panics {
                None => agree(&mut models, &operation, &operation.apply(&mut engine)),
                Some((callback, calls)) => match inject_panic(callback, calls, || operation.apply(&mut engine)) {
                    Injected::NotReached(outcome) => agree(&mut models, &operation, &outcome),
                    Injected::Reached => {
                        reached.insert(branch(spec_policy, callback));
                        let (shown, max_size) = (engine.items(), engine.max_size());
                        let left = |model| may_be_left(model, &operation, &shown, max_size);
                        models = models.iter().flat_map(left).collect();
                    }
                    Injected::OtherPanic => panic!("{operation:?} panicked of itself"),
                },
            }
            assert_eq!(engine.check(), Ok(()));
            let (shown, max_size) = (engine.items(), engine.max_size());
            let mut agreed = Vec::new();
            for model in models {
                if model.items() == shown && model.max_size() == max_size && !agreed.contains(&model) {
                    agreed.push(model);
                }
            }
            models = agreed;
            assert!(!models.is_empty(), "{operation:?} with {panics:?} leaves {shown:?}, as no model does");
        }
    }
}

/// Keeps the models whose outcome is that of the engine.
fn agree(models: &mut Vec<Model<Key, Value>>, operation: &Operation<Key, Value>, outcome: &Outcome<Key, Value>) {
    models.retain_mut(|model| operation.apply(model) == *outcome);
}
