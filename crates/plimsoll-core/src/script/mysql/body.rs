//! Where the body of a routine, trigger or event ends: a semicolon in it ends nothing but a statement of the body.
//!
//! The server knows that because its grammar does. What has to be known of that grammar is little: at the start of a
//! statement of a body a few words open a block, anywhere else they are names, functions or expressions.

use super::lexer::Kind;

/// What is known of a statement that is being read, as far as semicolons go.
#[derive(Debug, Default)]
pub(super) struct Body {
    part: Part,
    frames: Vec<Frame>,
    place: Place,
    previous: Previous,
}

/// Which part of the statement is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    /// Nothing has been read.
    #[default]
    Fresh,
    /// `CREATE` or `ALTER`, and it is not known yet of what.
    Head,
    /// A routine, before and inside of its parameters, at this depth of parentheses.
    Parameters(usize),
    /// A routine behind its parameters.
    Characteristics(usize),
    /// A trigger, before `FOR EACH ROW`.
    Trigger,
    /// An event, before `DO`.
    Event(usize),
    /// A body.
    Body,
    /// A statement without a body.
    Plain,
}

/// A block that has been opened and not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    Begin,
    /// `IF` or the statement `CASE`: what is behind `THEN` is a list of statements.
    Choice,
    /// `WHILE` or `FOR`: what is behind `DO` is a list of statements.
    Counted,
    Loop,
    Repeat,
    /// The condition behind `UNTIL`, which `END` follows without a semicolon.
    Until,
    /// The expression `CASE`.
    Expression,
}

/// Where in a body the next token stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Inside of a statement.
    #[default]
    Within,
    /// At the start of one.
    Start,
    /// Behind the first word of one, which is a label if a colon follows.
    Label,
    /// Behind `FOLLOWS` or `PRECEDES`, before the name of the other trigger.
    Order,
    /// In a `DECLARE`.
    Declare,
    /// In a `DECLARE … HANDLER`, before its `FOR`.
    Handler,
    /// Before one of the conditions of a handler.
    Condition,
    /// In a condition of two words or more.
    LongCondition,
    /// Behind a condition: a comma, or the handler's statement.
    Handled,
}

/// What the last token was, as far as it decides whether `END` is a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Previous {
    /// Something that an expression can end with.
    #[default]
    Operand,
    /// Something that has to be followed by an operand.
    Operator,
    /// `END`, behind which `CASE` says what has ended.
    End,
    /// `EACH`, which `ROW` follows before the body of a trigger.
    Each,
    /// `RETURNS`: a type follows.
    Returns,
    /// `CHARACTER` or `CHAR`, behind which `SET` belongs to a type.
    Character,
}

/// The words that a statement of a body can begin with, behind the characteristics of a routine.
const STARTS: [&str; 44] = [
    "alter",
    "analyze",
    "begin",
    "call",
    "case",
    "check",
    "commit",
    "create",
    "deallocate",
    "declare",
    "delete",
    "do",
    "drop",
    "execute",
    "explain",
    "flush",
    "for",
    "get",
    "grant",
    "if",
    "insert",
    "iterate",
    "kill",
    "leave",
    "loop",
    "optimize",
    "prepare",
    "rename",
    "repair",
    "repeat",
    "replace",
    "resignal",
    "return",
    "revoke",
    "rollback",
    "savepoint",
    "select",
    "set",
    "show",
    "signal",
    "start",
    "truncate",
    "update",
    "while",
];

/// Words of an expression that an operand has to follow, so that `END` behind them is a name.
const OPERATORS: [&str; 18] = [
    "and", "between", "by", "case", "distinct", "div", "else", "in", "interval", "is", "like", "mod", "not",
    "or", "regexp", "select", "when", "xor",
];

/// Whether a semicolon ends the statement that it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Semicolon {
    Ends,
    Belongs,
}

impl Body {
    /// The body of a statement that is one from its first word on, as MariaDB runs `BEGIN NOT ATOMIC` and its like.
    pub(super) fn compound() -> Self {
        Self { part: Part::Body, place: Place::Start, ..Self::default() }
    }

