#pragma once

#include <cstdint>
#include <vector>

#include "span.h"

namespace nftjs {

/** One record of a program; see src/wire/program-layout.ts. */
struct Record {
  uint8_t kind;
  uint8_t type;
  uint8_t family;
  uint16_t flags;
  uint32_t operation;
  /** The whole record, from its length on. */
  Span bytes;
};

/** What a program begins with. */
struct ProgramHeader {
  /** @throws ProgramError */
  explicit ProgramHeader(const Span& program);

  /** The kernel shall validate and not commit. */
  bool check;
  /** The kernel shall send back what it made. */
  bool echo;
  /** The generation that the ruleset must have, or 0. */
  uint32_t generation;
  uint32_t records;
  /** Bytes of the whole program. */
  size_t length;
};

/** Bytes of the record that begins at `at`, of which some may not be there; throws ProgramError. */
uint32_t record_length(const Span& program, size_t at);

/** The record of these bytes, or of the first of them; throws ProgramError. */
Record read_record(const Span& bytes);

/** Reads the header and the records of a program; throws ProgramError for all it does not understand. */
class ProgramReader {
 public:
  explicit ProgramReader(Span program);

  const ProgramHeader& header() const { return header_; }

  /** Reads the next record; false at the end. */
  bool next(Record& record);

 private:
  Span program_;
  ProgramHeader header_;
  uint32_t read_ = 0;
  size_t at_;
};

/** One element: either `attributes` are encoded already, or the parts are to be encoded. */
struct Element {
  /** Stays in one message with the element before it. */
  bool together;
  /** NFT_SET_ELEM_* of a packed element. */
  uint32_t flags;
  Span attributes, key, end, data;
};

/** Reads the elements of a record of either kind; can go back to an element that it has read. */
class ElementReader {
 public:
  explicit ElementReader(const Record& record);

  /** The attributes that every message starts with. */
  Span prefix() const { return prefix_; }
  uint32_t count() const { return count_; }

  /** Which element next() reads. */
  struct Position {
    uint32_t index;
    size_t at;
  };
  Position position() const { return position_; }
  void rewind(Position position) { position_ = position; }

  /** Reads the next element; false at the end. */
  bool next(Element& element);

 private:
  void read_encoded(Element& element);
  void read_packed(Element& element);

  bool packed_;
  Span prefix_, elements_;
  uint32_t count_;
  size_t key_length_ = 0, end_length_ = 0, data_length_ = 0;
  Position position_{0, 0};
};

}  // namespace nftjs
