//! Strings, and the markers of those that no output may show.

use arbitrary::{Arbitrary, Unstructured};

/// A marker that no output may show.
///
/// It consists of letters, so that an external id may contain it. Strings that are not secret do not contain it.
pub(super) const SECRET: &str = "hidden";
/// A marker in invalid values, which neither an error nor the `Debug` of a builder may show.
pub(super) const UNCHECKED: &str = "~unchecked~";

/// Any string, or one of a few known strings, so that equal ones recur.
///
/// Only known strings contain a marker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text(pub(super) String);

const TEXTS: [&str; 24] = [
    "us-west-2",
    "US-WEST-2",
    "a",
    "b",
    "a ",
    "a\nb",
    "\u{2028}",
    "",
    "-",
    "7",
    // A region slightly shorter than the limit.
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "http://a",
    "http://a/",
    "https://a",
    "HTTPS://a",
    "http://a:80",
    "http://[::1]",
    "http://",
    "~unchecked~",
    "us ~unchecked~",
    "http://~unchecked~@a",
    "http://a:~unchecked~@b:80",
    "http://a?~unchecked~",
    "http://a/#~unchecked~",
];

impl<'a> Arbitrary<'a> for Text {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        free_or_known(u, &TEXTS).map(Self)
    }
}

/// A secret string, which contains the marker, or an empty one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Secret(pub(super) String);

impl<'a> Arbitrary<'a> for Secret {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        // Different fields can have the same characters in total.
        let text = free_or_known(u, &[SECRET, "hiddenhidden", "hiddenb", ""])?;
        Ok(Self(if text.is_empty() || text.contains(SECRET) { text } else { format!("{SECRET}{text}") }))
    }
}

/// Returns one of the `few` strings, any string without a marker, or both concatenated.
pub(super) fn free_or_known(u: &mut Unstructured<'_>, few: &[&str]) -> arbitrary::Result<String> {
    let form = u.int_in_range(0..=2)?;
    let mut text = if form == 1 { String::new() } else { (*u.choose(few)?).to_owned() };
    if form > 0 {
        let mut free: String = u.arbitrary::<&str>()?.chars().filter(|char| *char != '~').collect();
        while let Some(marker) = free.find(SECRET) {
            free.remove(marker);
        }
        text += &free;
    }
    Ok(text)
}
