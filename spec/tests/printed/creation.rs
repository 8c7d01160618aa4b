// L5 creation: Poll(0): the cache shows Entries([(0, 100)]); the rules expect Entries([])
use aws_client_cache_spec::{EvictionPolicy, Operation, Schedules, Step};

#[test]
fn a_schedule_follows_the_rules() {
    let cache = new(); // yours, Lfu, empty, with a bound of 2
    let schedules = Schedules { max_size: 2, callers: 2, policy: EvictionPolicy::Lfu, is_shared: false, ..Schedules::new() };
    let steps = [
        Step::Poll(0),
        Step::Dict(Operation::Remove(0)),
        Step::Succeed(0),
        Step::Poll(0),
    ];
    schedules.run(&cache, &steps).unwrap();
}
