//! The examples, as a user runs them.

mod output;
mod policies;
mod program;
mod quickstart;
mod web;
