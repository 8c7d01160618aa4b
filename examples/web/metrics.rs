//! The counters of a session in the Prometheus text format, for you to copy.

use std::fmt::Write;
use std::time::UNIX_EPOCH;

use aws_client_cache::SessionStats;

/// Returns all counters, and the earliest expiry as seconds since 1970.
pub(crate) fn prometheus(stats: &SessionStats) -> String {
    let mut text = String::new();
    for (name, count) in stats.counters() {
        add(&mut text, &format!("aws_clients_{name}_total"), "counter", count);
    }
    add(&mut text, "aws_clients_active_scopes", "gauge", stats.active_scopes as u64);
    add(&mut text, "aws_clients_idle_scopes", "gauge", stats.idle_scopes as u64);
    if let Some(expiry) = stats.next_expiry.and_then(|expiry| expiry.duration_since(UNIX_EPOCH).ok()) {
        add(&mut text, "aws_clients_next_expiry_seconds", "gauge", expiry.as_secs());
    }
    text
}

fn add(text: &mut String, name: &str, kind: &str, value: u64) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# TYPE {name} {kind}\n{name} {value}");
}
