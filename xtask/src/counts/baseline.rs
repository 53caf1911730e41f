//! `bench/counts.toml`: what the counts were when somebody last looked at them.

use std::fmt::Write as _;

use toml::{Table, Value};

use crate::process::Outcome;

/// Each count with its name, in the order in which they are taken.
pub(super) type Counts = Vec<(String, u64)>;

/// Counts, and the tools that they were taken with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Baseline {
    /// The first lines that Rust and valgrind say of their versions.
    pub(super) made_with: [String; 2],
    pub(super) counts: Counts,
}

impl Baseline {
    /// Reads the file.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let table: Table = text.parse().map_err(|error| format!("the baseline is not TOML: {error}"))?;
        let tool = |name: &str| {
            let value = table.get(name).and_then(Value::as_str).map(str::to_owned);
            value.ok_or_else(|| format!("the baseline does not say `{name}`"))
        };
        let counts = table.get("instructions").and_then(Value::as_table);
        let counts = counts.ok_or("the baseline has no `[instructions]`")?;
        let count = |(name, value): (&String, &Value)| {
            let count = value.as_integer().and_then(|count| u64::try_from(count).ok());
            count.map(|count| (name.clone(), count)).ok_or_else(|| format!("`{name}` is no count"))
        };
        Ok(Self {
            made_with: [tool("rust")?, tool("valgrind")?],
            counts: counts.iter().map(count).collect::<Outcome<_>>()?,
        })
    }

    /// The file.
    pub(super) fn text(&self) -> String {
        let [rust, valgrind] = &self.made_with;
        let mut text = format!(
            "# How many instructions a run without work takes. Written by `cargo xtask counts --write`.\n\
             rust = \"{rust}\"\nvalgrind = \"{valgrind}\"\n\n[instructions]\n"
        );
        for (name, count) in &self.counts {
            let _infallible = writeln!(text, "{name} = {count}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let counts = vec![("version".to_owned(), 7), ("deploy-sqlite-1".to_owned(), 9)];
        let baseline = Baseline { made_with: ["rustc 1".into(), "valgrind 3".into()], counts };
        let mut read = Baseline::parse(&baseline.text()).unwrap();
        read.counts.sort_by_key(|(_, count)| *count);
        assert_eq!(read, baseline);
    }

    #[test]
    fn what_is_no_baseline_says_what_is_wrong_with_it() {
        assert!(Baseline::parse("rust = \"1\"\nvalgrind = \"2\"\n").unwrap_err().contains("[instructions]"));
        let text = "rust = \"1\"\nvalgrind = \"2\"\n[instructions]\nversion = -1\n";
        assert!(Baseline::parse(text).unwrap_err().contains("`version`"));
        assert!(Baseline::parse("[instructions]\n").unwrap_err().contains("`rust`"));
    }
}
