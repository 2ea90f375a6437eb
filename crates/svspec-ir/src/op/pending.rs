//! Placeholder while the ops are written; must be gone before anything lands.
#![allow(warnings)]
use super::*;
impl Operation for super::Input {
    fn name(&self)->&'static str{"input"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::Embed {
    fn name(&self)->&'static str{"embed"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::Normalize {
    fn name(&self)->&'static str{"normalize"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::Scale {
    fn name(&self)->&'static str{"scale"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::Bias {
    fn name(&self)->&'static str{"bias"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::Linear {
    fn name(&self)->&'static str{"linear"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::Slice {
    fn name(&self)->&'static str{"slice"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::Rope {
    fn name(&self)->&'static str{"rope"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::Attention {
    fn name(&self)->&'static str{"attention"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::Activation {
    fn name(&self)->&'static str{"activation"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::Mul {
    fn name(&self)->&'static str{"mul"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::Add {
    fn name(&self)->&'static str{"add"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::Gain {
    fn name(&self)->&'static str{"gain"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::SoftCap {
    fn name(&self)->&'static str{"softcap"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
impl Operation for super::CrossEntropy {
    fn name(&self)->&'static str{"crossentropy"}
    fn infer(&self,_:&Model,_:&[&[Dim]])->Result<Dims,String>{unimplemented!()}
    fn cost(&self,_:&Model,_:&[&[Dim]],_:&[Dim])->Cost{unimplemented!()}
    fn is_linear_in(&self,_:usize)->bool{unimplemented!()}
    fn pass_scale(&self,_:&Model,_:usize,_:&[usize],_:&[&[Dim]])->Passage{unimplemented!()}
    fn eval(&self,_:&Environment<'_>,_:&[&Tensor])->Tensor{unimplemented!()}
    fn vjp(&self,_:&Environment<'_>,_:&[&Tensor],_:&Tensor,_:&Tensor,_:&mut Gradients)->Vec<Option<Tensor>>{unimplemented!()}
}
