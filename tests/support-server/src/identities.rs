//! The signers of requests: holders of registered credentials, and roles with issued keys.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use http::HeaderMap;
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

/// All keys that may sign requests, by their access key, and all tokens that may assume a role.
///
/// Clones share them. Expired keys stay, so that they are refused as expired.
#[derive(Clone, Debug)]
pub(crate) struct Identities {
    keys: Arc<RwLock<HashMap<String, Keys>>>,
    tokens: Arc<RwLock<HashSet<String>>>,
}

#[derive(Debug)]
struct Keys {
    secret: SecretKey,
    issued: Option<Issued>,
}

#[derive(Debug)]
struct Issued {
    role: String,
    session_name: String,
    token: String,
    expires: SystemTime,
}

/// The signer of a request with a valid signature.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The ARN of the role that the keys were issued for, or else the access key.
    pub(crate) name: String,
    /// The name of the role's session.
    pub(crate) session_name: Option<String>,
}

impl Identities {
    pub(crate) fn registered<'a>(credentials: impl IntoIterator<Item = &'a Credentials>) -> Self {
        let keys = |credentials: &Credentials| {
            let keys = Keys { secret: credentials.secret_access_key().into(), issued: None };
            (credentials.access_key_id().to_owned(), keys)
        };
        let keys = credentials.into_iter().map(keys).collect();
        Self { keys: Arc::new(RwLock::new(keys)), tokens: Arc::default() }
    }

    /// Accepts these tokens from now on, and no others.
    pub(crate) fn accept_tokens<'a>(&self, tokens: impl IntoIterator<Item = &'a str>) {
        let tokens = tokens.into_iter().map(str::to_owned).collect();
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = tokens;
    }

    pub(crate) fn accepts_token(&self, token: &str) -> bool {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).contains(token)
    }

    /// Issues new keys for a role.
    ///
    /// The keys are recognizable, so that a test can check that an output does not contain them.
    pub(crate) fn issue(&self, role: &str, session_name: &str, lasting: Duration) -> Credentials {
        let mut all = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let access_key = format!("ASIA{:016}", all.len());
        let secret = format!("the secret of {access_key}");
        let token = format!("the token of {access_key}");
        let expires = SystemTime::now() + lasting;
        let (role, session_name) = (role.to_owned(), session_name.to_owned());
        let issued = Issued { role, session_name, token: token.clone(), expires };
        all.insert(access_key.clone(), Keys { secret: secret.as_str().into(), issued: Some(issued) });
        Credentials::new(access_key, secret, Some(token), Some(expires), "the server")
    }

    /// Returns the signer of a request. Issued keys need their session token, and expire.
    pub(crate) fn caller(&self, signed_by: Option<&s3s::auth::Credentials>, headers: &HeaderMap) -> S3Result<Caller> {
        let Some(signed_by) = signed_by else { return Err(s3_error!(AccessDenied, "the request is not signed")) };
        let all = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let Some(keys) = all.get(&signed_by.access_key) else { return Err(unknown()) };
        let token = headers.get("x-amz-security-token").map(http::HeaderValue::as_bytes);
        match &keys.issued {
            None if token.is_some() => Err(s3_error!(InvalidToken, "these keys have no session token")),
            None => Ok(Caller { name: signed_by.access_key.clone(), session_name: None }),
            Some(issued) if token != Some(issued.token.as_bytes()) => {
                Err(s3_error!(InvalidToken, "the session token is not that of these keys"))
            }
            Some(issued) if issued.expires <= SystemTime::now() => {
                Err(s3_error!(ExpiredToken, "the keys have expired"))
            }
            Some(issued) => Ok(Caller { name: issued.role.clone(), session_name: Some(issued.session_name.clone()) }),
        }
    }
}

fn unknown() -> s3s::S3Error {
    s3_error!(InvalidAccessKeyId, "the access key is unknown")
}

#[async_trait::async_trait]
impl S3Auth for Identities {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let all = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        all.get(access_key).map(|keys| keys.secret.clone()).ok_or_else(unknown)
    }
}
