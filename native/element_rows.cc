#include "element_rows.h"

#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cstring>

#include "generated/program_layout.h"

namespace nftjs {
namespace {

constexpr size_t kHeader = MNL_ATTR_HDRLEN;
constexpr size_t kWord = sizeof(uint32_t);
constexpr size_t kTimeoutSize = kHeader + sizeof(uint64_t);
/** Bytes that elements take in a message at most, and bytes in front of its attributes and theirs. */
constexpr size_t kMessage = 65000;
constexpr size_t kMessageHead = 64;
constexpr uint64_t kMilliseconds = 1000;

/** A nest with NFTA_DATA_VALUE in it. */
constexpr size_t value_size(size_t length) {
  return 2 * kHeader + MNL_ALIGN(length);
}

uint32_t load(const uint8_t* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

uint8_t* put_header(uint8_t* at, uint16_t type, size_t length) {
  const nlattr header{static_cast<uint16_t>(length), type};
  std::memcpy(at, &header, sizeof header);
  return at + sizeof header;
}

/** Copies the padding, zeros or not, too: the kernel does not look at it. */
uint8_t* put_value(uint8_t* at, uint16_t type, const uint8_t* value, size_t length) {
  at = put_header(at, type | NLA_F_NESTED, value_size(length));
  at = put_header(at, NFTA_DATA_VALUE, kHeader + length);
  std::memcpy(at, value, MNL_ALIGN(length));
  return at + MNL_ALIGN(length);
}

/** put_equal() for keys whose size is known where this is compiled: copying four bytes is no call then. */
template <size_t kKey>
uint8_t* put_keys(uint8_t* at, const uint8_t* row, uint32_t count) {
  uint8_t headers[3 * kHeader];
  put_header(headers, NFTA_LIST_ELEM | NLA_F_NESTED, kHeader + value_size(kKey));
  put_header(headers + kHeader, NFTA_SET_ELEM_KEY | NLA_F_NESTED, value_size(kKey));
  put_header(headers + 2 * kHeader, NFTA_DATA_VALUE, kHeader + kKey);
  for (; count > 0; count--, row += kKey) {
    std::memcpy(at, headers, sizeof headers);
    std::memcpy(at + sizeof headers, row, kKey);
    at += sizeof headers + kKey;
  }
  return at;
}

}  // namespace

ElementRows::ElementRows(const Record& record, bool apart)
    : timeouts_(false),
      key_length_(record.bytes.u16(layout::ROWS_KEY_LENGTH)),
      data_length_(record.bytes.u16(layout::ROWS_DATA_LENGTH)),
      count_(record.bytes.u32(layout::ELEMENTS_COUNT)) {
  const uint16_t flags = record.bytes.u16(layout::ROWS_FLAGS);
  if ((flags & ~layout::ROWS_TIMEOUTS) != 0) record.bytes.fail("an unknown flag", layout::ROWS_FLAGS);
  timeouts_ = (flags & layout::ROWS_TIMEOUTS) != 0;
  if (data_length_ != 0 && record.bytes.u16(layout::ROWS_CHOICES) != 0) {
    record.bytes.fail("data beside choices", layout::ROWS_DATA_LENGTH);
  }
  const uint32_t prefix = record.bytes.u32(layout::ELEMENTS_PREFIX_LENGTH);
  if (prefix % MNL_ALIGNTO != 0) {
    record.bytes.fail("a prefix of " + std::to_string(prefix) + " bytes", layout::ELEMENTS_PREFIX_LENGTH);
  }
  prefix_ = record.bytes.slice(layout::ROWS_SIZE, prefix);
  size_t at = layout::ROWS_SIZE + prefix;
  for (uint16_t left = record.bytes.u16(layout::ROWS_CHOICES); left > 0; left--) {
    const uint16_t length = record.bytes.u16(at);
    if (length < kHeader) record.bytes.fail("a choice of " + std::to_string(length) + " bytes", at);
    choices_.push_back(record.bytes.slice(at, MNL_ALIGN(length)));
    at += MNL_ALIGN(length);
    choice_length_ = std::max<size_t>(choice_length_, MNL_ALIGN(length));
  }
  const Span rows = record.bytes.from(at);
  stride_ =
      MNL_ALIGN(key_length_) + (choices_.empty() ? MNL_ALIGN(data_length_) : kWord) + (timeouts_ ? kWord : 0);
  if (key_length_ == 0 || rows.size() != (apart ? 0 : size())) {
    rows.fail(std::to_string(rows.size()) + " bytes are not " + std::to_string(count_) + " rows of " +
              std::to_string(stride_));
  }
  if (!apart) feed(rows);
}

void ElementRows::feed(const Span& rows) {
  const size_t more = rows.size() / stride_;
  if (rows.size() % stride_ != 0 || more > count_ - there_) {
    rows.fail(std::to_string(rows.size()) + " bytes where " + std::to_string(count_ - there_) + " rows of " +
              std::to_string(stride_) + " are expected");
  }
  rows_ = rows;
  first_ = there_;
  there_ += static_cast<uint32_t>(more);
}

size_t ElementRows::room() const {
  const size_t element = kHeader + (timeouts_ ? kTimeoutSize : 0) + value_size(key_length_) + choice_length_ +
                         (data_length_ == 0 ? 0 : value_size(data_length_));
  const size_t all = count_ * element;
  return all + (all / kMessage + 1) * (kMessageHead + prefix_.size() + element);
}

size_t ElementRows::put(uint8_t* to, size_t room) {
  const size_t written = choices_.empty() && !timeouts_ ? put_equal(to, room) : put_different(to, room);
  if (written == 0) fail("element " + std::to_string(next_) + " passes 64 KiB");
  return written;
}

size_t ElementRows::put_equal(uint8_t* to, size_t room) {
  const size_t size = kHeader + value_size(key_length_) + (data_length_ == 0 ? 0 : value_size(data_length_));
  const auto taken = static_cast<uint32_t>(std::min<size_t>(left(), room / size));
  const uint8_t* row = next_row();
  next_ += taken;
  if (data_length_ == 0 && key_length_ == 4) return put_keys<4>(to, row, taken) - to;
  if (data_length_ == 0 && key_length_ == 16) return put_keys<16>(to, row, taken) - to;
  uint8_t* at = to;
  for (uint32_t i = 0; i < taken; i++, row += stride_) {
    at = put_header(at, NFTA_LIST_ELEM | NLA_F_NESTED, size);
    at = put_value(at, NFTA_SET_ELEM_KEY, row, key_length_);
    if (data_length_ > 0) at = put_value(at, NFTA_SET_ELEM_DATA, row + MNL_ALIGN(key_length_), data_length_);
  }
  return at - to;
}

size_t ElementRows::put_different(uint8_t* to, size_t room) {
  uint8_t* at = to;
  for (; next_ < there_; next_++) {
    const uint8_t* row = next_row();
    const uint8_t* data = row + MNL_ALIGN(key_length_);
    const uint32_t timeout = timeouts_ ? load(row + stride_ - kWord) : 0;
    Span choice;
    if (!choices_.empty()) {
      const uint32_t number = load(data);
      if (number >= choices_.size()) {
        fail("element " + std::to_string(next_) + " names choice " + std::to_string(number) + " of " +
             std::to_string(choices_.size()));
      }
      choice = choices_[number];
    }
    const size_t size = kHeader + (timeout == 0 ? 0 : kTimeoutSize) + value_size(key_length_) +
                        (data_length_ == 0 ? choice.size() : value_size(data_length_));
    if (size > room - (at - to)) break;
    at = put_header(at, NFTA_LIST_ELEM | NLA_F_NESTED, size);
    if (timeout != 0) {
      const uint64_t milliseconds = htobe64(timeout * kMilliseconds);
      at = put_header(at, NFTA_SET_ELEM_TIMEOUT, kTimeoutSize);
      std::memcpy(at, &milliseconds, sizeof milliseconds);
      at += sizeof milliseconds;
    }
    at = put_value(at, NFTA_SET_ELEM_KEY, row, key_length_);
    if (choice.size() > 0) {
      std::memcpy(at, choice.data(), choice.size());
      at += choice.size();
    } else if (data_length_ > 0) {
      at = put_value(at, NFTA_SET_ELEM_DATA, data, data_length_);
    }
  }
  return at - to;
}

}  // namespace nftjs
