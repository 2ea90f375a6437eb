// Weights on their way into a matrix product on the CPU: diag(row) W diag(column) of each, one above the other, in the type that the
// product reads. One read and one write of each entry forward; backward one read of the gradient, one of W where vectors scale it,
// and one write. What is kept for the backward pass are W and the vectors themselves.
//
// With S = diag(r) W diag(c) and G the gradient of S: dW = diag(r) G diag(c), dr_i = sum_j G_ij W_ij c_j, dc_j = sum_i G_ij W_ij r_i.
// Rows are worked on in blocks whose number depends on sizes alone, and sums over rows are sums over blocks of sums within them:
// the same in every bit, whatever the number of threads.
#include "boundary.hpp"
#include "lanes.hpp"
#include "parallel.hpp"
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <algorithm>
#include <torch/csrc/autograd/custom_function.h>

using svspec::Computed;
using svspec::Lanes;
using svspec::TensorPtr;
using svspec::load;
using svspec::store;

namespace {

// Entries of a block: enough to be worth a thread's while.
constexpr int64_t kBlock = 1 << 13;

// Rows of one weight that are worked on together; `row` counts within the weight, `above` is where the weight begins.
struct Block {
  size_t weight;
  int64_t index, row, end, above;
};

// `rows` are those of each weight, all of this size.
std::vector<Block> blocks(const std::vector<int64_t>& rows, int64_t size) {
  const auto step = std::max<int64_t>(1, kBlock / std::max<int64_t>(1, size));
  std::vector<Block> all;
  int64_t above = 0;
  for (size_t weight = 0; weight < rows.size(); weight++) {
    for (int64_t row = 0; row < rows[weight]; row += step) {
      all.push_back({weight, row / step, row, std::min(row + step, rows[weight]), above});
    }
    above += rows[weight];
  }
  return all;
}

// Calls `body` with each block, side by side.
template <typename Body>
void each_block(const std::vector<Block>& blocks, const Body& body) {
  svspec::each_number(static_cast<int64_t>(blocks.size()), [&](int64_t number) { body(blocks[number]); });
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

// As a vector of what is computed in; undefined if there is none.
at::Tensor computed(const at::Tensor& vector, at::ScalarType type) {
  return vector.defined() ? vector.to(type == at::kDouble ? at::kDouble : at::kFloat).contiguous() : vector;
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
    TORCH_CHECK(type == at::kFloat || type == at::kDouble || type == at::kBFloat16, "weights of ", type);
    std::vector<int64_t> rows;
    torch::autograd::variable_list kept;
    int64_t num_rows = 0;
    for (size_t i = 0; i < count; i++) {
      const auto& weight = given[i];
      TORCH_CHECK(weight.dim() == 2 && weight.size(1) == size && weight.scalar_type() == type, "weight ", i, " is no matrix like the first");
      const auto vector = [&](int64_t index, int64_t entries) {
        if (index < 0) return at::Tensor();
        TORCH_CHECK(given[index].dim() == 1 && given[index].size(0) == entries, "a vector of ", given[index].sizes(), " for ", entries);
        return computed(given[index], type);
      };
      kept.insert(kept.end(), {weight.contiguous(), vector(row_of[i], weight.size(0)), vector(column_of[i], size)});
      rows.push_back(weight.size(0));
      num_rows += weight.size(0);
    }
    const auto is_narrow = type != at::kDouble && svspec::products_read_bf16();
    auto scaled = at::empty({num_rows, size}, given[0].options().dtype(is_narrow ? at::kBFloat16 : type));
    svspec::with_types(type, scaled.scalar_type(), [&](auto in, auto out) {
      typedef decltype(in) W;
      typedef decltype(out) S;
      typedef typename Computed<W>::Type C;
      auto* s = scaled.mutable_data_ptr<S>();
      each_block(blocks(rows, size), [&](const Block& block) {
        const auto* w = kept[3 * block.weight].const_data_ptr<W>();
        const auto *row = data_of<C>(kept[3 * block.weight + 1]), *column = data_of<C>(kept[3 * block.weight + 2]);
        for (auto i = block.row; i < block.end; i++) {
          scale_row(s + (block.above + i) * size, w + i * size, row ? row[i] : C(1), column, size);
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
    const auto kept = context->get_saved_variables();
    const auto g = gradients[0].contiguous();
    const auto size = g.size(1);
    const auto type = kept[0].scalar_type();
    std::vector<int64_t> rows;
    for (size_t i = 0; i < row_of.size(); i++) rows.push_back(kept[3 * i].size(0));
    const auto all = blocks(rows, size);
    // Of each weight its gradient, its row vector's, and the blocks' shares of its column vector's.
    torch::autograd::variable_list of_kept(kept.size());
    for (const auto& block : all) {
      if (block.row > 0) continue;
      const auto at = 3 * block.weight;
      const auto num_blocks = std::count_if(all.begin(), all.end(), [&](const Block& other) { return other.weight == block.weight; });
      // What nothing scales has its share of the gradient as it is.
      const auto is_share = g.scalar_type() == type && !kept[at + 1].defined() && !kept[at + 2].defined();
      of_kept[at] = is_share ? g.narrow(0, block.above, kept[at].size(0)) : at::empty(kept[at].sizes(), kept[at].options());
      if (kept[at + 1].defined()) of_kept[at + 1] = at::empty(kept[at + 1].sizes(), kept[at + 1].options());
      if (kept[at + 2].defined()) of_kept[at + 2] = at::zeros({num_blocks, size}, kept[at + 2].options());
    }
    svspec::with_types(type, g.scalar_type(), [&](auto in, auto out) {
      typedef decltype(in) W;
      typedef decltype(out) S;
      typedef typename Computed<W>::Type C;
      each_block(all, [&](const Block& block) {
        const auto at = 3 * block.weight;
        if (of_kept[at].storage().is_alias_of(g.storage())) return;
        const auto* w = kept[at].const_data_ptr<W>();
        const auto *row = data_of<C>(kept[at + 1]), *column = data_of<C>(kept[at + 2]);
        auto* of_w = of_kept[at].mutable_data_ptr<W>();
        auto* of_row = row ? of_kept[at + 1].mutable_data_ptr<C>() : nullptr;
        auto* of_column = column ? of_kept[at + 2].mutable_data_ptr<C>() + block.index * size : nullptr;
        for (auto i = block.row; i < block.end; i++) {
          const auto* g_row = g.const_data_ptr<S>() + (block.above + i) * size;
          const auto factor = row ? row[i] : C(1);
          scale_row(of_w + i * size, g_row, factor, column, size);
          if (!row && !column) continue;
          const auto along_row = sum_row(of_column, g_row, w + i * size, factor, column, size);
          if (row) of_row[i] = along_row;
        }
      });
    });
    torch::autograd::variable_list of_given(context->saved_data["num_given"].toInt() + 2);
    for (size_t i = 0; i < row_of.size(); i++) {
      of_given[i] = of_kept[3 * i];
      if (row_of[i] >= 0) of_given[row_of[i]] = of_kept[3 * i + 1];
      if (column_of[i] >= 0) of_given[column_of[i]] = of_kept[3 * i + 2].sum(0);
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
