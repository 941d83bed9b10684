//! The state of a run between two iterations as a row of words, so that a run can be kept in a file and go on later with the same
//! bits. A method shows its memory by walking over it once; the same walk keeps it and puts it back, so the two cannot differ.
//! Where the words are kept is left to the watcher.

/// Walks over a method's memory: every number that an update changes and a later iteration reads, always in the same order.
pub trait State {
    /// One word.
    fn word(&mut self, word: &mut u64);

    /// A number.
    fn number(&mut self, value: &mut f64) {
        let mut word = value.to_bits();
        self.word(&mut word);
        *value = f64::from_bits(word);
    }

    /// The numbers of a vector whose length the method and the problem determine.
    fn numbers(&mut self, values: &mut [f64]) {
        for value in values {
            self.number(value);
        }
    }

    /// A count.
    fn count(&mut self, count: &mut usize) {
        let mut word = *count as u64;
        self.word(&mut word);
        *count = word as usize;
    }

    /// A truth value.
    fn flag(&mut self, flag: &mut bool) {
        let mut word = u64::from(*flag);
        self.word(&mut word);
        *flag = word != 0;
    }
}

/// A run between two iterations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Updates made so far.
    pub iteration: usize,
    /// Everything else, for the method and the problem it was made from alone.
    pub words: Vec<u64>,
}

/// Keeps what it is shown.
#[derive(Debug, Default)]
pub(crate) struct Keep {
    /// The words so far.
    pub words: Vec<u64>,
}

impl State for Keep {
    fn word(&mut self, word: &mut u64) {
        self.words.push(*word);
    }
}

/// Puts back what was kept.
#[derive(Debug)]
pub(crate) struct PutBack<'a> {
    words: std::slice::Iter<'a, u64>,
    short: bool,
}

impl<'a> PutBack<'a> {
    pub(crate) fn new(words: &'a [u64]) -> Self {
        PutBack { words: words.iter(), short: false }
    }

    /// Whether the words were as many as were asked for.
    pub(crate) fn fits(&self) -> bool {
        !self.short && self.words.len() == 0
    }
}

impl State for PutBack<'_> {
    fn word(&mut self, word: &mut u64) {
        match self.words.next() {
            Some(kept) => *word = *kept,
            None => self.short = true,
        }
    }
}
