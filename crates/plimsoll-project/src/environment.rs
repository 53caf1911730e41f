//! The variables that a project sees: those of the process, and those that a `.env` file adds.

use std::collections::BTreeMap;

/// Environment variables. It can hold passwords, so that there is no `Debug`.
#[derive(Clone)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// The variables of the process.
    pub(crate) fn new(variables: BTreeMap<String, String>) -> Self {
        Self { variables }
    }

    /// The value of a variable; an empty one is a value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Adds a variable unless it has a value already: a `.env` file never overrides the environment.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.variables.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }

    /// Gives a variable a value, as `dotenv.config({ override: true })` does.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_never_overrides_even_an_empty_value() {
        let mut environment = Environment::new(BTreeMap::from([("A".to_owned(), String::new())]));
        environment.add("A", "file");
        environment.add("B", "file");
        assert_eq!(environment.get("A"), Some(""));
        assert_eq!(environment.get("B"), Some("file"));
        environment.set("A", "forced");
        assert_eq!(environment.get("A"), Some("forced"));
        assert_eq!(environment.get("C"), None);
    }
}
