//! The counters of a session in the Prometheus text format, to be copied.

use std::fmt::Write;
use std::time::UNIX_EPOCH;

use aws_client_cache::SessionStats;

/// Returns all counters, and the earliest expiry as seconds since 1970.
pub(crate) fn prometheus(stats: &SessionStats) -> String {
    let counters = [
        ("hits", stats.cache.hits, "Lookups that found a client."),
        ("misses", stats.cache.misses, "Lookups that found no client."),
        ("evictions", stats.cache.evictions, "Clients that were evicted."),
        ("creations", stats.cache.creations, "Clients that were created."),
        ("loads", stats.loads, "Loads of credentials."),
        ("failed_loads", stats.failed_loads, "Loads that failed."),
        ("backoff_answers", stats.backoff_answers, "Requests that failed without a load."),
        ("held_answers", stats.held_answers, "Requests with held credentials after a failed refresh."),
        ("invalidations", stats.invalidations, "Invalidations of credentials."),
        ("expired_tokens", stats.expired_tokens, "Credentials that AWS refused as expired."),
    ];
    let mut text = String::new();
    for (name, value, help) in counters {
        add(&mut text, &format!("aws_clients_{name}_total"), "counter", value, help);
    }
    add(&mut text, "aws_clients_active_scopes", "gauge", stats.active_scopes as u64, "Credential scopes in use.");
    add(&mut text, "aws_clients_idle_scopes", "gauge", stats.idle_scopes as u64, "Credential scopes without a client.");
    if let Some(expiry) = stats.next_expiry.and_then(|expiry| expiry.duration_since(UNIX_EPOCH).ok()) {
        add(&mut text, "aws_clients_next_expiry_seconds", "gauge", expiry.as_secs(), "The next expiry of credentials.");
    }
    text
}

fn add(text: &mut String, name: &str, kind: &str, value: u64, help: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
}
