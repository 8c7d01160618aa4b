// dict: Get(0): the cache returns Value(Some(0)); the model expects Value(None)
#[test]
fn the_cache_matches_the_model() {
    use aws_client_cache_spec::{Dict, InsertionMode, Operation};

    let mut cache = new(1); // yours, empty, with a bound of 1
    let mut dict = Dict::new(1).with_insertion(InsertionMode::Replace).with_expiry(0, 1);
    dict.step(&mut cache, &Operation::Insert(0, 0)).unwrap();
    dict.step(&mut cache, &Operation::SetTime(1)).unwrap();
    dict.step(&mut cache, &Operation::Get(0)).unwrap();
}
