//! [`WebIdentityToken`], a source of the tokens that roles are assumed with.

use std::error::Error;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::identity::IdentityCachePartition;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::validate;
use crate::error::ClientCacheError;
use crate::key::{CredentialScope, WebIdentity};

/// A source of tokens that prove a web identity: a file, or a provider.
///
/// Pass it to [`AssumeRole::web_identity`](crate::AssumeRole::web_identity). Each time that the role is assumed, the source
/// is asked for a token anew, so that tokens can be rotated.
///
/// The key identifies a file by its path, and a provider by its handle: clones are equal, and each call of
/// [`provider`](Self::provider) gives a different one. Create one for each source, and keep it. Neither a key nor printed
/// text contains a token. Cloning is cheap.
///
/// # Examples
///
/// ```
/// use aws_client_cache::WebIdentityToken;
///
/// let file = WebIdentityToken::file("/run/token");
/// assert_eq!(file, WebIdentityToken::file("/run/token"));
/// let provider = || WebIdentityToken::provider(async || std::fs::read_to_string("/run/token"));
/// assert_ne!(provider(), provider());
/// ```
#[derive(Clone)]
pub struct WebIdentityToken {
    identity: WebIdentity,
    get: Arc<dyn Fn() -> BoxFuture<'static, Result<String, CredentialsError>> + Send + Sync>,
}

impl WebIdentityToken {
    /// Returns a source that reads the token from a file each time that the role is assumed.
    ///
    /// White space around the token is ignored. The path appears in the error if the file cannot be read.
    ///
    /// [`WebIdentityToken`] shows an example.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path: Arc<Path> = path.into().into();
        let identity = WebIdentity::File(Arc::clone(&path));
        Self { identity, get: Arc::new(move || std::future::ready(read(&path)).boxed()) }
    }

    /// Returns a source that calls a provider each time that the role is assumed.
    ///
    /// In a [`Session`](crate::Session), concurrent callers share one call, and any of them can drive its future. If all of
    /// them give up, the future is kept, and the next caller resumes it. The load timeout includes it.
    ///
    /// # Errors
    ///
    /// If the provider fails, so does the load of the credentials, with the messages of the error and its sources. The `Debug`
    /// of the error is not shown, because it can show a secret.
    ///
    /// # Examples
    ///
    /// ```
    /// use aws_client_cache::{AssumeRole, WebIdentityToken};
    ///
    /// /// Requests a token, from GitHub Actions for example.
    /// async fn token() -> Result<String, std::io::Error> {
    ///     # Ok("a token".to_owned())
    ///     // …
    /// }
    ///
    /// let role = AssumeRole::new("arn:aws:iam::123456789012:role/deploy")
    ///     .web_identity(WebIdentityToken::provider(token));
    /// ```
    pub fn provider<F, Fut, E>(get: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let get = move || get().map(|token| token.map_err(CredentialsError::provider_error)).boxed();
        Self { identity: WebIdentity::Provider(IdentityCachePartition::new()), get: Arc::new(get) }
    }

    /// Requests a token.
    pub(super) async fn get(&self) -> Result<String, CredentialsError> {
        (self.get)().await
    }

    // K5
    pub(super) fn scope(&self) -> Result<CredentialScope, ClientCacheError> {
        if let WebIdentity::File(path) = &self.identity {
            validate::token_file(path)?;
        }
        Ok(CredentialScope::WebIdentity(self.identity.clone()))
    }
}

/// Reads a token. Such files are small and local, and the SDK also reads them without a thread.
fn read(path: &Path) -> Result<String, CredentialsError> {
    let text = fs::read_to_string(path).map_err(|error| {
        let path = path.display().to_string();
        CredentialsError::provider_error(format!("the web identity token file {path:?} cannot be read: {error}"))
    })?;
    Ok(text.trim().to_owned())
}

impl PartialEq for WebIdentityToken {
    /// Compares the paths of files, and the handles of providers.
    // K3
    fn eq(&self, other: &Self) -> bool {
        self.identity == other.identity
    }
}

impl Eq for WebIdentityToken {}

impl fmt::Debug for WebIdentityToken {
    /// Shows neither a token nor the path.
    // K4
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebIdentityToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves K3.
    #[test]
    fn tokens_are_equal_by_path_or_by_handle() {
        let provider = || WebIdentityToken::provider(std::future::pending::<std::io::Result<String>>);
        let [one, other] = [provider(), provider()];
        assert!(one == one.clone() && one != other);
        assert!(WebIdentityToken::file("a") == WebIdentityToken::file("a"));
        assert!(WebIdentityToken::file("a") != WebIdentityToken::file("b") && WebIdentityToken::file("a") != one);
    }

    // Proves K4.
    #[test]
    fn the_scope_of_a_token_shows_no_path() {
        let scope = WebIdentityToken::file("/run/hidden").scope().unwrap();
        assert_eq!(scope.to_string(), "web_identity");
    }
}
