//! Compiled code on disk: one file for the code of one program. A file that is damaged, foreign or open to others is not used,
//! and a folder that cannot be written is no reason to complain: the code is then compiled again. Files come into being under
//! another name and are renamed when they are complete, so that no reader meets half of one.

use std::cell::Cell;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use blo_compiler::session::CodeCache;
use blo_runtime::frozen::checksum;

/// The beginning of every file.
const MAGIC: &[u8; 8] = b"blocode1";

/// Bytes before the checked part: the mark and the checksum.
const HEAD: usize = 24;

/// The most bytes that all files together may have.
const LIMIT: u64 = 64 << 20;

/// What is left of [`LIMIT`] after the oldest files have been removed.
const KEPT: u64 = 48 << 20;

/// After this time an unfinished file has no writer any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A folder with compiled code.
pub struct Cache {
    folder: PathBuf,
    /// Stands for this build of blo: another one may generate other code for the same program.
    build: Vec<u8>,
    found: Cell<bool>,
}

impl Cache {
    /// The user's cache; `None` where there is no place for one.
    pub fn open() -> Option<Self> {
        let about = std::fs::metadata(std::env::current_exe().ok()?).ok()?;
        let written = about.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let build = format!("{} {} {}", env!("CARGO_PKG_VERSION"), about.len(), written.as_nanos());
        Some(Cache::at(folder()?, &build))
    }

    fn at(folder: PathBuf, build: &str) -> Self {
        Cache { folder, build: build.as_bytes().to_vec(), found: Cell::new(false) }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether it had the code that was last asked for.
    pub fn found(&self) -> bool {
        self.found.get()
    }

    /// The number of programs, and their bytes.
    pub fn size(&self) -> (usize, u64) {
        let entries = self.entries();
        (entries.len(), entries.iter().map(|e| e.bytes).sum())
    }

    /// Removes everything; the number of programs that were there.
    pub fn clear(&self) -> usize {
        let entries = self.entries();
        entries.iter().filter(|entry| std::fs::remove_file(&entry.path).is_ok()).count()
    }

    /// The build and the program's own key.
    fn full_key(&self, key: &[u8]) -> Vec<u8> {
        let mut full = (self.build.len() as u64).to_le_bytes().to_vec();
        full.extend(&self.build);
        full.extend(key);
        full
    }

    fn path(&self, full_key: &[u8]) -> PathBuf {
        self.folder.join(format!("{:032x}.code", checksum(full_key)))
    }

    /// The code in a file, if the file is what was once written for this key.
    fn read(&self, full_key: &[u8]) -> Option<Vec<u8>> {
        let mut file = File::open(self.path(full_key)).ok()?;
        let about = file.metadata().ok()?;
        if !about.is_file() || about.len() > LIMIT || others_may_write(&about) {
            return None;
        }
        if others_may_write(&std::fs::metadata(&self.folder).ok()?) {
            return None;
        }
        let mut bytes = Vec::with_capacity(about.len() as usize);
        file.read_to_end(&mut bytes).ok()?;
        let (head, body) = bytes.split_at_checked(HEAD)?;
        let body = body.strip_prefix(&(full_key.len() as u64).to_le_bytes())?.strip_prefix(full_key)?;
        let right = head[..8] == *MAGIC && head[8..] == checksum(&bytes[HEAD..]).to_le_bytes();
        right.then(|| body.to_vec())
    }

    fn write(&self, full_key: &[u8], code: &[u8]) -> std::io::Result<()> {
        make_folder(&self.folder)?;
        let mut body = (full_key.len() as u64).to_le_bytes().to_vec();
        body.extend(full_key);
        body.extend(code);
        if (HEAD + body.len()) as u64 > KEPT {
            return Ok(());
        }
        let path = self.path(full_key);
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let unfinished = path.with_extension(format!("{}-{number}.new", std::process::id()));
        let written = private_file(&unfinished)
            .and_then(|mut file| {
                file.write_all(MAGIC)?;
                file.write_all(&checksum(&body).to_le_bytes())?;
                file.write_all(&body)
            })
            .and_then(|()| std::fs::rename(&unfinished, &path));
        if written.is_err() {
            // The disk is full, or an earlier process of this number has left the file behind.
            let _ = std::fs::remove_file(&unfinished);
        }
        self.evict(LIMIT, KEPT);
        written
    }

    /// Removes the oldest files when all together have more than `limit` bytes, down to `kept`.
    fn evict(&self, limit: u64, kept: u64) {
        let mut entries = self.entries();
        let mut bytes: u64 = entries.iter().map(|e| e.bytes).sum();
        entries.sort_by_key(|e| e.modified);
        let full = bytes > limit;
        for entry in entries {
            let abandoned = entry.path.extension().is_some_and(|e| e == "new")
                && entry.modified.elapsed().is_ok_and(|age| age > ABANDONED);
            if abandoned || (full && bytes > kept) {
                // Another process may have removed it already.
                let _ = std::fs::remove_file(&entry.path);
                bytes -= entry.bytes;
            }
        }
    }

    /// All files of the cache.
    fn entries(&self) -> Vec<Entry> {
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let entry = |file: std::fs::DirEntry| {
            let path = file.path();
            let own = path.extension().is_some_and(|e| e == "code" || e == "new");
            let about = file.metadata().ok().filter(|about| own && about.is_file())?;
            Some(Entry { path, bytes: about.len(), modified: about.modified().ok()? })
        };
        files.filter_map(entry).collect()
    }
}

struct Entry {
    path: PathBuf,
    bytes: u64,
    modified: SystemTime,
}

impl CodeCache for Cache {
    fn load(&self, key: &[u8]) -> Option<Vec<u8>> {
        let code = self.read(&self.full_key(key));
        self.found.set(code.is_some());
        code
    }

