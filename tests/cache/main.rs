//! `ClientCache` and its keys, with clients of a service without a network.

mod bulk_removal;
mod configuration;
mod creation;
mod expiry;
mod identity;
mod panicking_comparisons;
mod parameters;
mod params_configuration;
mod printing;
mod schedules;
mod stats;
mod threads;
mod traced;
