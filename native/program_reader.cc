#include "program_reader.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>

#include <limits>

#include "generated/program_layout.h"

namespace nftjs {
namespace {

constexpr uint32_t kElementFlags = NFT_SET_ELEM_INTERVAL_END | NFT_SET_ELEM_CATCHALL;

}  // namespace

ProgramHeader::ProgramHeader(const Span& program) {
  if (program.u32(layout::HEADER_MAGIC) != layout::MAGIC) program.fail("this is no program");
  if (program.u16(layout::HEADER_VERSION) != layout::VERSION) {
    program.fail("the layout has another version", layout::HEADER_VERSION);
  }
  length = program.u32(layout::HEADER_LENGTH);
  const uint16_t flags = program.u16(layout::HEADER_FLAGS);
  if ((flags & ~(layout::FLAG_CHECK | layout::FLAG_ECHO)) != 0) {
    program.fail("an unknown flag", layout::HEADER_FLAGS);
  }
  check = (flags & layout::FLAG_CHECK) != 0;
  echo = (flags & layout::FLAG_ECHO) != 0;
  generation = program.u32(layout::HEADER_GENERATION);
  records = program.u32(layout::HEADER_RECORDS);
}

uint32_t record_length(const Span& program, size_t at) {
  const uint32_t length = program.u32(at + layout::RECORD_LENGTH);
  if (length < layout::RECORD_SIZE || length % MNL_ALIGNTO != 0) {
    program.fail("a record of " + std::to_string(length) + " bytes", at);
  }
  return length;
}

Record read_record(const Span& bytes) {
  return Record{bytes.u8(layout::RECORD_KIND),       bytes.u8(layout::RECORD_TYPE),
                bytes.u8(layout::RECORD_FAMILY),     bytes.u16(layout::RECORD_FLAGS),
                bytes.u32(layout::RECORD_OPERATION), bytes};
}

ProgramReader::ProgramReader(Span program) : program_(program), header_(program), at_(layout::HEADER_SIZE) {
  if (header_.length != program.size()) {
    program.fail("the length is not " + std::to_string(program.size()), layout::HEADER_LENGTH);
  }
}

bool ProgramReader::next(Record& record) {
  if (at_ == program_.size() && read_ == header_.records) return false;
  if (read_ == header_.records) program_.fail("bytes after the last record", at_);
  const uint32_t length = record_length(program_, at_);
  record = read_record(program_.slice(at_, length));
  at_ += length;
  read_++;
  return true;
}

ElementReader::ElementReader(const Record& record)
    : packed_(record.kind == layout::KIND_PACKED_ELEMENTS), count_(record.bytes.u32(layout::ELEMENTS_COUNT)) {
  size_t start = layout::ELEMENTS_SIZE;
  if (packed_) {
    key_length_ = record.bytes.u16(layout::PACKED_KEY_LENGTH);
    end_length_ = record.bytes.u16(layout::PACKED_END_LENGTH);
    data_length_ = record.bytes.u16(layout::PACKED_DATA_LENGTH);
    start = layout::PACKED_SIZE;
  }
  const uint32_t prefix = record.bytes.u32(layout::ELEMENTS_PREFIX_LENGTH);
  if (prefix % MNL_ALIGNTO != 0) {
    record.bytes.fail("a prefix of " + std::to_string(prefix) + " bytes", layout::ELEMENTS_PREFIX_LENGTH);
  }
  prefix_ = record.bytes.slice(start, prefix);
  elements_ = record.bytes.from(start + prefix);
}

bool ElementReader::next(Element& element) {
  if (position_.index == count_) {
    if (position_.at != elements_.size()) elements_.fail("bytes after the last element", position_.at);
    return false;
  }
  element = Element{};
  if (packed_) {
    read_packed(element);
  } else {
    read_encoded(element);
  }
  position_.index++;
  return true;
}

void ElementReader::read_encoded(Element& element) {
  const uint32_t word = elements_.u32(position_.at);
  const uint32_t length = word & layout::ELEMENT_LENGTH_MASK;
  if (length % MNL_ALIGNTO != 0 || length + MNL_ATTR_HDRLEN > std::numeric_limits<uint16_t>::max()) {
    elements_.fail("an element of " + std::to_string(length) + " bytes", position_.at);
  }
  element.together = (word & layout::ELEMENT_TOGETHER) != 0;
  element.attributes = elements_.slice(position_.at + 4, length);
  position_.at += 4 + length;
}

void ElementReader::read_packed(Element& element) {
  const uint32_t word = elements_.u32(position_.at);
  element.together = (word & layout::ELEMENT_TOGETHER) != 0;
  element.flags = word & ~layout::ELEMENT_TOGETHER;
  if ((element.flags & ~kElementFlags) != 0) elements_.fail("an unknown flag of an element", position_.at);
  const size_t parts = key_length_ + end_length_ + data_length_;
  const Span bytes = elements_.slice(position_.at + 4, MNL_ALIGN(parts));
  if ((element.flags & NFT_SET_ELEM_CATCHALL) == 0) {
    element.key = bytes.slice(0, key_length_);
    element.end = bytes.slice(key_length_, end_length_);
  }
  if ((element.flags & NFT_SET_ELEM_INTERVAL_END) == 0) {
    element.data = bytes.slice(key_length_ + end_length_, data_length_);
  }
  position_.at += 4 + bytes.size();
}

}  // namespace nftjs
