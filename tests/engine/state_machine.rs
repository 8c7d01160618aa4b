//! The engine and the cache, compared with the model in all accessors after each random operation.

use std::fmt::Debug;
use std::marker::PhantomData;

use aws_client_cache::map::EvictingMap;
use aws_client_cache_spec::check::step;
use aws_client_cache_spec::generate::proptest::{mix, transition};
use aws_client_cache_spec::generate::{Limits, Mix};
use aws_client_cache_spec::model::Expiring;
use aws_client_cache_spec::{Model, Operation, Policy, SystemUnderTest};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use support::cache::{Cache, with_expiry};
use support::engine::{Engine, policy};
use support::hashing::Hashing;

/// The limits of the operations. The keys with an expiry expire before the last time.
const LIMITS: Limits = Limits { keys: 16, max_size: 11, times: 9, ..Limits::new() };

/// The model, with a clock.
type Timed = Expiring<u8, Model<u8, u64>>;

/// The parameters of a run.
#[derive(Clone, Debug)]
struct Setup {
    policy: Policy,
    max_size: usize,
    max_uses: u64,
    hashing: Hashing,
    /// The keys that expire, with their times.
    expiry: Vec<(u8, u64)>,
}

/// The reference machine: the model, with the parameters of the run.
#[derive(Debug)]
struct Reference;

#[derive(Clone, Debug)]
struct ReferenceState {
    setup: Setup,
    mix: Mix,
    model: Timed,
}

impl ReferenceStateMachine for Reference {
    type State = ReferenceState;
    type Transition = Operation<u8, u64>;

    fn init_state() -> BoxedStrategy<ReferenceState> {
        let policy = proptest::sample::select(&Policy::ALL[..]);
        let max_uses = prop_oneof![Just(u64::MAX), 1..4_u64];
        let hashing = prop_oneof![Just(Hashing::Default), Just(Hashing::Constant), Just(Hashing::Identity)];
        let expiry = prop::collection::btree_map(0..16_u8, 0..8_u64, 0..8);
        let setup = (policy, 0..12_usize, max_uses, hashing, expiry);
        (setup, mix(LIMITS))
            .prop_map(|((policy, max_size, max_uses, hashing, expiry), mix)| ReferenceState {
                model: Expiring::new(Model::with_max_uses(policy, max_size, max_uses)),
                mix,
                setup: Setup { policy, max_size, max_uses, hashing, expiry: expiry.into_iter().collect() },
            })
            .boxed()
    }

    fn transitions(state: &ReferenceState) -> BoxedStrategy<Operation<u8, u64>> {
        transition(state.mix, state.model.keys()).boxed()
    }

    fn apply(mut state: ReferenceState, operation: &Operation<u8, u64>) -> ReferenceState {
        operation.apply(&mut state.model);
        state
    }
}

/// A subject that can be created from the parameters of a run.
trait FromSetup: SystemUnderTest<u8, u64> + Debug {
    /// Creates the subject and its model. Both ignore the parameters that the subject does not have.
    fn from_setup(setup: &Setup) -> (Self, Timed);
}

impl FromSetup for Engine<u8, u64, Hashing> {
    fn from_setup(setup: &Setup) -> (Self, Timed) {
        let Setup { max_size, max_uses, .. } = *setup;
        let map = EvictingMap::with_max_uses(policy(setup.policy), max_size, setup.hashing, max_uses);
        (Self(map), Expiring::new(Model::with_max_uses(setup.policy, max_size, max_uses)))
    }
}

impl FromSetup for Cache {
    fn from_setup(setup: &Setup) -> (Self, Timed) {
        let Setup { policy, max_size, ref expiry, .. } = *setup;
        let model = with_expiry(Model::new(policy, max_size), expiry);
        (Self::with_expiry(policy, max_size, expiry), model)
    }
}

struct Machine<C>(PhantomData<C>);

type EngineMachine = Machine<Engine<u8, u64, Hashing>>;
type CacheMachine = Machine<Cache>;

impl<C: FromSetup> StateMachineTest for Machine<C> {
    type SystemUnderTest = (C, Timed);
    type Reference = Reference;

    fn init_test(state: &ReferenceState) -> Self::SystemUnderTest {
        C::from_setup(&state.setup)
    }

    fn apply(
        (mut cache, mut model): Self::SystemUnderTest,
        _: &ReferenceState,
        operation: Operation<u8, u64>,
    ) -> Self::SystemUnderTest {
        if let Err(divergence) = step(&mut cache, &mut model, &operation) {
            panic!("{divergence}");
        }
        (cache, model)
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    // Proves every rule D, L, F.
    #[test]
    fn the_engine_behaves_as_the_model(sequential 1..80 => EngineMachine);

    // Proves every rule D, L, F, E.
    #[test]
    fn the_cache_behaves_as_the_model(sequential 1..80 => CacheMachine);
}
