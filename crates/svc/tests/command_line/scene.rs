//! A temporary folder to run `svc` in, away from this checkout and from the user's own settings.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set up fails its test")]

use std::path::PathBuf;
use std::process::{Command, Output};

/// The spec of these tests.
pub const TINY: &str = include_str!("tiny.svspec");

/// A folder that goes when it is dropped.
pub struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    /// With `tiny.svspec` in it.
    pub fn new() -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap() };
        scene.write("tiny.svspec", TINY);
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// `tiny.svspec` with `old` replaced, as the file `name`.
    pub fn edited(&self, name: &str, old: &str, new: &str) {
        assert!(TINY.contains(old), "{old}");
        self.write(name, TINY.replace(old, new));
    }

    /// The command line `svc ARGUMENTS`, arguments separated by spaces.
    pub fn svc(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_svc"));
        command.current_dir(self.folder.path()).args(arguments.split_whitespace());
        for variable in ["LIBTORCH", "XDG_CACHE_HOME", "CARGO_TARGET_DIR", "CC", "PYTHON"] {
            command.env_remove(variable);
        }
        command.env("SVSPEC_HOME", self.path("home")).env("COLUMNS", "100");
        command
    }

    /// What came of it, for snapshots: exit code and both outputs, the temporary folder's name taken out.
    pub fn run(&self, arguments: &str) -> String {
        self.show(&self.svc(arguments).output().unwrap())
    }

    pub fn show(&self, output: &Output) -> String {
        let clean = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec())
                .unwrap()
                .replace(&self.folder.path().display().to_string(), "[FOLDER]")
        };
        let code = output.status.code().unwrap();
        format!("exit code {code}\n--- out\n{}--- err\n{}", clean(&output.stdout), clean(&output.stderr))
    }

    /// A git repository around the folder, with everything committed.
    pub fn commit(&self) {
        for arguments in [
            &["init", "--quiet"][..],
            &["add", "--all"],
            &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "all"],
        ] {
            let status =
                Command::new("git").current_dir(self.folder.path()).args(arguments).status().unwrap();
            assert!(status.success());
        }
    }
}
