//! The environment, and what is to be said of it.

use super::Signal;

/// Where the values come from.
type Look<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Looks variables up, and keeps what is wrong about them.
pub(crate) struct Variables<'a> {
    look: Look<'a>,
    warnings: Vec<String>,
}

impl<'a> Variables<'a> {
    /// Nothing has been looked up yet.
    pub(crate) fn new(look: Look<'a>) -> Self {
        Self { look, warnings: Vec::new() }
    }

    /// The value of a variable. An empty one is as one that is not set, as the specification wants it.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        (self.look)(name).filter(|value| !value.trim().is_empty())
    }

    /// An option of the exporter, with the name of the variable that it has been found in: the signal's own wins.
    pub(crate) fn of(&self, signal: Signal, option: &str) -> Option<(String, String)> {
        let own = format!("OTEL_EXPORTER_OTLP_{}_{option}", signal.word());
        let names = [own, format!("OTEL_EXPORTER_OTLP_{option}")];
        names.into_iter().find_map(|name| self.get(&name).map(|value| (name, value.trim().to_owned())))
    }

    /// Remembers something to say, once.
    pub(crate) fn warn(&mut self, sentence: String) {
        if !self.warnings.contains(&sentence) {
            self.warnings.push(sentence);
        }
    }

    /// What there is to say.
    pub(crate) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }
}
