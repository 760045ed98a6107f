#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "errors.h"

namespace nftjs {

/** A view of a part of a program, which no read leaves. */
class Span {
 public:
  Span() = default;

  /** @param offset where in the program the bytes are: for messages of errors */
  Span(const uint8_t* data, size_t size, size_t offset = 0) : data_(data), size_(size), offset_(offset) {}

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  size_t offset() const { return offset_; }

  uint8_t u8(size_t at) const { return load<uint8_t>(at); }
  uint16_t u16(size_t at) const { return load<uint16_t>(at); }
  uint32_t u32(size_t at) const { return load<uint32_t>(at); }

  Span slice(size_t at, size_t length) const {
    check(at, length);
    return Span(data_ + at, length, offset_ + at);
  }

  Span from(size_t at) const { return slice(at, at <= size_ ? size_ - at : 0); }

  [[noreturn]] void fail(const std::string& what, size_t at = 0) const {
    throw ProgramError(what, offset_ + at);
  }

 private:
  void check(size_t at, size_t length) const {
    if (at > size_ || length > size_ - at) {
      fail(std::to_string(length) + " bytes wanted where the part ends after " + std::to_string(size_), at);
    }
  }

  template <typename T>
  T load(size_t at) const {
    check(at, sizeof(T));
    T value;
    std::memcpy(&value, data_ + at, sizeof value);
    return value;
  }

  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t offset_ = 0;
};

}  // namespace nftjs
