//! A model's table of foreign names to the table of the generated crate; nothing where its spec has none.

use crate::{literal, params, print};
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::foreign::{ForeignTensor, Orientation, View, view};
use svspec_ir::{Foreign, Model};

/// What the table is made of, for the imports of the file that it stands in.
pub fn imports(foreign: &Foreign) -> TokenStream {
    if foreign.tensors.is_empty() {
        return TokenStream::new();
    }
    quote!(
        use svspec_runtime::foreign::{Foreign, ForeignRow, Orientation};
    )
}

/// The constant `FOREIGN`.
pub fn table(model: &Model) -> TokenStream {
    let Foreign { tensors, ignored } = &model.foreign;
    if tensors.is_empty() {
        return TokenStream::new();
    }
    let rows = tensors.iter().map(|tensor| row(model, tensor));
    let ignored = ignored.iter().map(svspec_ir::ForeignName::as_str);
    let (blank, doc) =
        (print::blank(), print::docs(["Where the parameters lie in checkpoints of other software."]));
    quote! {
        #blank
        #doc
        pub const FOREIGN: Foreign = Foreign { tensors: &[#(#rows),*], ignored: &[#(#ignored),*] };
    }
}

fn row(model: &Model, tensor: &ForeignTensor) -> TokenStream {
    let params: Vec<_> = tensor.members.iter().filter_map(|id| model.params.get(id.0)).collect();
    let members = params.iter().map(|param| {
        let (path, rows) = (&param.path, literal::integer(view(param, tensor.layout.heads).rows as u64));
        quote!((#path, #rows))
    });
    let first = params.first().map(|param| view(param, tensor.layout.heads));
    let optional = |of: fn(View) -> Option<usize>| {
        literal::optional(first.and_then(of).map(|size| literal::integer(size as u64)))
    };
    let (slices, columns) = (optional(|view| view.slices), optional(|view| view.columns));
    let region = params.first().map(|param| param.region);
    let depths: Vec<Option<usize>> = model
        .stack
        .iter()
        .enumerate()
        .filter(|(_, kind)| Some(**kind) == region)
        .map(|(depth, _)| Some(depth))
        .collect();
    let (name, layers) = (tensor.name.as_str(), params::layers(&depths));
    let num_blocks = literal::integer(tensor.layout.num_blocks as u64);
    let skipped_rows = literal::integer(tensor.layout.skipped_rows as u64);
    let orientation = match tensor.layout.orientation {
        Orientation::OutIn => quote!(Orientation::OutIn),
        Orientation::InOut => quote!(Orientation::InOut),
    };
    quote! {
        ForeignRow {
            name: #name,
            layers: #layers,
            members: &[#(#members),*],
            slices: #slices,
            columns: #columns,
            num_blocks: #num_blocks,
            skipped_rows: #skipped_rows,
            orientation: #orientation,
        }
    }
}
