#include "load/draw.h"

#include <algorithm>
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
  constexpr double most = 0xffff'ffff;
  while (!poor.empty() && !rich.empty()) {
    const uint32_t taker = poor.back(), giver = rich.back();
    poor.pop_back();
    columns_[taker] = {static_cast<uint32_t>(std::min(weights[taker] * full, most)), giver};
    weights[giver] -= 1 - weights[taker];
    if (weights[giver] >= 1) continue;
    rich.pop_back();
    poor.push_back(giver);
  }
  // What is left is full but for rounding.
  for (const auto& rest : {poor, rich}) {
    for (uint32_t i : rest) columns_[i] = {0, i};
  }
}

double ZipfTable::probability(uint32_t index) const {
  double share = static_cast<double>(columns_[index].own);
  for (const Column& column : columns_) {
    if (column.other == index) share += 0x1p32 - static_cast<double>(column.own);
  }
  return share / 0x1p32 / static_cast<double>(columns_.size());
}

Draw::Draw(const DrawOptions& options, uint32_t size)
    : options_(options), size_(size), random_(Random::from_seed(options.seed)) {
  if (options.order == Order::zipf) zipf_.emplace(size, options.zipf_exponent);
}

uint32_t Draw::index() {
  switch (options_.order) {
    case Order::once:
      return at_++;
    case Order::uniform:
      return random_.below(size_);
    case Order::zipf:
      return zipf_->draw(random_.u64());
  }
  return 0;
}

std::optional<Drawn> Draw::next() {
  if (is_through()) return std::nullopt;
  if (options_.denied_share <= 0 && options_.once_share <= 0) return Drawn{.index = index()};
  const bool denied = random_.unit() < options_.denied_share;
  if (random_.unit() >= options_.once_share) return Drawn{.index = index(), .denied = denied};
  // After 2^32 it begins anew: no run is so long.
  return Drawn{.index = size_ + asked_once_++ % (0xffff'ffff - size_), .denied = denied};
}

}  // namespace peregrine
