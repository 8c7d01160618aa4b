//! K5: what a parameter may be. The reasons never repeat the value, which might hold a secret.

use std::net::Ipv6Addr;

use aws_credential_types::Credentials;
use aws_types::app_name::AppName;

use crate::error::ClientCacheError;

/// A region becomes a label of host names. This is the rule of botocore's `validate_region_name`: up to 63
/// letters, digits and hyphens, with no hyphen at either end, and not all digits.
pub(super) fn region(region: &str) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("region", reason));
    if region.is_empty() {
        return invalid("it is empty");
    }
    if region.len() > 63 || !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return invalid("it is more than 63 characters, or others than letters, digits and hyphens");
    }
    if region.starts_with('-') || region.ends_with('-') {
        return invalid("it starts or ends with a hyphen");
    }
    if region.bytes().all(|byte| byte.is_ascii_digit()) {
        return invalid("it is all digits");
    }
    Ok(())
}

/// An endpoint is parsed by the parser that the SDK will use, and must be no more than scheme, host, port and path:
/// the SDK would drop a fragment and a query silently, and userinfo is a secret in the wrong place.
pub(super) fn endpoint_url(url: &str) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("endpoint_url", reason));
    if url.contains('#') {
        return invalid("it has a fragment");
    }
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return invalid("it has other characters than visible ASCII");
    }
    let Ok(uri) = url.parse::<http::Uri>() else {
        return invalid("it is not a URL");
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return invalid("it begins with neither http:// nor https://");
    }
    let Some(authority) = uri.authority() else {
        return invalid("it has no host");
    };
    if authority.as_str().contains('@') {
        return invalid("it has userinfo");
    }
    if !is_host(authority.host()) {
        return invalid("its host is neither a name nor an address");
    }
    let has_port = authority.as_str().len() > authority.host().len();
    if has_port && authority.port_u16().is_none() {
        return invalid("its port is not a number up to 65535");
    }
    if uri.query().is_some() {
        return invalid("it has a query");
    }
    Ok(())
}

/// What the parser lets through as a host is more than hosts.
fn is_host(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if let Some(address) = address {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        let ends = [label.bytes().next(), label.bytes().next_back()];
        ends.iter().all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.strip_suffix('.').unwrap_or(host).split('.').all(is_label)
}

pub(super) fn app_name(name: String) -> Result<AppName, ClientCacheError> {
    AppName::new(name).map_err(|error| ClientCacheError::invalid("app_name", error.to_string()))
}

pub(super) fn credentials(credentials: &Credentials) -> Result<(), ClientCacheError> {
    let invalid = |reason: &str| Err(ClientCacheError::invalid("credentials", reason));
    if credentials.access_key_id().is_empty() {
        return invalid("the access key id is empty");
    }
    if credentials.secret_access_key().is_empty() {
        return invalid("the secret access key is empty");
    }
    Ok(())
}

/// Names that this crate gave a meaning: of a base, of a customisation.
pub(super) fn name(parameter: &'static str, name: &str) -> Result<(), ClientCacheError> {
    if name.is_empty() {
        return Err(ClientCacheError::invalid(parameter, "its name is empty"));
    }
    Ok(())
}
