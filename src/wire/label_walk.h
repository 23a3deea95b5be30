// Walks the labels of a name that may be compressed, checking every step (RFC 1035 section 4.1.4).
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "wire/dname.h"

namespace peregrine {

// A pointer must lead to before the start of the run of labels that holds it, and not into the header. Runs
// thus start ever further left and no loop is possible; the cap on jumps bounds the work where runs are
// empty.
class LabelWalk {
 public:
  // All of the name's octets, wherever pointers lead, must be before `end`. offset <= end <= message.size()
  LabelWalk(Bytes message, size_t offset, size_t end)
      : message_(message), at_(offset), limit_(end), run_start_(offset) {}

  // The next label with its length octet; the root's is one zero octet. Nothing once that was given, or on an
  // error.
  Bytes next();

  bool ok() const { return ok_; }
  Error error() const { return error_; }  // only if !ok(): truncated, bad_label, bad_pointer, name_too_long
  size_t end_in_place() const {
    return end_in_place_;
  }  // offset after the name; once the root or a pointer was met

 private:
  static constexpr unsigned max_jumps = 127;  // as many as a name can have labels
  static constexpr size_t first_target = 12;  // the header holds no names

  bool jump();
  Bytes fail(Error error);

  Bytes message_;
  size_t at_;
  size_t limit_;
  size_t run_start_;
  size_t end_in_place_ = 0;
  size_t size_ = 0;
  unsigned jumps_ = 0;
  bool done_ = false;
  bool ok_ = true;
  Error error_{};
};

inline Bytes LabelWalk::next() {
  while (!done_) {
    if (at_ >= limit_) return fail(Error::truncated);
    uint8_t length = message_[at_];
    if (length > max_label_size) {
      if (!jump()) return {};
      continue;
    }
    if (limit_ - at_ <= length) return fail(Error::truncated);
    Bytes label = message_.subspan(at_, length + 1u);
    at_ += label.size();
    size_ += label.size();
    if (size_ > max_dname_size) return fail(Error::name_too_long);
    done_ = length == 0;
    if (done_ && jumps_ == 0) end_in_place_ = at_;
    return label;
  }
  return {};
}

inline bool LabelWalk::jump() {
  if (message_[at_] < 0xc0) return fail(Error::bad_label), false;
  if (limit_ - at_ < 2) return fail(Error::truncated), false;
  size_t target = load_u16(&message_[at_]) & 0x3fffu;
  if (jumps_ == 0) end_in_place_ = at_ + 2;
  if (target < first_target || target >= run_start_ || jumps_ == max_jumps)
    return fail(Error::bad_pointer), false;
  ++jumps_;
  at_ = run_start_ = target;
  return true;
}

inline Bytes LabelWalk::fail(Error error) {
  done_ = true;
  ok_ = false;
  error_ = error;
  return {};
}

}  // namespace peregrine
