//! Log files of the parts: their last lines, and following them.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// How far back the last lines are looked for.
const TAIL_BYTES: u64 = 64 * 1024;

/// The last lines of a log; a note when there are none.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    if all.is_empty() {
        return "    (it wrote nothing)".into();
    }
    all[all.len().saturating_sub(lines)..]
        .iter()
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Reads what is appended to a file, line by line.
pub(crate) struct Follower {
    path: PathBuf,
    position: u64,
    rest: Vec<u8>,
}

impl Follower {
    /// Follows from the beginning; the file may not exist yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, position: 0, rest: Vec::new() }
    }

    /// The whole lines appended since the last call.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        let mut read = || -> std::io::Result<()> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.position))?;
            self.position += u64::try_from(file.read_to_end(&mut self.rest)?).unwrap_or_default();
            Ok(())
        };
        // A log that cannot be read now is read at the next call.
        let _ = read();
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect()
    }
}
