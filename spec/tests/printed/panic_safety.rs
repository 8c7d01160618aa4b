// panic safety: items after call 0 of Drop panicked in Insert(0, 100): the cache returns []; the model expects [(0, 0)], or as the operation leaves it
#[test]
fn the_cache_matches_the_model() {
    use aws_client_cache_spec::check::{Callback, PanicProbe, panic_step, step};
    use aws_client_cache_spec::model::Expiring;
    use aws_client_cache_spec::{InsertionMode, Model, Operation, Policy};

    let mut cache = new(2); // yours, empty, with a bound of 2
    let mut model = Expiring::new(Model::with_max_uses(Policy::Lfu, 2, 3).with_insertion(InsertionMode::Replace)).with_expiry(PanicProbe::new(0), 1);
    step(&mut cache, &mut model, &Operation::Insert(0, 0).map(PanicProbe::new, PanicProbe::new)).unwrap();
    panic_step(cache, &model, &Operation::Insert(0, 100), Callback::Drop, 0).unwrap();
}
