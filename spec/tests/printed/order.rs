// eviction order: items after Insert(1, 0): the cache returns [(0, 0), (1, 0)]; the model expects [(1, 0), (0, 0)]
#[test]
fn the_cache_matches_the_model() {
    use aws_client_cache_spec::check::step;
    use aws_client_cache_spec::model::Expiring;
    use aws_client_cache_spec::{InsertionMode, Model, Operation, Policy};

    let mut cache = new(2); // yours, empty, with a bound of 2
    let mut model = Expiring::new(Model::with_max_uses(Policy::Lfu, 2, 3).with_insertion(InsertionMode::Replace)).with_expiry(0, 1);
    step(&mut cache, &mut model, &Operation::Insert(0, 0)).unwrap();
    step(&mut cache, &mut model, &Operation::Insert(1, 0)).unwrap();
    step(&mut cache, &mut model, &Operation::Get(0)).unwrap();
    step(&mut cache, &mut model, &Operation::Insert(1, 0)).unwrap();
}