    /// Whether the statement has a body that has not ended.
    pub(super) fn is_open(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Takes a semicolon.
    pub(super) fn semicolon(&mut self) -> Semicolon {
        while self.frames.last() == Some(&Frame::Expression) {
            self.frames.pop();
        }
        if !self.is_open() {
            return Semicolon::Ends;
        }
        self.place = Place::Start;
        self.previous = Previous::Operand;
        Semicolon::Belongs
    }

    /// Takes any other token; `word` is its text in lower case if it is a word without quotes.
    pub(super) fn take(&mut self, kind: Kind, word: &str, text: &str) {
        match self.part {
            Part::Fresh => {
                self.part = if matches!(word, "create" | "alter") { Part::Head } else { Part::Plain }
            }
            Part::Head => self.head(word),
            Part::Parameters(depth) => self.parameters(kind, depth),
            Part::Characteristics(depth) => self.characteristics(kind, word, text, depth),
            Part::Trigger if word == "row" && self.previous == Previous::Each => self.enter(),
            Part::Event(depth) => self.event(kind, word, depth),
            Part::Body => self.body(kind, word, text),
            Part::Trigger | Part::Plain => {}
        }
        self.previous = previous(kind, word);
    }

    fn enter(&mut self) {
        self.part = Part::Body;
        self.place = Place::Start;
    }

    fn head(&mut self, word: &str) {
        // A definer is a user, whatever its name.
        if self.previous == Previous::Operator {
            return;
        }
        self.part = match word {
            "procedure" | "function" => Part::Parameters(0),
            "trigger" => Part::Trigger,
            "event" => Part::Event(0),
            "" | "or" | "replace" | "definer" | "current_user" | "current_role" | "aggregate" => Part::Head,
            _ => Part::Plain,
        };
    }

    fn parameters(&mut self, kind: Kind, depth: usize) {
        self.part = match (kind, depth) {
            (Kind::Open, _) => Part::Parameters(depth + 1),
            (Kind::Close, 0 | 1) => Part::Characteristics(0),
            (Kind::Close, _) => Part::Parameters(depth - 1),
            _ => self.part,
        };
    }

    fn characteristics(&mut self, kind: Kind, word: &str, text: &str, depth: usize) {
        match kind {
            Kind::Open => self.part = Part::Characteristics(depth + 1),
            Kind::Close => self.part = Part::Characteristics(depth.saturating_sub(1)),
            // The colon of a label: the word before it was not taken for a part of the header.
            Kind::Symbol if depth == 0 && text == ":" => self.enter(),
            _ if depth == 0 && !self.is_of_a_type(word) && STARTS.contains(&word) => {
                self.enter();
                self.body(kind, word, text);
            }
            _ => {}
        }
    }

    /// Whether this word of a routine's header belongs to the type that the routine returns.
    fn is_of_a_type(&self, word: &str) -> bool {
        self.previous == Previous::Returns || self.previous == Previous::Character && word == "set"
    }

    fn event(&mut self, kind: Kind, word: &str, depth: usize) {
        match kind {
            Kind::Open => self.part = Part::Event(depth + 1),
            Kind::Close => self.part = Part::Event(depth.saturating_sub(1)),
            _ if depth == 0 && word == "do" && self.previous == Previous::Operand => self.enter(),
            _ => {}
        }
    }

    fn body(&mut self, kind: Kind, word: &str, text: &str) {
        if self.place == Place::Label && text != ":" {
            self.place = Place::Within;
        }
        match self.place {
            Place::Within => self.within(kind, word),
            Place::Label | Place::Order => self.place = Place::Start,
            Place::Declare if word == "handler" => self.place = Place::Handler,
            Place::Handler if word == "for" => self.place = Place::Condition,
            Place::Condition if matches!(word, "sqlstate" | "not") => self.place = Place::LongCondition,
            Place::LongCondition if word == "value" => {}
            Place::Condition | Place::LongCondition => self.place = Place::Handled,
            Place::Handled if text == "," => self.place = Place::Condition,
            Place::Start | Place::Handled => self.start(word),
            Place::Declare | Place::Handler => {}
        }
    }

    /// The first token of a statement.
    fn start(&mut self, word: &str) {
        let frame = match word {
            "begin" => Some((Frame::Begin, Place::Start)),
            "if" | "case" => Some((Frame::Choice, Place::Within)),
            "while" | "for" => Some((Frame::Counted, Place::Within)),
            "loop" => Some((Frame::Loop, Place::Start)),
            "repeat" => Some((Frame::Repeat, Place::Start)),
            _ => None,
        };
        self.place = match (frame, word) {
            (Some((frame, place)), _) => {
                self.frames.push(frame);
                place
            }
            (None, "end") => self.close(),
            (None, "until") if self.frames.last() == Some(&Frame::Repeat) => self.until(),
            // `BEGIN NOT ATOMIC`, and the last branch of a choice.
            (None, "not" | "atomic" | "else") => Place::Start,
            (None, "follows" | "precedes") if self.frames.is_empty() => Place::Order,
            (None, "declare") => Place::Declare,
            (None, "elseif" | "when") => Place::Within,
            (None, _) => Place::Label,
        };
    }

    fn close(&mut self) -> Place {
        self.frames.pop();
        Place::Within
    }

    fn until(&mut self) -> Place {
        self.frames.pop();
        self.frames.push(Frame::Until);
        Place::Within
    }

    /// A token that is not the first of its statement.
    fn within(&mut self, kind: Kind, word: &str) {
        let top = self.frames.last().copied();
        match (word, top) {
            _ if kind != Kind::Word || self.previous == Previous::Operator && word == "end" => {}
            ("case", _) if self.previous != Previous::End => self.frames.push(Frame::Expression),
            ("end", Some(Frame::Expression | Frame::Until)) => {
                self.frames.pop();
            }
            ("then", Some(Frame::Choice)) | ("do", Some(Frame::Counted)) => self.place = Place::Start,
            _ => {}
        }
    }
}

fn previous(kind: Kind, word: &str) -> Previous {
    match (kind, word) {
        (Kind::Symbol | Kind::Open, _) => Previous::Operator,
        (_, "end") => Previous::End,
        (_, "each") => Previous::Each,
        (_, "returns") => Previous::Returns,
        (_, "character" | "char") => Previous::Character,
        (_, word) if OPERATORS.contains(&word) => Previous::Operator,
        _ => Previous::Operand,
    }
}
