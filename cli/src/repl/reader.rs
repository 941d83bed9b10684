//! Where the texts come from: a terminal with line editing and a history that is kept, or lines of standard input.

use std::cell::RefCell;
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::rc::Rc;

use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use super::complete::Names;
use super::editor::Assistant;
use super::goes_on;

/// Entries of the history.
const HISTORY: usize = 5000;

/// What came in.
pub enum Input {
    /// A whole entry.
    Text(String),
    /// The entry was given up.
    Nothing,
    /// There is no more.
    End,
}

/// Reads entries.
pub enum Reader {
    /// From a terminal.
    Terminal {
        /// The line editor.
        editor: Box<Editor<Assistant, FileHistory>>,
        /// Where the history is kept.
        history: Option<PathBuf>,
    },
    /// From standard input.
    Script,
}

impl Reader {
    /// On a terminal with completion by these names. Where the terminal cannot be used for editing, lines are read as they come.
    pub fn open(names: &Rc<RefCell<Names>>) -> Self {
        if !std::io::stdin().is_terminal() {
            return Reader::Script;
        }
        let config =
            Config::builder().completion_type(CompletionType::List).history_ignore_space(true).build();
        let Ok(mut editor) = Editor::<Assistant, FileHistory>::with_config(config) else {
            return Reader::Script;
        };
        // A history of another length is as good.
        let _ = editor.set_max_history_size(HISTORY);
        editor.set_helper(Some(Assistant::new(names.clone())));
        let history = history();
        if let Some(path) = &history {
            // Without an earlier history the new one is the first.
            let _ = editor.load_history(path);
        }
        Reader::Terminal { editor: Box::new(editor), history }
    }

    /// Whether somebody sits at it.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Reader::Terminal { .. })
    }

    /// The next entry.
    pub fn next(&mut self) -> Input {
        match self {
            Reader::Terminal { editor, .. } => match editor.readline("blo> ") {
                Ok(text) => {
                    if !text.trim().is_empty() {
                        // An entry that is not kept can be typed again.
                        let _ = editor.add_history_entry(text.as_str());
                    }
                    Input::Text(text)
                }
                Err(ReadlineError::Interrupted) => Input::Nothing,
                Err(_) => Input::End,
            },
            Reader::Script => script(),
        }
    }

    /// Keeps the history.
    pub fn close(&mut self) {
        if let Reader::Terminal { editor, history: Some(path) } = self {
            if let Some(folder) = path.parent() {
                // What cannot be kept is lost, which is no reason to end with an error.
                let _ = std::fs::create_dir_all(folder);
            }
            let _ = editor.append_history(path);
        }
    }
}

/// Lines until an entry is whole.
fn script() -> Input {
    let mut text = String::new();
    let mut lines = std::io::stdin().lock();
    loop {
        match lines.read_line(&mut text) {
            Ok(0) | Err(_) if text.is_empty() => return Input::End,
            Ok(0) | Err(_) => return Input::Text(text),
            Ok(_) if goes_on(&text) => {}
            Ok(_) => return Input::Text(text),
        }
    }
}

/// `history` in the folder of `BLO_STATE`, or in `blo` in the platform's folder for state.
fn history() -> Option<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(chosen) = from("BLO_STATE") {
        return Some(chosen.join("history"));
    }
    let states = if cfg!(windows) {
        from("LOCALAPPDATA")?
    } else if cfg!(target_os = "macos") {
        from("HOME")?.join("Library/Application Support")
    } else {
        from("XDG_STATE_HOME")
            .filter(|p| p.is_absolute())
            .or_else(|| Some(from("HOME")?.join(".local/state")))?
    };
    Some(states.join("blo/history"))
}
