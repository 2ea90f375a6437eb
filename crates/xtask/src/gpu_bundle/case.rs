//! What a bundle measures and compares: targets of the project's specs, with the settings of a measurement.

/// A baseline and a variant of it whose speeds are compared.
pub struct Pair {
    /// The spec below specs/, without its ending.
    pub spec: &'static str,
    /// Tokens in a sequence.
    pub context: u32,
    /// Size of the vocabulary, which the tokens to train on are drawn from.
    pub vocab: u32,
    /// More settings of `train` that differ from the spec's, each after a comma. On a GPU a step takes a second or less, and a micro-batch leaves
    /// room in 80 GB.
    pub train: &'static str,
    /// Steps of a run.
    pub steps: u32,
    /// Whether it is too large for a CPU.
    pub only_gpu: bool,
    /// First the baseline.
    pub models: [Model; 2],
}

/// A target of its own in the bundle.
pub struct Model {
    /// Its name.
    pub name: &'static str,
    /// The target of the spec that it is a variant of.
    pub of: &'static str,
    /// What it differs in, beside the pair's settings.
    pub statements: &'static str,
}

/// A small one that any machine runs, GPT-2, and the paper's 1B.
pub const PAIRS: [Pair; 3] = [
    Pair {
        spec: "nano",
        context: 128,
        vocab: 256,
        train: ", batch = 4",
        steps: 20,
        only_gpu: false,
        models: [
            Model { name: "nano_baseline", of: "nano", statements: "" },
            Model { name: "nano_unified", of: "unified", statements: "" },
        ],
    },
    Pair {
        spec: "gpt2",
        context: 1024,
        vocab: 50_257,
        train: ", batch = 128, micro_batch = 32",
        steps: 60,
        only_gpu: true,
        models: [
            Model { name: "gpt2_baseline", of: "gpt2_124m", statements: "" },
            Model { name: "gpt2_unified", of: "gpt2_124m", statements: GPT2_UNIFIED },
        ],
    },
    Pair {
        spec: "llama",
        context: 2048,
        vocab: 50_304,
        train: ", batch = 32, micro_batch = 4",
        steps: 30,
        only_gpu: true,
        models: [
            Model { name: "llama_1b_baseline", of: "llama_1b", statements: "" },
            Model { name: "llama_1b_with_unified", of: "llama_1b_unified", statements: "" },
        ],
    },
];

/// The unified strategy in GPT-2's parts, whose feed-forward part has no gate.
const GPT2_UNIFIED: &str = "
    attn_norm, mlp_norm    : normalize
    attn.{q, k, v}, mlp.up : in scale
    attn.{q, k, v}         : out normalize(head) + scale
    mlp.up                 : out normalize + scale
    scale                  : magnitude_direction
    optimizer {
        decay 0 on scale where role == output
        decay 0 on scale where part == direction
    }";

/// Families of tests/parity whose trainers have to compute on the device what transformers computed: learned and rotary
/// positions, norms of heads, experts.
pub const FAMILIES: [&str; 3] = ["gpt2", "qwen3", "mixtral"];

impl Pair {
    /// A spec of both models; `specs` is the folder of the project's specs, as an import names it.
    pub fn spec(&self, specs: &str) -> String {
        let Self { spec, context, train, steps, models, .. } = self;
        // One validation at the end, and none between the steps that are measured.
        let train = format!("steps = {steps}, eval_every = {steps}, schedule = constant{train}");
        let variant = |Model { name, of, statements }: &Model| {
            format!(
                "variant {name} of {of} {{\n    context = {context}\n    train {{ {train} }}\n{statements}\n}}\n"
            )
        };
        format!(
            "svspec 1\n\nimport \"{specs}/{spec}.svspec\"\n\n{}",
            models.each_ref().map(variant).join("\n")
        )
    }
}
