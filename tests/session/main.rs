//! `Session` and clients of the SDK, with AWS as an HTTP client or a server in this process.

mod cloud;
mod forgetting;
mod http;
mod s3;
mod scopes;
mod server;
mod session;
mod tenancy;
mod tenants;
