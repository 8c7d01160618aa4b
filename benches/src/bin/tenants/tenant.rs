//! A tenant, whose requests are signed with the credentials of its own role.

/// A tenant, by its number.
#[derive(Clone, Debug)]
pub(crate) struct Tenant(pub(crate) u32);

impl Tenant {
    /// The object in the tenant's bucket.
    pub(crate) const KEY: &str = "whose.txt";

    /// Returns the ARN of the role.
    pub(crate) fn role(&self) -> String {
        format!("arn:aws:iam::123456789012:role/tenant-{}", self.0)
    }

    /// Returns the bucket, which no other role can read.
    pub(crate) fn bucket(&self) -> String {
        format!("bucket-of-tenant-{}", self.0)
    }

    /// Returns the content of the object.
    pub(crate) fn content(&self) -> String {
        format!("this is tenant {}'s own", self.0)
    }
}
