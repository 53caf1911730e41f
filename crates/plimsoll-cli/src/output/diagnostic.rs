//! Renders a diagnostic for people: code, message, what the database said, the place with a caret, what to do next.

mod narrow;

use std::fmt::{self, Write as _};
use std::io::IsTerminal as _;
use std::ops::Range;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};
use plimsoll_core::{Diagnostic, Place, harmless};

/// Prints to standard error.
pub(super) fn print(diagnostic: &Diagnostic) {
    super::say(render(diagnostic, colors()).trim_end());
}

/// The text, with escape codes only if they are wanted.
fn render(diagnostic: &Diagnostic, colors: Colors) -> String {
    let theme = match colors {
        Colors::On => GraphicalTheme::unicode(),
        Colors::Off => GraphicalTheme::unicode_nocolor(),
    };
    // Lines are as long as they are: a script that looks for a phrase, and a person who follows a link, need it whole, and
    // a terminal wraps by itself.
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(120)
        .with_wrap_lines(false)
        .with_context_lines(2)
        .with_links(false);
    let mut text = "Error: ".to_owned();
    if handler.render_report(&mut text, &View::new(diagnostic)).is_err() {
        let _infallible = write!(text, "{diagnostic}");
    }
    text
}

#[derive(Clone, Copy)]
enum Colors {
    On,
    Off,
}

/// Escape codes are for terminals, unless the conventional variables say otherwise.
fn colors() -> Colors {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let declined = no_color || std::env::var_os("CLICOLOR").is_some_and(|value| value == "0");
    let wanted = set("CLICOLOR_FORCE") || (std::io::stderr().is_terminal() && !declined);
    if wanted && !no_color { Colors::On } else { Colors::Off }
}

/// A diagnostic as miette wants to see it.
#[derive(Debug)]
struct View {
    code: String,
    message: String,
    help: String,
    source: Option<Source>,
    label: Option<LabeledSpan>,
}

impl View {
    fn new(diagnostic: &Diagnostic) -> Self {
        let place = diagnostic.place.as_deref();
        let label = place.map(|place| {
            // What the database said stands above; a long label would say it twice.
            place.label().filter(|label| label.len() < 60).map(safe)
        });
        let source = place.map(Source::new);
        let label = label
            .zip(source.as_ref())
            .map(|(label, source)| LabeledSpan::new(label, source.marked.start, source.marked.len()));
        Self {
            code: diagnostic.code.to_string(),
            message: safe(&message(diagnostic)),
            help: safe(&diagnostic.help.join("\n")),
            source,
            label,
        }
    }
}

/// Before the renderer adds escape codes of its own: those of others are for nobody's terminal.
fn safe(text: &str) -> String {
    harmless::shown(text).into_owned()
}

/// The text around a place. The renderer counts columns in bytes; people count characters.
#[derive(Debug)]
struct Source {
    place: Place,
    text: String,
    /// The marked bytes of this text.
    marked: Range<usize>,
}

impl Source {
    fn new(place: &Place) -> Self {
        let (text, marked) = narrow::narrowed(safe(place.source()), place.span());
        Self { place: place.clone(), text, marked }
    }
}

impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = self.text.read_span(span, before, after)?;
        let marked = (span.offset(), before) == (self.marked.start, 0);
        let column = if marked { self.place.column() - 1 } else { text.column() };
        let named = MietteSpanContents::new_named(
            safe(self.place.file()),
            text.data(),
            *text.span(),
            text.line(),
            column,
            text.line_count(),
        );
        Ok(Box::new(named))
    }
}

fn message(diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.message.clone();
    let Some(said) = diagnostic.database.as_deref() else { return text };
    let code = said.code.as_deref().map_or_else(String::new, |code| format!("{code}: "));
    let _infallible = write!(text, "\n{code}{}", said.message);
    for (name, value) in [("DETAIL", &said.detail), ("HINT", &said.hint), ("CONTEXT", &said.context)] {
        if let Some(value) = value {
            let _infallible = write!(text, "\n{name}: {value}");
        }
    }
    text
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for View {}

impl miette::Diagnostic for View {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.help.is_empty()).then(|| Box::new(&self.help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.label.clone().map(|label| Box::new(std::iter::once(label)) as Box<dyn Iterator<Item = _>>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::{Code, DatabaseMessage};

    #[test]
    fn an_error_shows_its_code_its_place_and_the_next_step() {
        let source = "CREATE TABLE a (id int);\nINSERT INTO nope VALUES (1);\n";
        let said = DatabaseMessage {
            code: Some("42P01".to_owned()),
            hint: Some("a hint".to_owned()),
            ..DatabaseMessage::new("relation \"nope\" does not exist")
        };
        let diagnostic = Diagnostic::new(Code::MigrationFailed, "A migration failed to apply: `1_init`")
            .at(Place::new("prisma/migrations/1_init/migration.sql", source, 37..41)
                .labelled("relation \"nope\" does not exist"))
            .said_by(said)
            .help("correct it");
        insta::assert_snapshot!(render(&diagnostic, Colors::Off));
        assert!(render(&diagnostic, Colors::On).contains("\u{1b}["));
    }

    #[test]
    fn an_error_behind_seventy_thousand_characters_of_a_line_is_shown_with_its_surroundings() {
        let row = "(1, 'é'), ";
        let line = format!(
            "INSERT INTO ship VALUES {}(2); boom; {}\nSELECT 1;\n",
            row.repeat(9000),
            row.repeat(9000)
        );
        let start = line.find("boom").expect("it is there");
        let column = line[..start].chars().count() + 1;
        let diagnostic = Diagnostic::new(Code::MigrationFailed, "failed").at(Place::new(
            "migration.sql",
            &line,
            start..start + 4,
        ));
        let text = render(&diagnostic, Colors::Off);
        assert!(text.contains(&format!("migration.sql:1:{column}]")), "{text}");
        assert!(text.contains("(1, 'é'), (2); boom; (1, 'é')") && text.contains("SELECT 1;"), "{text}");
        assert!(text.len() < 4000, "{text}");
    }

    #[test]
    fn no_escape_code_of_others_is_shown() {
        let source = "SELECT '\u{1b}[2J\u{9b}1m';\nboom\n";
        let said = DatabaseMessage {
            detail: Some("\u{1b}]0;x\u{7}".to_owned()),
            ..DatabaseMessage::new("\u{1b}[8m")
        };
        let diagnostic = Diagnostic::new(Code::MigrationFailed, "failed: `\u{1b}c`")
            .at(Place::new("m/\u{1b}[1A/migration.sql", source, 19..23).labelled("\u{1b}[31m"))
            .said_by(said)
            .help("\rcorrect it");
        let text = render(&diagnostic, Colors::Off);
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        assert!(text.contains("?[2J??1m") && text.contains("correct it"), "{text}");
    }
}
