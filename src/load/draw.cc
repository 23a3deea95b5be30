#include "load/draw.h"

#include <cmath>

namespace peregrine {

ZipfTable::ZipfTable(uint32_t size, double exponent) : columns_(size) {
  std::vector<double> weights(size);
  double sum = 0;
  for (uint32_t i = 0; i < size; ++i) sum += weights[i] = std::pow(i + 1.0, -exponent);
  // Scaled so that the average column is full at 1: each that is less is filled up by one that is more.
  std::vector<uint32_t> poor, rich;
  for (uint32_t i = 0; i < size; ++i) {
    weights[i] *= size / sum;
    (weights[i] < 1 ? poor : rich).push_back(i);
  }
  constexpr double full = 0x1p32;
  while (!poor.empty() && !rich.empty()) {
    const uint32_t taker = poor.back(), giver = rich.back();
    poor.pop_back();
    columns_[taker] = {static_cast<uint64_t>(weights[taker] * full), giver};
    weights[giver] -= 1 - weights[taker];
    if (weights[giver] >= 1) continue;
    rich.pop_back();
    poor.push_back(giver);
  }
  // What is left is full but for rounding.
  for (const auto& rest : {poor, rich}) {
    for (uint32_t i : rest) columns_[i] = {uint64_t{1} << 32, i};
  }
}

double ZipfTable::probability(uint32_t index) const {
  double share = static_cast<double>(columns_[index].own);
  for (const Column& column : columns_) {
    if (column.other == index) share += 0x1p32 - static_cast<double>(column.own);
  }
  return share / 0x1p32 / static_cast<double>(columns_.size());
}

Draw::Draw(Order order, uint32_t size, double exponent, uint64_t seed)
    : order_(order), size_(size), random_(Random::from_seed(seed)) {
  if (order == Order::zipf) zipf_.emplace(size, exponent);
}

std::optional<uint32_t> Draw::next() {
  switch (order_) {
    case Order::once:
      if (at_ == size_) return std::nullopt;
      return at_++;
    case Order::uniform:
      return random_.below(size_);
    case Order::zipf:
      return zipf_->draw(random_.u64());
  }
  return std::nullopt;
}

std::optional<uint64_t> Draw::remaining() const {
  if (order_ != Order::once) return std::nullopt;
  return size_ - at_;
}

}  // namespace peregrine
