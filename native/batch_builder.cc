#include "batch_builder.h"

#include <string>
#include <utility>

#include "elements.h"
#include "generated/program_layout.h"

namespace nftjs {

void BatchBuilder::append(Span piece) {
  piece = Span(piece.data(), piece.size(), taken_);
  if (missing_ > 0) {
    if (piece.size() > missing_) piece.fail("more rows than the record has");
    rows_->feed(piece);
    batch_->add(record_, *rows_);
    missing_ -= piece.size();
  } else if (header_) {
    records(piece, 0);
  } else {
    header_.emplace(piece);
    batch_.emplace(*header_);
    records(piece, layout::HEADER_SIZE);
  }
  taken_ += piece.size();
}

void BatchBuilder::records(const Span& piece, size_t at) {
  while (at < piece.size()) {
    const uint32_t length = record_length(piece, at);
    const bool whole = length <= piece.size() - at;
    const Span bytes = whole ? piece.slice(at, length) : piece.from(at);
    if (whole) {
      batch_->add(read_record(bytes));
    } else {
      begin_rows(bytes, length);
    }
    at += bytes.size();
    records_++;
  }
}

void BatchBuilder::begin_rows(const Span& head, uint32_t length) {
  head_.assign(head.data(), head.data() + head.size());
  record_ = read_record(Span(head_.data(), head_.size(), head.offset()));
  if (record_.kind != layout::KIND_ROWS) head.fail("a part of a record");
  rows_.emplace(record_, true);
  missing_ = length - head.size();
  if (missing_ != rows_->size()) {
    head.fail(std::to_string(missing_) + " bytes where rows take " + std::to_string(rows_->size()));
  }
  // Each piece begins a message of its own; what takes more than this moves once.
  batch_->reserve(rows_->room() + rows_->room() / 8 + kElementsRoom);
}

Batch BatchBuilder::take() {
  if (!header_ || taken_ != header_->length || records_ != header_->records) {
    Span(nullptr, 0, taken_).fail("this is no whole program");
  }
  batch_->end();
  header_.reset();
  return std::move(*std::exchange(batch_, std::nullopt));
}

}  // namespace nftjs
