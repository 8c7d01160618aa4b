// L3 panic safety: items after call 0 of Drop panicked in Insert(0, 100): the cache returns []; the model expects [(0, 0)], or as the operation leaves it
use aws_client_cache_spec::{Callback, EvictionPolicy, Fused, InsertionMode, Model, Operation, panic_step, step};

#[test]
fn the_cache_matches_the_model() {
    let mut cache = new(2); // yours, empty, with a bound of 2, with counts up to 3, with the expiries [(0, 1)]
    let mut model = Model::with_max_uses(EvictionPolicy::Lfu, 2, 3).with_insertion(InsertionMode::Replace).with_expiry(Fused::new(0), 1);
    step(&mut cache, &mut model, &Operation::Insert(0, 0).map(Fused::new, Fused::new)).unwrap();
    panic_step(cache, &model, &Operation::Insert(0, 100), Callback::Drop, 0).unwrap();
}
