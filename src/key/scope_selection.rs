//! [`ScopeSelection`], which selects credential scopes of keys and of a session.

use std::fmt;

use super::credential_scope::CredentialScope;

/// Selects one credential scope, or all scopes of one role.
#[derive(Clone, Copy)]
pub(crate) enum ScopeSelection<'a> {
    Scope(&'a CredentialScope),
    /// The ARN of a role, whatever its other parameters are.
    #[cfg_attr(not(feature = "assume-role"), expect(dead_code, reason = "without the feature there are no roles"))]
    Role(&'a str),
}

impl ScopeSelection<'_> {
    /// Returns `true` if the selection contains `scope` itself.
    pub(crate) fn contains(self, scope: &CredentialScope) -> bool {
        match self {
            Self::Scope(selected) => scope == selected,
            Self::Role(arn) => scope.role_arn() == Some(arn),
        }
    }

    /// Returns `true` if the selection contains `scope`, or a scope that it is assumed with.
    pub(crate) fn covers(self, scope: &CredentialScope) -> bool {
        scope.chain().into_iter().any(|scope| self.contains(scope))
    }
}

impl fmt::Display for ScopeSelection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope(scope) => scope.fmt(f),
            Self::Role(arn) => write!(f, "role:{}", arn.escape_debug()),
        }
    }
}
