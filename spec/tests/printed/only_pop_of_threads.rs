#[test]
fn the_calls_return() {
    use aws_client_cache_spec::concurrency::Shared;
    use aws_client_cache_spec::Operation;

    let cache = new(2); // yours, empty, with a bound of 2
    Shared::call(&cache, &Operation::<u8, u64>::Pop);
}
