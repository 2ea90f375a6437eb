// Weights on their way into a matrix product on the CPU: diag(row) W diag(column) of each, one above the other, in the type that the
// product reads. One read and one write of each entry forward; backward one read of the gradient, one of W where vectors scale it,
// and one write. What is kept for the backward pass are W and the vectors themselves.
//
// With S = diag(r) W diag(c) and G the gradient of S: dW = diag(r) G diag(c), dr_i = sum_j G_ij W_ij c_j, dc_j = sum_i G_ij W_ij r_i.
// Rows are worked on in blocks of so many, and sums over rows are sums over blocks of sums within them:
// the same in every bit, whatever the number of threads.
#include "boundary.hpp"
#include "lanes.hpp"
#include "parallel.hpp"
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <algorithm>
#include <torch/csrc/autograd/custom_function.h>

using svspec::Computed;
using svspec::Lanes;
using svspec::TensorPtr;
using svspec::load;
using svspec::store;

namespace {

// A weight and its vectors, of what is computed in and undefined where there is none; or their gradients. Its rows in the stack begin
// behind those `above`.
struct Part {
  at::Tensor weight, row, column;
  int64_t above;
};

// Weights, row and column vectors in turn, as autograd keeps them.
std::vector<Part> parts(const torch::autograd::variable_list& kept) {
  std::vector<Part> all;
  int64_t above = 0;
  for (size_t i = 0; i < kept.size(); i += 3) {
    all.push_back({kept[i], kept[i + 1], kept[i + 2], above});
    above += kept[i].size(0);
  }
  return all;
}

// Rows of a block: enough to be worth a thread's while, and that the blocks' shares of a column vector's gradient are little beside
// the weight.
constexpr int64_t kRows = 64;

int64_t num_blocks(const Part& part) { return (part.weight.size(0) + kRows - 1) / kRows; }

// Calls `body` with each block of each part, side by side: the part's number, the block's, and the rows that it begins with and ends
// before.
template <typename Body>
void each_block(const std::vector<Part>& parts, const Body& body) {
  std::vector<std::pair<size_t, int64_t>> blocks;
  for (size_t i = 0; i < parts.size(); i++) {
    for (int64_t block = 0; block < num_blocks(parts[i]); block++) blocks.emplace_back(i, block);
  }
  svspec::each_number(static_cast<int64_t>(blocks.size()), [&](int64_t number) {
    const auto [i, block] = blocks[number];
    body(i, block, block * kRows, std::min((block + 1) * kRows, parts[i].weight.size(0)));
  });
}

// s = row · w · column, entry by entry. No `column` is one of ones.
template <typename S, typename W, typename C = typename Computed<W>::Type>
inline void scale_row(S* s, const W* w, C row, const C* column, int64_t size) {
  int64_t i = 0;
  for (; i + Lanes<C>::kCount <= size; i += Lanes<C>::kCount) {
    auto values = load(w + i) * row;
    if (column) values *= load(column + i);
    store(s + i, values);
  }
  for (; i < size; i++) s[i] = static_cast<S>(static_cast<C>(w[i]) * row * (column ? column[i] : 1));
}

// To `along_column` what this row adds to the column's gradient; the row's own comes back.
template <typename S, typename W, typename C = typename Computed<W>::Type>
inline C sum_row(C* along_column, const S* g, const W* w, C row, const C* column, int64_t size) {
  typename Lanes<C>::Vector sums = {};
  int64_t i = 0;
  for (; i + Lanes<C>::kCount <= size; i += Lanes<C>::kCount) {
    const auto products = load(g + i) * load(w + i);
    if (along_column) store(along_column + i, load(along_column + i) + products * row);
    sums += column ? products * load(column + i) : products;
  }
  C sum = 0;
  for (int64_t lane = 0; lane < Lanes<C>::kCount; lane++) sum += sums[lane];
  for (; i < size; i++) {
    const auto product = static_cast<C>(g[i]) * static_cast<C>(w[i]);
    if (along_column) along_column[i] += product * row;
    sum += column ? product * column[i] : product;
  }
  return sum;
}

template <typename T>
const T* data_of(const at::Tensor& vector) {
  return vector.defined() ? vector.const_data_ptr<T>() : nullptr;
}

struct Weights : torch::autograd::Function<Weights> {
  // `given` are the weights and, behind them, the vectors; of each weight, which of `given` is its row vector and which its column
  // vector, or -1.
  static at::Tensor forward(
      torch::autograd::AutogradContext* context, at::TensorList given, const std::vector<int64_t>& row_of,
      const std::vector<int64_t>& column_of) {
    const auto count = row_of.size();
    TORCH_CHECK(count > 0, "no weights");
    const auto type = given[0].scalar_type();
    const auto size = given[0].size(-1);
    const auto computed = svspec::computed_type(type);
    torch::autograd::variable_list kept;
    for (size_t i = 0; i < count; i++) {
      const auto& weight = given[i];
      TORCH_CHECK(weight.dim() == 2 && weight.size(1) == size && weight.scalar_type() == type, "weight ", i, " is no matrix like the first");
      const auto vector = [&](int64_t index, int64_t entries) {
        if (index < 0) return at::Tensor();
        TORCH_CHECK(given[index].dim() == 1 && given[index].size(0) == entries, "a vector of ", given[index].sizes(), " for ", entries);
        return given[index].to(computed).contiguous();
      };
      kept.insert(kept.end(), {weight.contiguous(), vector(row_of[i], weight.size(0)), vector(column_of[i], size)});
    }
    const auto all = parts(kept);
    const auto num_rows = all.back().above + all.back().weight.size(0);
    const auto type_of_product = svspec::products_read_bf16(type) ? at::kBFloat16 : type;
    auto scaled = at::empty({num_rows, size}, given[0].options().dtype(type_of_product));
    svspec::with_types(type, scaled.scalar_type(), [&](auto in, auto out) {
      typedef decltype(in) W;
      typedef decltype(out) S;
      typedef typename Computed<W>::Type C;
      auto* s = scaled.mutable_data_ptr<S>();
      each_block(all, [&](size_t i, int64_t, int64_t begin, int64_t end) {
        const auto& part = all[i];
        const auto* w = part.weight.const_data_ptr<W>();
        const auto *row = data_of<C>(part.row), *column = data_of<C>(part.column);
        for (auto at = begin; at < end; at++) {
          scale_row(s + (part.above + at) * size, w + at * size, row ? row[at] : C(1), column, size);
        }
      });
    });
    context->saved_data["row_of"] = row_of;
    context->saved_data["column_of"] = column_of;
    context->saved_data["num_given"] = static_cast<int64_t>(given.size());
    context->save_for_backward(kept);
    return scaled;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "weights have no second derivative");
    const auto row_of = context->saved_data["row_of"].toIntVector();
    const auto column_of = context->saved_data["column_of"].toIntVector();
    const auto all = parts(context->get_saved_variables());
    const auto g = gradients[0].contiguous();
    const auto size = g.size(1);
    const auto type = all[0].weight.scalar_type();
    // Of a column vector the blocks' shares.
    std::vector<Part> of_all;
    for (const auto& part : all) {
      // What nothing scales has its share of the gradient as it is.
      const auto is_share = g.scalar_type() == type && !part.row.defined() && !part.column.defined();
      of_all.push_back({
          is_share ? g.narrow(0, part.above, part.weight.size(0)) : at::empty_like(part.weight),
          part.row.defined() ? at::empty_like(part.row) : part.row,
          part.column.defined() ? at::zeros({num_blocks(part), size}, part.column.options()) : part.column,
          part.above,
      });
    }
    svspec::with_types(type, g.scalar_type(), [&](auto in, auto out) {
      typedef decltype(in) W;
      typedef decltype(out) S;
      typedef typename Computed<W>::Type C;
      each_block(all, [&](size_t i, int64_t block, int64_t begin, int64_t end) {
        const auto &part = all[i], &of_part = of_all[i];
        if (of_part.weight.is_alias_of(g)) return;
        const auto* w = part.weight.const_data_ptr<W>();
        const auto *row = data_of<C>(part.row), *column = data_of<C>(part.column);
        auto* of_w = of_part.weight.mutable_data_ptr<W>();
        auto* of_row = row ? of_part.row.mutable_data_ptr<C>() : nullptr;
        auto* of_column = column ? of_part.column.mutable_data_ptr<C>() + block * size : nullptr;
        for (auto at = begin; at < end; at++) {
          const auto* g_row = g.const_data_ptr<S>() + (part.above + at) * size;
          const auto factor = row ? row[at] : C(1);
          scale_row(of_w + at * size, g_row, factor, column, size);
          if (!row && !column) continue;
          const auto along_row = sum_row(of_column, g_row, w + at * size, factor, column, size);
          if (row) of_row[at] = along_row;
        }
      });
    });
    torch::autograd::variable_list of_given(context->saved_data["num_given"].toInt() + 2);
    for (size_t i = 0; i < row_of.size(); i++) {
      of_given[i] = of_all[i].weight;
      if (row_of[i] >= 0) of_given[row_of[i]] = of_all[i].row;
      if (column_of[i] >= 0) of_given[column_of[i]] = of_all[i].column.sum(0);
    }
    return of_given;
  }
};

}  // namespace

extern "C" {

// `count` weights, matrices of the same number of columns: diag(row) W diag(column) of each, one above the other. A vector that a
// weight has not is null. What comes out is bf16 under autocast to it, else of the weights' type.
int svspec_weights(const TensorPtr* weight, const TensorPtr* row, const TensorPtr* column, size_t count, TensorPtr* scaled) {
  return svspec::guarded([&] {
    auto given = svspec::tensors(weight, count);
    const auto places = [&](const TensorPtr* vectors) {
      std::vector<int64_t> places;
      for (size_t i = 0; i < count; i++) {
        places.push_back(vectors[i] ? static_cast<int64_t>(given.size()) : -1);
        if (vectors[i]) given.push_back(*vectors[i]);
      }
      return places;
    };
    const auto row_of = places(row), column_of = places(column);
    *scaled = new at::Tensor(Weights::apply(at::TensorList(given), row_of, column_of));
  });
}

}  // extern "C"
