// Data that can be reached only through its lock (after dnsdist's LockGuarded).
#pragma once

#include <mutex>
#include <utility>

namespace peregrine {

template <class T>
class Guarded {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  class Lock {
   public:
    T* operator->() { return &value_; }
    T& operator*() { return value_; }

   private:
    friend class Guarded;
    Lock(std::mutex& m, T& v) : lock_(m), value_(v) {}
    std::unique_lock<std::mutex> lock_;
    T& value_;
  };
  Lock lock() { return Lock(mutex_, value_); }

 private:
  std::mutex mutex_;
  T value_;
};

}  // namespace peregrine
