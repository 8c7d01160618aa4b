//! `Session` and clients of the SDK, with AWS as an HTTP client or a server in this process.

mod assume_role;
mod checksums;
mod connections;
mod credential_events;
mod credentials_base;
mod credentials_progress;
mod credentials_weather;
mod expired_tokens;
mod http;
mod http_clients;
mod idle_connections;
mod invalidation;
mod overrides;
mod ready_all;
mod revocation;
mod s3;
mod s3_express;
mod scopes;
mod sdk_config;
mod server;
mod session;
mod session_error;
mod session_stats;
mod tenancy;
mod tenants;
mod web_identity;
