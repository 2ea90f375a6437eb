//! The pinned requirements to a folder of Python packages that no other use shares.

use crate::{command, repository};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What torch's CUDA library wants loaded, and no computation on a CPU calls: 3 GB. Empty libraries take their place.
const UNUSED: [&str; 10] = [
    "libcublas.so.13",
    "libcublasLt.so.13",
    "libcudnn.so.9",
    "libcufft.so.12",
    "libcufile.so.0",
    "libcurand.so.10",
    "libcusparse.so.12",
    "libcusparseLt.so.0",
    "libnccl.so.2",
    "libnvshmem_host.so.3",
];

/// A Python that finds the packages.
pub struct Python {
    packages: PathBuf,
}

impl Python {
    /// Installs what `requirements` says, unless it is there already.
    pub fn prepared(requirements: &Path) -> Result<Self> {
        let packages = folder();
        let stamp = packages.join("requirements.txt");
        let wanted =
            fs::read(requirements).with_context(|| format!("cannot read `{}`", requirements.display()))?;
        if fs::read(&stamp).ok().as_ref() != Some(&wanted) {
            if packages.exists() {
                fs::remove_dir_all(&packages).context("cannot clear the old Python packages")?;
            }
            fs::create_dir_all(&packages).context("cannot make a folder for Python packages")?;
            let mut pip = Command::new(program());
            // Into a folder: a system's Python without `venv`, or that refuses installations, does as well.
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
            pip.args(["--no-compile", "--only-binary=:all:", "--target"]).arg(&packages);
            command::succeed({
                pip.arg("--requirement").arg(requirements);
                pip
            })
            .context("transformers is needed to make references (Debian: python3-pip)")?;
            for library in UNUSED {
                stub(&packages.join("torch/lib"), library)?;
            }
            fs::write(&stamp, wanted).context("cannot write to the folder of Python packages")?;
        }
        Ok(Self { packages })
    }

    /// What an earlier run installed; `None` if there is nothing.
    pub fn installed() -> Option<Self> {
        let packages = folder();
        packages.join("torch").is_dir().then_some(Self { packages })
    }

    /// `python SCRIPT`, with the packages in its path.
    pub fn run(&self, script: &Path) -> Command {
        let mut command = Command::new(program());
        command.arg(script).stdin(Stdio::null());
        self.equip(&mut command);
        command
    }

    /// Lets the Pythons that `command` starts find the packages.
    pub fn equip(&self, command: &mut Command) {
        // Symbols are looked up when they are called: those of the empty libraries never are.
        command.env("PYTHONPATH", &self.packages).env("TORCH_USE_RTLD_GLOBAL", "1");
        command.env("TQDM_DISABLE", "1").env("PYTHON", program());
    }
}

/// Where the packages lie.
fn folder() -> PathBuf {
    repository::root().join(".cache/parity/python")
}

fn program() -> String {
    std::env::var("PYTHON").ok().filter(|value| !value.is_empty()).unwrap_or_else(|| "python3".to_owned())
}

/// A library of this name that holds nothing.
fn stub(folder: &Path, name: &str) -> Result<()> {
    let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.args(["-shared", "-nostdlib", "-o"]).arg(folder.join(name));
    compiler.arg(format!("-Wl,-soname,{name}")).args(["-xc", "/dev/null"]);
    let status = compiler.status().context("a C compiler is needed")?;
    ensure!(status.success(), "the C compiler ended with {status}");
    Ok(())
}