    fn store(&self, key: &[u8], code: &[u8]) {
        // Code that cannot be kept is compiled again, which is all that happens.
        let _ = self.write(&self.full_key(key), code);
    }
}

/// `BLO_CACHE`, or `blo` in the platform's folder for caches.
fn folder() -> Option<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(chosen) = from("BLO_CACHE") {
        return Some(chosen);
    }
    let caches = if cfg!(windows) {
        from("LOCALAPPDATA")?
    } else if cfg!(target_os = "macos") {
        from("HOME")?.join("Library/Caches")
    } else {
        // A relative path is to be ignored, says the convention.
        from("XDG_CACHE_HOME").filter(|p| p.is_absolute()).or_else(|| Some(from("HOME")?.join(".cache")))?
    };
    Some(caches.join("blo"))
}

#[cfg(unix)]
fn others_may_write(about: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o022 != 0
}

#[cfg(not(unix))]
fn others_may_write(_: &Metadata) -> bool {
    false
}

/// Makes the folder, for this user alone.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A new file, for this user alone.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Folder;

    fn file(cache: &Cache) -> PathBuf {
        let entries = cache.entries();
        assert_eq!(entries.len(), 1);
        entries[0].path.clone()
    }

    #[test]
    fn what_was_stored_comes_back_under_its_key_and_build() {
        let folder = Folder::new();
        let cache = Cache::at(folder.path("deep/cache"), "1");
        assert_eq!(cache.load(b"key"), None);
        cache.store(b"key", b"code");
        assert_eq!(cache.load(b"key").unwrap(), b"code");
        assert!(cache.found());
        assert_eq!(cache.load(b"kez"), None);
        assert!(!cache.found());
        assert_eq!(Cache::at(folder.path("deep/cache"), "2").load(b"key"), None);
        cache.store(b"key", b"other code");
        assert_eq!(cache.load(b"key").unwrap(), b"other code");
        assert_eq!((cache.size().0, cache.clear(), cache.size()), (1, 1, (0, 0)));
    }

    #[test]
    fn damaged_files_are_not_used_and_replaced() {
        let folder = Folder::new();
        let cache = Cache::at(folder.path("cache"), "1");
        cache.store(b"key", b"some code");
        let path = file(&cache);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert_eq!(cache.load(b"key"), None, "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(cache.load(b"key"), None, "cut to {at}");
        }
        std::fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
        assert_eq!(cache.load(b"key"), None);
        cache.store(b"key", b"some code");
        assert_eq!(cache.load(b"key").unwrap(), b"some code");
    }

    #[test]
    fn a_file_under_the_name_of_another_key_is_not_used() {
        let folder = Folder::new();
        let cache = Cache::at(folder.path("cache"), "1");
        cache.store(b"key", b"code");
        std::fs::rename(file(&cache), cache.path(&cache.full_key(b"other"))).unwrap();
        assert_eq!(cache.load(b"other"), None);
    }

    #[test]
    fn the_oldest_go_when_there_is_too_much() {
        let folder = Folder::new();
        let cache = Cache::at(folder.path("cache"), "1");
        let day = Duration::from_secs(86_400);
        for (age, key) in [b"a", b"b", b"c", b"d"].iter().enumerate() {
            cache.store(*key, &[0; 1000]);
            let path = cache.path(&cache.full_key(*key));
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.set_modified(SystemTime::now() - day * age as u32).unwrap();
        }
        let one = cache.size().1 / 4;
        cache.evict(4 * one, 2 * one);
        assert_eq!(cache.size().0, 4);
        cache.evict(3 * one, 2 * one);
        assert_eq!([b"a", b"b", b"c", b"d"].map(|k| cache.load(k).is_some()), [true, true, false, false]);
        std::fs::write(folder.path("cache/x.1.new"), "half").unwrap();
        cache.evict(LIMIT, KEPT);
        assert_eq!(cache.size().0, 3, "a file that is being written stays");
    }

    #[test]
    fn writers_at_the_same_time_leave_whole_files() {
        let folder = Folder::new();
        let codes: Vec<Vec<u8>> = (0..4u8).map(|k| vec![k; 100_000]).collect();
        std::thread::scope(|scope| {
            for code in &codes {
                let path = folder.path("cache");
                scope.spawn(move || {
                    let cache = Cache::at(path, "1");
                    for _ in 0..20 {
                        cache.store(b"key", code);
                        if let Some(found) = cache.load(b"key") {
                            assert!(found.len() == code.len() && found.iter().all(|b| *b == found[0]));
                        }
                    }
                });
            }
        });
    }

    #[cfg(unix)]
    #[test]
    fn files_are_for_their_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        let cache = Cache::at(folder.path("cache"), "1");
        cache.store(b"key", b"code");
        let path = file(&cache);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(cache.folder())), (0o600, 0o700));
        let open_to = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        open_to(&path, 0o620);
        assert_eq!(cache.load(b"key"), None);
        open_to(&path, 0o600);
        open_to(cache.folder(), 0o777);
        assert_eq!(cache.load(b"key"), None);
        open_to(cache.folder(), 0o700);
        assert!(cache.load(b"key").is_some());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_no_error() {
        let folder = Folder::new();
        std::fs::write(folder.path("file"), "").unwrap();
        let cache = Cache::at(folder.path("file/cache"), "1");
        cache.store(b"key", b"code");
        assert_eq!(cache.load(b"key"), None);
        assert_eq!(cache.size(), (0, 0));
    }
}
