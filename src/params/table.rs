//! [`Table`], a table of a configuration file that is read without an error about a confidential field.

// K4: `toml` shows the line of an error, and with it the value of the field.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use crate::error::ClientCacheError;

/// The fields of a table, and the first field that `build` refuses.
#[derive(Clone, Default)]
pub(super) struct Table<T> {
    pub(super) fields: T,
    pub(super) refused: Option<Refusal>,
}

/// A field that `build` refuses, and the reason.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    field: &'static str,
    reason: &'static str,
}

/// A confidential value, or one of a wrong type, which is not kept.
#[cfg(feature = "assume-role")]
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Confidential<T> {
    Valid(T),
    Invalid(IgnoredAny),
}

#[cfg(feature = "assume-role")]
impl<T> Confidential<T> {
    /// Returns a valid value, and refuses the field otherwise.
    pub(super) fn or_refuse(
        self,
        refused: &mut Option<Refusal>,
        field: &'static str,
        reason: &'static str,
    ) -> Option<T> {
        match self {
            Self::Valid(value) => Some(value),
            Self::Invalid(_) => {
                refused.get_or_insert(Refusal { field, reason });
                None
            }
        }
    }
}

impl Refusal {
    /// Returns the refusal of a field whose value is confidential, unless the table has the field.
    ///
    /// The name can have any common spelling.
    fn of(name: &str, known: &[&str]) -> Option<Self> {
        const SECRET: &str =
            "must not be in a configuration: name a profile, or set credentials or a provider in the program";
        const TOKEN: &str = "must not be in a configuration: name a web_identity_token_file";
        const MISPLACED: &str = if cfg!(feature = "assume-role") {
            "is misspelled, or in the wrong table"
        } else {
            "requires the feature assume-role"
        };
        if known.contains(&name) {
            return None;
        }
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let plain = plain.to_ascii_lowercase();
        let (field, reason) = match plain.strip_prefix("aws").unwrap_or(&plain) {
            "credentials" => ("credentials", SECRET),
            "accesskeyid" | "accesskey" => ("access_key_id", SECRET),
            "secretaccesskey" | "secretkey" | "secret" => ("secret_access_key", SECRET),
            "sessiontoken" | "securitytoken" | "token" | "bearertoken" => ("session_token", SECRET),
            "webidentity" | "webidentitytoken" => ("web_identity", TOKEN),
            "externalid" => ("external_id", MISPLACED),
            "policy" => ("policy", MISPLACED),
            "tags" => ("tags", MISPLACED),
            // A role can be on the line of its name.
            "assumerole" => ("assume_role", MISPLACED),
            "sourcerole" => ("source_role", MISPLACED),
            _ => return None,
        };
        Some(Self { field, reason })
    }
}

impl From<Refusal> for ClientCacheError {
    fn from(Refusal { field, reason }: Refusal) -> Self {
        Self::invalid(field, reason)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut refused = None;
        let fields = T::deserialize(Screen { inner: deserializer, known: &[], refused: &mut refused })?;
        Ok(Self { fields, refused })
    }
}

/// Hides refused fields from a derived implementation.
///
/// It wraps the deserializer, then the visitor, then the map of a struct.
struct Screen<'a, T> {
    inner: T,
    known: &'static [&'static str],
    refused: &'a mut Option<Refusal>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Screen<'_, D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_struct(name, known, Screen { inner: visitor, known, refused: self.refused })
    }

    // The trait requires the rest; a derived implementation of a struct calls none of it.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Screen<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<V::Value, M::Error> {
        self.inner.visit_map(Screen { inner: map, known: self.known, refused: self.refused })
    }
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for Screen<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, mut seed: K) -> Result<Option<K::Value>, M::Error> {
        loop {
            match self.inner.next_key_seed(Key { seed, known: self.known })? {
                None => return Ok(None),
                Some(Ok(key)) => return Ok(Some(key)),
                Some(Err((refusal, unused))) => {
                    self.inner.next_value::<IgnoredAny>()?;
                    self.refused.get_or_insert(refusal);
                    seed = unused;
                }
            }
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, M::Error> {
        self.inner.next_value_seed(seed)
    }
}

/// Reads the name of a field: its key, or else its refusal and the unused seed.
///
/// An unknown field is an error here, where the format knows its line.
struct Key<K> {
    seed: K,
    known: &'static [&'static str],
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<K> {
    type Value = Result<K::Value, (Refusal, K)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let name = String::deserialize(deserializer)?;
        match Refusal::of(&name, self.known) {
            Some(refusal) => Ok(Err((refusal, self.seed))),
            None => self.seed.deserialize(name.into_deserializer()).map(Ok),
        }
    }
}
