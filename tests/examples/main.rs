//! The examples, run as a user runs them.

mod output;
mod policies;
mod quickstart;
mod run_example;
mod web;
