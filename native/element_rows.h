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
  /**
   * @param apart the record ends where its rows would begin: they come piece by piece. What it has has to
   * stay
   * @throws ProgramError
   */
  explicit ElementRows(const Record& record, bool apart = false);

  /** Takes the next rows that came apart, when none are left of those before; throws ProgramError. */
  void feed(const Span& rows);

  /** The attributes that every message starts with. */
  Span prefix() const { return prefix_; }

  /** Bytes of all rows. */
  size_t size() const { return stride_ * count_; }

  /** How many that are there were not written yet. */
  uint32_t left() const { return there_ - next_; }

  /** Which element is the next. */
  uint32_t position() const { return next_; }

  /** Bytes that all elements take at most, with the heads of their messages. */
  size_t room() const;

  /**
   * Writes as many NFTA_LIST_ELEM as fit into `room` bytes.
   *
   * @returns the bytes written
   * @throws ProgramError
   */
  size_t put(uint8_t* to, size_t room);

 private:
  /** Elements that are a key, or a key and plain data, and nothing else. */
  size_t put_equal(uint8_t* to, size_t room);
  size_t put_different(uint8_t* to, size_t room);
  const uint8_t* next_row() const { return rows_.data() + (next_ - first_) * stride_; }
  [[noreturn]] void fail(const std::string& what) const { rows_.fail(what, (next_ - first_) * stride_); }

  Span prefix_, rows_;
  /** NFTA_SET_ELEM_DATA, encoded. */
  std::vector<Span> choices_;
  bool timeouts_;
  size_t key_length_, data_length_;
  size_t stride_;
  /** Bytes of the largest choice. */
  size_t choice_length_ = 0;
  uint32_t count_;
  /** Number of the first of `rows_`, of the one to be written next, and of the first that did not come yet.
   */
  uint32_t first_ = 0, next_ = 0, there_ = 0;
};

}  // namespace nftjs
