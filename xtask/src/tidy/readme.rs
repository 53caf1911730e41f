//! The README is short, its two commands are the ones that are run, and every page of `docs/` can be reached from it.

use super::tree::{Finding, Source, Tree};

const MOST_LINES: usize = 149;

/// Checks the length and the two sections.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let file = match tree.need("README.md") {
        Ok(file) => file,
        Err(missing) => return missing,
    };
    let mut findings: Vec<Finding> =
        ["## Try it", "## Test it"].iter().flat_map(|heading| check_section(file, heading)).collect();
    if file.text.lines().count() > MOST_LINES {
        findings.push(Finding::new(&file.path, MOST_LINES + 1, "the README has to stay under 150 lines"));
    }
    findings.extend(unreachable(tree, file));
    findings
}

/// The pages that nobody finds who begins at the README: a merge can lose a link as easily as an author can forget it.
fn unreachable(tree: &Tree, readme: &Source) -> Vec<Finding> {
    let is_page = |file: &&Source| {
        file.path.strip_prefix("docs/").is_some_and(|name| name.strip_suffix(".md").is_some())
    };
    let pages = tree.files().iter().filter(is_page);
    let lost = pages.filter(|page| !readme.text.contains(&format!("]({})", page.path)));
    lost.map(|page| Finding::new(&page.path, 1, "README.md has no link to this page")).collect()
}

/// The section holds one block of shell, and that one line.
fn check_section(file: &Source, heading: &str) -> Vec<Finding> {
    let Some((number, _)) = file.lines().find(|(_, line)| *line == heading) else {
        return vec![Finding::new(&file.path, 1, format!("there is no section `{heading}`"))];
    };
    let section: Vec<&str> =
        file.text.lines().skip(number).take_while(|line| !line.starts_with("## ")).collect();
    let blocks = blocks(&section);
    if blocks.len() == 1 && blocks[0].len() == 1 {
        return Vec::new();
    }
    vec![Finding::new(&file.path, number, format!("`{heading}` needs one `sh` block with one line in it"))]
}

fn blocks<'text>(lines: &[&'text str]) -> Vec<Vec<&'text str>> {
    let starts = lines.iter().enumerate().filter(|(_, line)| **line == "```sh");
    starts
        .map(|(at, _)| lines[at + 1..].iter().copied().take_while(|line| *line != "```").collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "# P\n## Try it\nSo:\n```sh\none\n```\nand see\n```text\na\nb\n```\n## Test it\n```sh\ntwo\n```\n";

    fn count(text: &str) -> usize {
        check(&Tree::of(&[("README.md", text)])).len()
    }

    #[test]
    fn a_section_without_its_one_line_is_found() {
        assert_eq!(count(GOOD), 0);
        assert_eq!(count(&GOOD.replace("one\n", "one\nmore\n")), 1);
        assert_eq!(count(&GOOD.replace("two\n", "")), 1);
        assert_eq!(count(&GOOD.replace("```text", "```sh")), 1);
        assert_eq!(count(&GOOD.replace("## Test it", "## Tests")), 1);
    }

    #[test]
    fn a_page_without_a_link_is_found() {
        let page = ("docs/exec.md", "# Exec");
        assert_eq!(check(&Tree::of(&[("README.md", GOOD), page])).len(), 1);
        let linked = format!("{GOOD}[exec](docs/exec.md)\n");
        assert_eq!(check(&Tree::of(&[("README.md", &linked), page])).len(), 0);
    }

    #[test]
    fn a_long_or_missing_readme_is_found() {
        assert_eq!(count(&format!("{GOOD}{}", "line\n".repeat(140))), 1);
        assert_eq!(check(&Tree::of(&[])).len(), 1);
    }
}
