#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "batch.h"
#include "element_rows.h"
#include "program_reader.h"

namespace nftjs {

/**
 * Makes a batch of a program that comes in pieces, none of which is kept: whole records, the last of which
 * may lack its rows, or rows of that one.
 */
class BatchBuilder {
 public:
  /** @throws ProgramError */
  void append(Span piece);

  /**
   * Gives the batch away.
   *
   * @throws ProgramError when pieces are missing
   */
  Batch take();

 private:
  void records(const Span& piece, size_t at);
  void begin_rows(const Span& head, uint32_t length);

  std::optional<ProgramHeader> header_;
  std::optional<Batch> batch_;
  /** Bytes and records that were there so far. */
  size_t taken_ = 0;
  uint32_t records_ = 0;
  /** The record whose rows come, and the bytes in front of them. */
  std::vector<uint8_t> head_;
  Record record_;
  std::optional<ElementRows> rows_;
  /** Bytes of it that are to come. */
  size_t missing_ = 0;
};

}  // namespace nftjs
