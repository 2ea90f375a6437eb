#pragma once
// LibTorch is distributed with Gloo inside and without Gloo's headers. The five in this folder declare as much of it as
// c10d's ProcessGroupGloo.hpp names: types behind pointers, and one base class that is never made on this side.
