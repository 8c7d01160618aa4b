// eviction order: Pop: the cache returns Refused(NotFound); the model expects Refused(Empty)
#[test]
fn the_cache_matches_the_model() {
    use aws_client_cache_spec::check::step;
    use aws_client_cache_spec::{Model, Operation, Policy};

    let mut cache = new(0); // yours, empty, with a bound of 0
    let mut model = Model::with_max_uses(Policy::Lfu, 0, 3);
    step(&mut cache, &mut model, &Operation::<u8, u64>::Pop).unwrap();
}
