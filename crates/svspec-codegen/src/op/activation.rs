//! `activation` to a call of the runtime's function of the same name.

use super::Term;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;
use svspec_ir::op::Activation;

/// `nn::silu(&x)`.
pub fn emit(scope: &Scope<'_>, op: Activation, input: ValueId) -> TokenStream {
    let x = scope.reference(input);
    match op {
        Activation::Silu => quote!(nn::silu(#x)),
        Activation::Gelu => quote!(nn::gelu(#x)),
        Activation::GeluTanh => quote!(nn::gelu_tanh(#x)),
        Activation::GeluQuick => quote!(nn::gelu_quick(#x)),
        Activation::Elu => quote!(nn::elu(#x)),
        Activation::Relu => quote!(nn::relu(#x)),
        Activation::Relu2 => quote!(nn::relu2(#x)),
        Activation::Tanh => quote!(nn::tanh(#x)),
        Activation::Sigmoid => quote!(nn::sigmoid(#x)),
    }
}

/// `silu(x)`.
pub fn equation(op: Activation, input: &Term) -> Term {
    let function = match op {
        Activation::Silu => "silu",
        Activation::Gelu => "gelu",
        Activation::GeluTanh => "gelu_tanh",
        Activation::GeluQuick => "gelu_quick",
        Activation::Elu => "elu",
        Activation::Relu => "relu",
        Activation::Relu2 => "relu2",
        Activation::Tanh => "tanh",
        Activation::Sigmoid => "sigmoid",
    };
    Term::atom(format!("{function}({})", input.text))
}
