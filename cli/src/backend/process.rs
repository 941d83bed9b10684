//! Finding a program, and running it in a private folder until it ends, the time is up or Ctrl-C is pressed.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::End;
use crate::files::Trouble;
use crate::watch::Watch;

/// How long a program that knows the time limit may go on after it, to write down what it has.
const GRACE: Duration = Duration::from_millis(500);

/// Time between two looks at the program.
const LOOK: Duration = Duration::from_millis(5);

/// Where a program lies in the folders of PATH.
pub fn found(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&folders).map(|folder| folder.join(&file)).find(|path| path.is_file())
}

/// A program to be run, once or several times, within a time.
pub struct Task {
    program: PathBuf,
    folder: PathBuf,
    limit: Option<Duration>,
    started: Instant,
}

/// How a run ended that was not stopped.
pub struct Ran {
    /// The exit status.
    pub status: ExitStatus,
    /// The last line that it printed.
    pub last_line: String,
}

impl Task {
    /// A task with a fresh folder that nobody else may read.
    pub fn new(program: PathBuf, limit: Option<f64>) -> Result<Task, Trouble> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("blo-backend-{}-{number}", std::process::id()));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // A folder that is there already is somebody else's.
        builder.create(&folder).map_err(|e| cannot("make the folder", &folder, &e))?;
        let limit = limit.map(|s| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX));
        Ok(Task { program, folder, limit, started: Instant::now() })
    }

    /// Seconds that are left.
    pub fn left(&self) -> Option<f64> {
        Some(self.limit?.saturating_sub(self.started.elapsed()).as_secs_f64())
    }

    /// Whether the time is up, or Ctrl-C was pressed.
    pub fn stopped(&self) -> Option<End> {
        if Watch::interrupted() {
            return Some(End::Interrupted);
        }
        self.limit.filter(|limit| self.started.elapsed() >= *limit).map(|_| End::TimeLimit)
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) -> Result<(), Trouble> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|e| cannot("write", &path, &e))
    }

    /// Reads a file of the folder; `None` where there is none.
    pub fn read(&self, name: &str) -> Option<String> {
        let bytes = fs::read(self.folder.join(name)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Runs the program in the folder after removing what an earlier run left in `answer`; `Err` of an end where it was stopped.
    pub fn run(&self, answer: &str, arguments: &[String]) -> Result<Result<Ran, End>, Trouble> {
        // That there is none is as good.
        let _ = fs::remove_file(self.folder.join(answer));
        let log = self.folder.join("log");
        let file = File::create(&log).map_err(|e| cannot("write", &log, &e))?;
        let errors = file.try_clone().map_err(|e| cannot("write", &log, &e))?;
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(file).stderr(errors);
        let mut child = command.spawn().map_err(|e| cannot("run", &self.program, &e))?;
        let waited = self.wait(&mut child);
        if !matches!(waited, Ok(Ok(_))) {
            // It may have ended by itself meanwhile.
            let _ = child.kill();
            let _ = child.wait();
        }
        let status = match waited.map_err(|e| cannot("wait for", &self.program, &e))? {
            Ok(status) => status,
            Err(end) => return Ok(Err(end)),
        };
        let said = self.read("log").unwrap_or_default();
        let last_line = said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
        Ok(Ok(Ran { status, last_line: last_line.chars().take(200).collect() }))
    }

    fn wait(&self, child: &mut Child) -> std::io::Result<Result<ExitStatus, End>> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Ok(status));
            }
            if Watch::interrupted() {
                return Ok(Err(End::Interrupted));
            }
            if self.limit.is_some_and(|limit| self.started.elapsed() >= limit.saturating_add(GRACE)) {
                return Ok(Err(End::TimeLimit));
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        // Leftovers of a failed removal are harmless.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Ran {
    /// Why there is no answer, where the program wrote none that can be read.
    pub fn without_answer(&self, why: &str) -> String {
        let said =
            if self.last_line.is_empty() { String::new() } else { format!("; it said: {}", self.last_line) };
        format!("{why} ({}){said}", self.status)
    }
}

fn cannot(what: &str, path: &std::path::Path, error: &std::io::Error) -> Trouble {
    Trouble::new(format!("cannot {what} `{}`: {error}", path.display()))
}
