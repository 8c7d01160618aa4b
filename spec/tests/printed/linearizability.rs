// linearizability: no order of these calls explains what they returned
#[test]
fn the_calls_have_an_order() {
    use aws_client_cache_spec::check::Difference;
    use aws_client_cache_spec::concurrency::{Call, History};
    use aws_client_cache_spec::{Model, Operation, Outcome, Policy, Refusal};

    let history: History<u8, u64> = History::new(vec![
        Call::new(0, 0..1, Operation::Pop, Outcome::Done),
        Call::new(1, 0..1, Operation::Pop, Outcome::Evicted(vec![(1, 1)])),
        Call::new(2, 0..1, Operation::Pop, Outcome::Value(Some(0))),
        Call::new(3, 0..1, Operation::Pop, Outcome::Entry(0, 0)),
        Call::new(4, 0..1, Operation::Pop, Outcome::Entries(vec![(0, 0)])),
        Call::new(5, 0..1, Operation::Pop, Outcome::Found(29, vec![])),
        Call::new(6, 0..1, Operation::Pop, Outcome::Answer(true)),
        Call::new(7, 0..1, Operation::Pop, Outcome::Refused(Refusal::Expired)),
    ])
    .with_differences(&[Difference::Unordered]);
    history.linearize(&Model::new(Policy::Lru, 2)).unwrap_err();
}
