#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace nftjs {

/** Bytes that grow at the end, without the zeroing and copying that std::vector would do. */
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~Buffer() { std::free(data_); }

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }

  /** Makes room for `extra` bytes behind the end and returns where they start; moves the buffer. */
  uint8_t* room(size_t extra) {
    if (capacity_ - size_ < extra) grow(size_ + extra);
    return data_ + size_;
  }

  /** Takes `count` bytes of the room into the buffer. */
  void commit(size_t count) { size_ += count; }

  /** Room that is in the buffer at once. */
  uint8_t* extend(size_t count) {
    uint8_t* start = room(count);
    size_ += count;
    return start;
  }

  void truncate(size_t size) { size_ = size; }

  /**
   * Has the kernel take huge pages for a large buffer: the first touch of each of many small ones takes more
   * time than that of a huge one, which takes milliseconds at most.
   */
  void prefer_huge_pages() { huge_ = true; }

  /** Gives the memory away; the taker frees it with std::free. */
  uint8_t* release() {
    size_ = capacity_ = 0;
    return std::exchange(data_, nullptr);
  }

 private:
  void grow(size_t needed) {
    size_t capacity = capacity_ == 0 ? 4096 : capacity_;
    while (capacity < needed) capacity *= 2;
    void* data = !huge_ || capacity < kLarge ? std::realloc(data_, capacity) : grown_large(capacity);
    if (data == nullptr) throw std::bad_alloc();
    data_ = static_cast<uint8_t*>(data);
    capacity_ = capacity;
  }

  /** In huge pages where there are any. */
  void* grown_large(size_t capacity) {
    void* data = std::aligned_alloc(kHugePage, capacity);
    if (data == nullptr) return nullptr;
    madvise(data, capacity, MADV_HUGEPAGE);
    if (size_ > 0) std::memcpy(data, data_, size_);
    std::free(data_);
    return data;
  }

  static constexpr size_t kHugePage = 2 << 20;
  static constexpr size_t kLarge = 2 * kHugePage;

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  bool huge_ = false;
};

}  // namespace nftjs
