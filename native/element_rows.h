#pragma once

#include <cstdint>
#include <vector>

#include "program_reader.h"

namespace nftjs {

/**
 * The elements of a record of the kind KIND_ROWS (src/wire/program-layout.ts): keys, and what of the rest all
 * of them have, at fixed distances. Large sets are made of them.
 */
class ElementRows {
 public:
  /** @throws ProgramError */
  explicit ElementRows(const Record& record);

  /** The attributes that every message starts with. */
  Span prefix() const { return prefix_; }

  uint32_t count() const { return count_; }

  /** Which element is the next. */
  uint32_t position() const { return next_; }

  /** Bytes that all elements take at most, with the heads of their messages. */
  size_t room() const;

  /**
   * Writes as many NFTA_LIST_ELEM as fit into `room` bytes.
   *
   * @returns the bytes written; 0 at the end
   * @throws ProgramError
   */
  size_t put(uint8_t* to, size_t room);

 private:
  /** Elements that are a key, or a key and plain data, and nothing else. */
  size_t put_equal(uint8_t* to, size_t room);
  size_t put_different(uint8_t* to, size_t room);

  Span prefix_, rows_;
  /** NFTA_SET_ELEM_DATA, encoded. */
  std::vector<Span> choices_;
  bool timeouts_;
  size_t key_length_, data_length_;
  size_t stride_;
  /** Bytes of the largest choice. */
  size_t choice_length_ = 0;
  uint32_t count_;
  uint32_t next_ = 0;
};

}  // namespace nftjs
