// creation: Poll(0): the cache shows Entries([(0, 100)]); the rules expect Entries([])
#[test]
fn a_schedule_follows_the_rules() {
    use aws_client_cache_spec::creation::{Schedules, Step};
    use aws_client_cache_spec::{Model, Operation, Policy};

    let cache = new(); // yours, empty, with a bound of 2
    let schedules = Schedules { max_size: 2, callers: 3, is_shared: false, ..Schedules::new() };
    let steps = [
        Step::Poll(0),
        Step::Dict(Operation::Remove(0)),
        Step::Succeed(0),
        Step::Poll(0),
    ];
    schedules.run(Model::new(Policy::Lfu, 2), &cache, &steps).unwrap();
}
