//! What blo says about a wrong model. Data only: drawing it on a terminal is the command line's work.

use crate::span::Span;

/// How serious a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The model cannot be run.
    Error,
    /// The model can be run, but something in it is probably not meant.
    Warning,
}

/// A remark at one place of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What stands there, in a few words.
    pub text: String,
}

/// A change of the source that puts a mistake right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// What stands there then.
    pub text: String,
}

/// One message: a code, a headline, the main place, other parties, and advice.
///
/// Headline: short, lower case, no full stop, in the user's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Stable code such as `E0203`; `blo explain` knows each one.
    pub code: &'static str,
    /// The headline.
    pub message: String,
    /// The main place first, then every other party.
    pub labels: Vec<Label>,
    /// What to do about it, when the fix is likely to be right.
    pub help: Option<String>,
    /// Further facts, one sentence each.
    pub notes: Vec<String>,
    /// The change that `help` describes, where it is certain what to write.
    pub edit: Option<Edit>,
}

impl Diagnostic {
    /// An error with its main place. `label` says what was found there.
    pub fn error(
        code: &'static str,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Self {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            labels: vec![Label { span, text: label.into() }],
            help: None,
            notes: Vec::new(),
            edit: None,
        }
    }

    /// A warning with its main place.
    pub fn warning(
        code: &'static str,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Self {
        Diagnostic { severity: Severity::Warning, ..Self::error(code, message, span, label) }
    }

    /// Adds another party.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Sets the advice.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Sets the advice that another name was meant at the main place.
    #[must_use]
    pub fn did_you_mean(self, near: &str) -> Self {
        let span = self.span();
        self.help(format!("did you mean `{near}`?")).edit(span, near)
    }

    /// Sets the change that puts it right.
    #[must_use]
    pub fn edit(mut self, span: Span, text: impl Into<String>) -> Self {
        self.edit = Some(Edit { span, text: text.into() });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Whether this stops the model from being run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The main place.
    pub fn span(&self) -> Span {
        self.labels[0].span
    }
}
