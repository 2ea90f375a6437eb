//! Parameters as the fields of a struct.

use super::constants::Constants;
use crate::names::Names;
use crate::print;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::BTreeMap;
use svspec_ir::{Model, Param, ParamId, RegionId};

/// The fields of one struct, in the order of the model's parameters.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    fields: BTreeMap<ParamId, (Ident, &'a Param)>,
}

impl<'a> Fields<'a> {
    /// The parameters of the regions that `belongs` accepts.
    pub fn of(model: &'a Model, belongs: impl Fn(RegionId) -> bool) -> Self {
        let mut names = Names::reserving(&["layers"]);
        let fields = model
            .params
            .iter()
            .enumerate()
            .filter(|(_, param)| belongs(param.region))
            .map(|(index, param)| (ParamId(index), (names.variable(&param.path), param)))
            .collect();
        Self { fields }
    }

    /// The field of `param`, if it is one of these.
    pub fn name(&self, param: ParamId) -> Option<&Ident> {
        self.fields.get(&param).map(|(name, _)| name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The first field, if there is one.
    pub fn first(&self) -> Option<&Ident> {
        self.fields.values().next().map(|(name, _)| name)
    }

    /// `/// shape` and `name: Tensor`, for each.
    pub fn declarations(&self, constants: &Constants) -> TokenStream {
        let fields = self.fields.values().map(|(name, param)| {
            let doc = print::docs([constants.shape_text(&param.dims).as_str()]);
            quote!(#doc #name: Tensor,)
        });
        quote!(#(#fields)*)
    }

    /// `name: params.get("path")`, for each.
    pub fn initialisers(&self) -> TokenStream {
        let fields = self.fields.values().map(|(name, param)| {
            let path = &param.path;
            quote!(#name: params.get(#path),)
        });
        quote!(#(#fields)*)
    }
}
