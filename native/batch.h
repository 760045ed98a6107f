#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "buffer.h"
#include "element_rows.h"
#include "program_reader.h"

namespace nftjs {

/** The elements `first` to `last`, both included, of an operation. */
struct ElementRange {
  uint32_t first;
  uint32_t last;
};

/** Which part of the caller's transaction a place in the batch came from. */
struct Place {
  /** Nothing: the place is the transaction as a whole. */
  std::optional<uint32_t> operation;
  std::optional<ElementRange> elements;
  /** Bytes into the attributes that the caller gave: the operation's, or those of the one element named. */
  std::optional<uint32_t> offset;
  /** The types of the attributes around that place, outermost first. */
  std::vector<uint16_t> attribute;
};

/** A program as the netlink messages of one batch. */
class Batch {
 public:
  /**
   * The whole of a program.
   *
   * @param storage where to put the messages: what is in it is gone
   * @throws ProgramError
   */
  explicit Batch(ProgramReader program, Buffer storage = {});

  /** Nothing but a beginning. */
  explicit Batch(const ProgramHeader& header, Buffer storage = {});

  /** Makes room for so many bytes more. */
  void reserve(size_t size) { bytes_.room(size); }

  /** @throws ProgramError */
  void add(const Record& record);

  /** Adds those rows of a record that are there; for them all it has to be called again. */
  void add(const Record& record, ElementRows& rows);

  /** Ends it: nothing follows. */
  void end();

  /** Gives the messages sequence numbers, the first one this. */
  void number(uint32_t sequence);

  const Buffer& bytes() const { return bytes_; }
  /** Gives the messages' memory away. */
  Buffer take_bytes() { return std::move(bytes_); }
  uint32_t count() const { return static_cast<uint32_t>(messages_.size()); }

  /** Whether the kernel shall not only validate. */
  bool commits() const { return commits_; }

  /** The generation that the batch has to meet, or 0. */
  uint32_t generation() const { return generation_; }

  /** Whether a message asks for an acknowledgement where it succeeds. */
  bool acknowledged() const { return acknowledged_; }

  /** Whether a message of this sequence number is in the batch. */
  bool contains(uint32_t sequence) const { return sequence - sequence_ < count(); }

  /** Whether the kernel refuses the message of this sequence number for what it refused the one before. */
  bool repeats(uint32_t sequence) const { return announces_flush_ && sequence == sequence_ + 2; }

  /** The generation after a commit of which the kernel told nothing, where the batch had to meet one; else 0.
   */
  uint32_t untold_generation() const;

  /** The operation whose echo the message with this sequence number, which the batch contains, asked for. */
  std::optional<uint32_t> echoed(uint32_t sequence) const;

  /**
   * What the message with this sequence number, which the batch contains, stands for.
   *
   * @param offset from the message's header on, as the kernel's extended acknowledgement counts
   */
  Place place(uint32_t sequence, std::optional<uint32_t> offset) const;

 private:
  struct Message {
    size_t start;
    std::optional<uint32_t> operation;
    std::optional<ElementRange> elements;
    /** Its echo was asked for. */
    bool echoes;
  };

  /** Nothing but the beginning is there. */
  bool is_first() const { return count() == 1; }
  void begin();
  void message(const Record& record);
  void announce(const Record& record, const Span& attributes);
  void announce_flush(const Record& record, const Span& attributes);
  void elements(const Record& record);
  nlmsghdr* begin_elements(const Record& record, const Span& prefix);
  void end_elements(const nlmsghdr* header, const Record& record, ElementRange range);

  uint32_t sequence_ = 0;
  Buffer bytes_;
  bool commits_;
  /** Objects that are made are to be echoed. */
  bool echo_;
  bool acknowledged_ = false;
  uint32_t generation_;
  /** It changes something wherever it is not refused, and nothing asks the kernel to tell the generation. */
  bool changes_ = false;
  /** The first message stands for the second, as far as the kernel may refuse it. */
  bool announces_flush_ = false;
  std::vector<Message> messages_;
};

}  // namespace nftjs
