//! The `svc` command.

fn main() -> std::process::ExitCode {
    svc::run()
}
