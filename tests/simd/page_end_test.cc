// No kernel touches a page that its input does not stand on: the pages beside it cannot be read here.
#include <sys/mman.h>
#include <unistd.h>

#include "simd/simd_support.h"

namespace peregrine {
namespace {

// Pages that can be used between two that cannot.
class GuardedPages {
 public:
  explicit GuardedPages(size_t pages) : size_(pages * page_) {
    void* mapped = mmap(nullptr, size_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return;
    base_ = static_cast<uint8_t*>(mapped);
    usable_ = mprotect(begin(), size_, PROT_READ | PROT_WRITE) == 0;
  }
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;
  ~GuardedPages() {
    if (base_) munmap(base_, size_ + 2 * page_);
  }

  bool usable() const { return usable_; }
  uint8_t* begin() const { return base_ + page_; }
  uint8_t* end() const { return begin() + size_; }
  size_t page() const { return page_; }

 private:
  const size_t page_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t size_;
  uint8_t* base_ = nullptr;
  bool usable_ = false;
};

class PageEnd : public EachKernelSet {
 protected:
  void SetUp() override {
    ASSERT_TRUE(first_.usable() && second_.usable());
    Random random = Random::from_seed(6);
    random.fill({first_.begin(), first_.end()});
    std::copy(first_.begin(), first_.end(), second_.begin());
  }

  // Every kernel on inputs at `a` and `b`, which hold the same octets.
  void run_all(uint8_t* a, uint8_t* b, size_t size) {
    ASSERT_TRUE(tested_.equal(a, b, size)) << size;
    ASSERT_EQ(tested_.compare(a, b, size), 0) << size;
    ASSERT_EQ(make_key(tested_, a, size, secret_), make_key(scalar_, a, size, secret_)) << size;
    std::vector<uint8_t> expected(size);
    scalar_.fold(expected.data(), a, size);
    tested_.fold(b, b, size);
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), b)) << size;
    std::copy_n(a, size, b);
  }

  const HashSecret secret_ = test_secret();
  GuardedPages first_{2}, second_{2};
};
INSTANTIATE_TEST_SUITE_P(Sets, PageEnd, testing::ValuesIn(sets_here()), set_name);

TEST_P(PageEnd, InputsThatEndWithTheirPage) {
  for (size_t size = 1; size <= max_name_octets; ++size)
    run_all(first_.end() - size, second_.end() - size, size);
}

TEST_P(PageEnd, InputsThatEndShortlyBeforeIt) {
  for (size_t size = 1; size <= max_name_octets; ++size) {
    for (size_t left = 1; left < 64; ++left) {
      run_all(first_.end() - size - left, second_.end() - size - left, size);
    }
  }
}

TEST_P(PageEnd, InputsThatBeginWithTheirPage) {
  for (size_t size = 1; size <= max_name_octets; ++size) run_all(first_.begin(), second_.begin(), size);
}

TEST_P(PageEnd, InputsOnTwoPages) {
  for (size_t size = 2; size <= max_name_octets; ++size) {
    for (size_t before = 1; before < size; ++before) {
      run_all(first_.begin() + first_.page() - before, second_.begin() + second_.page() - before, size);
    }
  }
}

TEST_P(PageEnd, OnlyOneOfTwoInputsEndsWithItsPage) {
  for (size_t size = 1; size <= max_name_octets; ++size) {
    uint8_t* elsewhere = second_.begin() + 100;
    std::copy_n(first_.end() - size, size, elsewhere);
    run_all(first_.end() - size, elsewhere, size);
    std::copy_n(first_.begin() + 100, size, second_.end() - size);
    run_all(first_.begin() + 100, second_.end() - size, size);
  }
}

TEST_P(PageEnd, NothingLiesInAnEmptyInput) {
  EXPECT_TRUE(tested_.equal(first_.end(), second_.end(), 0));
  EXPECT_EQ(tested_.compare(first_.end(), second_.end(), 0), 0);
  tested_.fold(second_.end(), first_.end(), 0);
}

}  // namespace
}  // namespace peregrine
