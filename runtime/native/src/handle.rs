//! A handle: one problem in memory, behind a lock, and the words for what last went wrong.

use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, Once, PoisonError};

use blo_runtime::constrained::nlp::Nlp;
use blo_runtime::derivatives::Derivatives;
use blo_runtime::frozen::{Thawed, thaw};

use crate::Code;

/// Lengths of vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lens {
    /// Of `x`.
    pub upper: usize,
    /// Of `y`, with the multipliers that the model reads behind the lower variables.
    pub lower: usize,
    /// Of the reports.
    pub reports: usize,
    /// Rows of the upper level.
    pub upper_rows: usize,
    /// Rows of the lower level.
    pub lower_rows: usize,
    /// Lower variables, without multipliers.
    pub variables: usize,
}

/// A problem in memory.
pub struct Handle {
    /// Lengths.
    pub lens: Lens,
    /// What stands beside the problem.
    pub manifest: CString,
    inner: Mutex<Inner>,
}

/// What a call works with.
pub struct Inner {
    /// The problem and its method.
    pub thawed: Thawed,
    message: String,
}

/// Why a call was not done.
pub type Failure = (Code, String);

// SAFETY: the problem is made of memory and code that belong to it alone, counters and plain data; nothing is tied to the thread that made
// it. `Derivatives` does not say so, because tests implement it by other means, but a frozen problem holds compiled programs only.
unsafe impl Send for Inner {}

impl Handle {
    /// The frozen problem, put into memory.
    pub fn open(bytes: &[u8]) -> Result<Handle, String> {
        let thawed = thaw(bytes).map_err(|error| error.to_string())?;
        let problem = &thawed.problem;
        let constrained = problem.constrained.as_deref();
        let follower = constrained.and_then(|c| c.follower.as_ref());
        let lens = Lens {
            upper: problem.upper.len(),
            lower: problem.lower.len(),
            reports: problem.reports_len(),
            upper_rows: constrained.map_or(0, |c| c.upper_rows),
            lower_rows: follower.map_or(0, |f| f.nlp.equal.len()),
            variables: constrained.map_or(problem.lower.len(), |c| c.lens.1),
        };
        let manifest = CString::new(thawed.head.manifest.clone()).unwrap_or_default();
        Ok(Handle { lens, manifest, inner: Mutex::new(Inner { thawed, message: String::new() }) })
    }

    /// Does something with the problem while no other caller does; keeps the words for a failure.
    pub fn call(&self, action: impl FnOnce(&mut Inner) -> Result<(), Failure>) -> i32 {
        self.locked(|inner| {
            inner.thawed.renew().map_err(|words| (Code::Argument, words))?;
            action(inner)
        })
    }

    /// Changes data, which takes effect in the next [`Handle::call`].
    pub fn change(&self, action: impl FnOnce(&mut Thawed) -> Result<(), Failure>) -> i32 {
        self.locked(|inner| action(&mut inner.thawed))
    }

    fn locked(&self, action: impl FnOnce(&mut Inner) -> Result<(), Failure>) -> i32 {
        // After a panic the numbers in the buffers are of no account, and every call writes its own.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = guarded(|| action(&mut inner));
        match ended.unwrap_or_else(|words| Err((Code::Fault, words))) {
            Ok(()) => Code::Ok as i32,
            Err((code, words)) => {
                inner.message = words;
                code as i32
            }
        }
    }

    /// The words for the last failure.
    pub fn message(&self) -> String {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).message.clone()
    }
}

impl Inner {
    /// The follower's program at `x`.
    pub fn follower(&mut self, x: &[f64]) -> Result<&mut Nlp, Failure> {
        let follower = self.thawed.problem.constrained.as_mut().and_then(|c| c.follower.as_mut());
        let follower = follower.ok_or_else(|| absent("constraints of the lower level"))?;
        follower.nlp.set_parameters(x);
        Ok(&mut follower.nlp)
    }
}

/// The model does not have this.
pub fn absent(what: &str) -> Failure {
    (Code::Absent, format!("the model was compiled without {what}"))
}

/// Runs an action; the words of a panic that it ends with.
pub fn guarded<R>(action: impl FnOnce() -> R) -> Result<R, String> {
    static QUIET: Once = Once::new();
    // This hook is that of the library's own copy of the standard library: a panic is an error code, not a line on a terminal.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    catch_unwind(AssertUnwindSafe(action)).map_err(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        words.unwrap_or("blo has a bug").to_owned()
    })
}

/// Copies as much of a text as fits, with a zero at its end.
///
/// # Safety
/// `to` must be null or `room` bytes.
pub unsafe fn copy_text(text: &str, to: *mut c_char, room: usize) {
    if to.is_null() || room == 0 {
        return;
    }
    let mut len = text.len().min(room - 1);
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    // SAFETY: `len + 1` bytes fit.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr().cast(), to, len);
        *to.add(len) = 0;
    }
}

/// The numbers behind a pointer.
///
/// # Safety
/// `from` must be null or `len` numbers that nothing writes to for as long as they are used.
pub unsafe fn numbers<'a>(from: *const f64, len: usize, name: &str) -> Result<&'a [f64], Failure> {
    match (from.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err((Code::Argument, format!("`{name}` is null"))),
        // SAFETY: not null, and as promised by the caller.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(from, len) }),
    }
}

/// The numbers behind a pointer, to be written.
///
/// # Safety
/// As [`numbers`], and nothing else reads them either.
pub unsafe fn places<'a>(to: *mut f64, len: usize, name: &str) -> Result<&'a mut [f64], Failure> {
    match (to.is_null(), len) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err((Code::Argument, format!("`{name}` is null"))),
        // SAFETY: not null, and as promised by the caller.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts_mut(to, len) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_problem_is_refused_in_words() {
        assert_eq!(Handle::open(b"").err().unwrap(), "it holds no compiled model");
        let version = blo_runtime::frozen::VERSION;
        let head = |version: u32| [&b"blo\0kern"[..], &version.to_le_bytes()].concat();
        assert_eq!(
            Handle::open(&head(version + 1)).err().unwrap(),
            format!("it has version {} of the format, and this is for version {version}", version + 1)
        );
        assert_eq!(Handle::open(&head(version)).err().unwrap(), "it is cut off or damaged");
    }

    #[test]
    fn a_panic_is_words() {
        assert_eq!(guarded(|| 3), Ok(3));
        assert_eq!(guarded(|| -> i32 { panic!("so it is") }), Err("so it is".to_owned()));
    }

    #[test]
    fn text_is_cut_between_characters() {
        let mut room = [1 as c_char; 4];
        // SAFETY: the array has as many bytes as it says.
        unsafe { copy_text("aäö", room.as_mut_ptr(), room.len()) };
        assert_eq!(room.map(|c| c as u8), [b'a', 0xc3, 0xa4, 0]);
    }
}
