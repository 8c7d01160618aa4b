//! The headings of SPEC.md.

/// A chapter of SPEC.md.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// The heading.
    pub name: String,
    /// The rules in their order.
    pub rules: Vec<Rule>,
}

/// A rule of SPEC.md.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The number, such as `D3`.
    pub number: String,
    /// The first sentence.
    pub summary: String,
}

/// Returns the chapters of SPEC.md that have rules.
pub(crate) fn chapters(spec: &str) -> Vec<Chapter> {
    let sections = spec.split("\n## ").skip(1).map(|section| {
        let (name, text) = section.split_once('\n').unwrap_or((section, ""));
        Chapter { name: name.to_owned(), rules: rules(text) }
    });
    sections.filter(|chapter| !chapter.rules.is_empty()).collect()
}

fn rules(chapter: &str) -> Vec<Rule> {
    let rule = |text: &str| {
        let (number, text) = text.split_once("** ")?;
        let paragraph = text.split("\n\n").next()?.trim().replace('\n', " ");
        let end = paragraph.find(". ").map_or(paragraph.len(), |end| end + 1);
        Some(Rule { number: number.to_owned(), summary: paragraph[..end].to_owned() })
    };
    chapter.split("\n**").skip(1).filter_map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_a_bold_number_and_its_first_sentence() {
        let spec =
            "# S\n\n**No** rule.\n\n## Text\n\nNone.\n\n## Dict\n\nWords.\n\n**D1** A\nbound. More.\n\n**D2** It.\n";
        let rule = |number: &str, summary: &str| Rule { number: number.to_owned(), summary: summary.to_owned() };
        let rules = vec![rule("D1", "A bound."), rule("D2", "It.")];
        assert_eq!(chapters(spec), [Chapter { name: "Dict".to_owned(), rules }]);
    }
}
