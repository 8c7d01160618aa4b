// panic safety: Pop: the cache returns Refused(NotFound); the model expects Refused(Empty)
#[test]
fn the_cache_matches_the_model() {
    use aws_client_cache_spec::check::{PanicProbe, step};
    use aws_client_cache_spec::{Model, Operation, Policy};

    let mut cache = new(1); // yours, empty, with a bound of 1
    let mut model = Model::with_max_uses(Policy::Lfu, 1, 3);
    step(&mut cache, &mut model, &Operation::<u8, u64>::Pop.map(PanicProbe::new, PanicProbe::new)).unwrap();
}
