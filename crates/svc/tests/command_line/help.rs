//! Every help page is read here before it is shipped.

use crate::scene::Scene;

#[test]
fn help_pages() {
    let scene = Scene::new();
    insta::assert_snapshot!("help", scene.run("--help"));
    for command in [
        "new",
        "check",
        "fmt",
        "build",
        "prepare",
        "train",
        "ablate",
        "report",
        "show",
        "explain",
        "diff",
        "fold",
        "migrate",
        "import",
        "export",
        "snapshot",
        "doctor",
        "completions",
    ] {
        insta::assert_snapshot!(format!("help-{command}"), scene.run(&format!("{command} --help")));
    }
}

#[test]
fn a_usage_error_is_2() {
    let scene = Scene::new();
    for line in
        ["", "chekc tiny.svspec", "check", "check --format yaml tiny.svspec", "train", "show tiny.svspec"]
    {
        assert_eq!(scene.svc(line).output().unwrap().status.code(), Some(2), "svc {line}");
    }
}

#[test]
fn completions_name_every_command() {
    let scene = Scene::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = scene.run(&format!("completions {shell}"));
        for command in ["ablate", "snapshot", "doctor"] {
            assert!(script.contains(command), "{shell} {command}");
        }
    }
}
