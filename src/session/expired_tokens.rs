//! [`ExpiredTokens`], which detects that AWS has refused a client's credentials as expired.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use super::credentials::CachedCredentials;
use crate::redact::is_expired_token;

/// Rejects the credentials that signed a request, if the answer says that they have expired.
///
/// It compares the request with the credentials that are held. Those of another provider, such as one that a customization
/// sets, are left alone.
// T12
pub(super) struct ExpiredTokens {
    credentials: CachedCredentials,
    hasher: RandomState,
}

/// The digest of the access key id and the session token that signed a request, if any did.
#[derive(Clone, Copy, Debug)]
struct SignedWith(Option<u64>);

impl Storable for SignedWith {
    type Storer = StoreReplace<Self>;
}

impl ExpiredTokens {
    pub(super) fn new(credentials: CachedCredentials) -> Self {
        Self { credentials, hasher: RandomState::new() }
    }

    fn digest(&self, access_key_id: &str, session_token: Option<&str>) -> u64 {
        self.hasher.hash_one((access_key_id, session_token))
    }

    fn signer(&self, request: &HttpRequest) -> Option<u64> {
        // `… Credential=access-key-id/date/region/service/aws4_request, …`
        let (_, scope) = request.headers().get("authorization")?.split_once("Credential=")?;
        let (access_key_id, _) = scope.split_once('/')?;
        Some(self.digest(access_key_id, request.headers().get("x-amz-security-token")))
    }
}

impl Intercept for ExpiredTokens {
    fn name(&self) -> &'static str {
        "ExpiredTokens"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // The request itself is gone when its answer arrives.
        config.interceptor_state().store_put(SignedWith(self.signer(context.request())));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Err(error)) = context.output_or_error()
            && let Some(error) = error.as_operation_error()
            && let Some(SignedWith(Some(signer))) = config.load::<SignedWith>()
            && is_expired_token(error)
        {
            let is_signer = |held: &Credentials| self.digest(held.access_key_id(), held.session_token()) == *signer;
            self.credentials.reject(is_signer);
        }
        Ok(())
    }
}

impl fmt::Debug for ExpiredTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
