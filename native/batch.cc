#include "batch.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "elements.h"
#include "generated/program_layout.h"

namespace nftjs {
namespace {

constexpr size_t kHeaderSize = MNL_NLMSG_HDRLEN + sizeof(nfgenmsg);

/** Messages get their sequence numbers at last. */
constexpr uint32_t kNoSequence = 0;

nlmsghdr* put_header(uint8_t* at, const Record& record, uint16_t extra_flags) {
  return nftnl_nlmsg_build_hdr(reinterpret_cast<char*>(at), record.type, record.family,
                               static_cast<uint16_t>(record.flags | extra_flags), kNoSequence);
}

void put_attributes(nlmsghdr* message, const Span& attributes) {
  if (attributes.size() == 0) return;
  std::memcpy(mnl_nlmsg_get_payload_tail(message), attributes.data(), attributes.size());
  message->nlmsg_len += static_cast<uint32_t>(attributes.size());
}

/** Whether a message makes an object, which gets a handle. */
bool makes_object(uint8_t type) {
  switch (type) {
    case NFT_MSG_NEWTABLE:
    case NFT_MSG_NEWCHAIN:
    case NFT_MSG_NEWRULE:
    case NFT_MSG_NEWSET:
    case NFT_MSG_NEWOBJ:
    case NFT_MSG_NEWFLOWTABLE:
      return true;
    default:
      return false;
  }
}

/** Whether elements change the set wherever they are not refused. */
bool always_changes(const Record& record) {
  return record.type == NFT_MSG_DELSETELEM ||
         (record.type == NFT_MSG_NEWSETELEM && (record.flags & NLM_F_EXCL) != 0);
}

/** The attribute among those from `at` to `end` that covers `place`; null where there is none. */
const nlattr* covering(const uint8_t* at, const uint8_t* end, const uint8_t* place,
                       uint32_t* index = nullptr) {
  auto* attribute = reinterpret_cast<const nlattr*>(at);
  for (uint32_t i = 0;; i++) {
    auto* start = reinterpret_cast<const uint8_t*>(attribute);
    if (start > place || !mnl_attr_ok(attribute, static_cast<int>(end - start))) return nullptr;
    const nlattr* next = mnl_attr_next(attribute);
    if (place < reinterpret_cast<const uint8_t*>(next)) {
      if (index != nullptr) *index = i;
      return attribute;
    }
    attribute = next;
  }
}

const uint8_t* payload(const nlattr* attribute) {
  return static_cast<const uint8_t*>(mnl_attr_get_payload(attribute));
}

const uint8_t* payload_end(const nlattr* attribute) {
  return payload(attribute) + mnl_attr_get_payload_len(attribute);
}

/** The types of the attributes around `place`, outermost first. */
std::vector<uint16_t> path_to(const uint8_t* at, const uint8_t* end, const uint8_t* place) {
  std::vector<uint16_t> path;
  const nlattr* attribute = covering(at, end, place);
  while (attribute != nullptr) {
    path.push_back(mnl_attr_get_type(attribute));
    if ((attribute->nla_type & NLA_F_NESTED) == 0 || place < payload(attribute)) break;
    attribute = covering(payload(attribute), payload_end(attribute), place);
  }
  return path;
}

}  // namespace

Batch::Batch(ProgramReader program, Buffer storage) : Batch(program.header(), std::move(storage)) {
  reserve(program.header().length + program.header().length / 2);
  Record record;
  while (program.next(record)) add(record);
  end();
}

Batch::Batch(const ProgramHeader& header, Buffer storage)
    : bytes_(std::move(storage)),
      commits_(!header.check),
      echo_(header.echo),
      generation_(header.generation) {
  bytes_.truncate(0);
  bytes_.prefer_huge_pages();
  begin();
}

void Batch::add(const Record& record) {
  if ((record.flags & NLM_F_ACK) != 0) acknowledged_ = true;
  switch (record.kind) {
    case layout::KIND_MESSAGE:
      message(record);
      break;
    case layout::KIND_ENCODED_ELEMENTS:
    case layout::KIND_PACKED_ELEMENTS:
      elements(record);
      break;
    case layout::KIND_ROWS: {
      ElementRows rows(record);
      reserve(rows.room() + kElementsRoom);
      add(record, rows);
      break;
    }
    default:
      record.bytes.fail("a record of unknown kind " + std::to_string(record.kind), layout::RECORD_KIND);
  }
}

void Batch::add(const Record& record, ElementRows& rows) {
  if (rows.left() > 0) announce(record, rows.prefix());
  while (rows.left() > 0) {
    const uint32_t first = rows.position();
    nlmsghdr* header = begin_elements(record, rows.prefix());
    put_elements(header, rows);
    end_elements(header, record, ElementRange{first, rows.position() - 1});
  }
}

void Batch::begin() {
  const size_t start = bytes_.size();
  auto* room = reinterpret_cast<char*>(bytes_.room(kHeaderSize + MNL_ATTR_HDRLEN + sizeof(uint32_t)));
  nlmsghdr* header = nftnl_batch_begin(room, kNoSequence);
  if (generation_ != 0) mnl_attr_put_u32(header, NFNL_BATCH_GENID, htonl(generation_));
  bytes_.commit(header->nlmsg_len);
  messages_.push_back({start, std::nullopt, std::nullopt, false});
}

void Batch::end() {
  // Without its end, the kernel validates a batch and drops it.
  if (!commits_) return;
  const size_t start = bytes_.size();
  auto* room = reinterpret_cast<char*>(bytes_.room(kHeaderSize));
  bytes_.commit(nftnl_batch_end(room, kNoSequence)->nlmsg_len);
  messages_.push_back({start, std::nullopt, std::nullopt, false});
}

void Batch::number(uint32_t sequence) {
  sequence_ = sequence;
  for (const Message& message : messages_)
    reinterpret_cast<nlmsghdr*>(bytes_.data() + message.start)->nlmsg_seq = sequence++;
}

void Batch::message(const Record& record) {
  const Span attributes = record.bytes.from(layout::RECORD_SIZE);
  const bool echoes = (record.flags & NLM_F_ECHO) != 0 || (echo_ && makes_object(record.type));
  uint16_t extra_flags = echoes ? NLM_F_ECHO : 0;
  if (record.type == NFT_MSG_DELSETELEM) {
    announce_flush(record, attributes);
  } else if (is_first()) {
    extra_flags = NLM_F_ECHO;
  }
  const size_t start = bytes_.size();
  nlmsghdr* header = put_header(bytes_.room(kHeaderSize + attributes.size()), record, extra_flags);
  put_attributes(header, attributes);
  bytes_.commit(header->nlmsg_len);
  messages_.push_back({start, record.operation, std::nullopt, echoes});
}

/**
 * The kernel tells the new generation, the proof of a commit, where the batch's first message asks for its
 * echo. An echo of elements would be as large as they are. So an addition of their table, which is there and
 * of which nothing is said (nf_tables_updtable), goes before them: it changes nothing, and nothing is told of
 * it. Its name is the first attribute of either message (NFTA_TABLE_NAME, NFTA_SET_ELEM_LIST_TABLE). Where
 * there is no such table what follows fails, and all with it.
 *
 * Where the batch has to meet a generation, and changes something unless it is refused, the next one follows
 * from it.
 */
void Batch::announce(const Record& record, const Span& attributes) {
  if (!commits_ || !is_first() || attributes.size() < MNL_ATTR_HDRLEN) return;
  if (generation_ != 0 && always_changes(record)) {
    changes_ = true;
    return;
  }
  const auto* table = reinterpret_cast<const nlattr*>(attributes.data());
  if (mnl_attr_get_type(table) != NFTA_TABLE_NAME || !mnl_attr_ok(table, static_cast<int>(attributes.size())))
    return;
  const size_t start = bytes_.size();
  const size_t length = MNL_ALIGN(table->nla_len);
  nlmsghdr* header = nftnl_nlmsg_build_hdr(reinterpret_cast<char*>(bytes_.room(kHeaderSize + length)),
                                           NFT_MSG_NEWTABLE, record.family, NLM_F_ECHO, kNoSequence);
  put_attributes(header, Span(attributes.data(), length));
  bytes_.commit(header->nlmsg_len);
  messages_.push_back({start, record.operation, std::nullopt, false});
}

/**
 * As {@link announce}, where nobody has looked whether there is such a table: an addition would make it, and
 * what follows would be refused for its set. To delete no elements changes nothing either, and is refused for
 * whatever the flush is refused for.
 */
void Batch::announce_flush(const Record& record, const Span& attributes) {
  if (!commits_ || !is_first()) return;
  const size_t start = bytes_.size();
  auto* room = reinterpret_cast<char*>(bytes_.room(kHeaderSize + attributes.size() + MNL_ATTR_HDRLEN));
  nlmsghdr* header = nftnl_nlmsg_build_hdr(room, record.type, record.family, NLM_F_ECHO, kNoSequence);
  put_attributes(header, attributes);
  mnl_attr_put(header, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED, 0, nullptr);
  bytes_.commit(header->nlmsg_len);
  announces_flush_ = true;
  messages_.push_back({start, record.operation, std::nullopt, false});
}

void Batch::elements(const Record& record) {
  ElementReader reader(record);
  if (reader.count() > 0) announce(record, reader.prefix());
  for (;;) {
    const uint32_t first = reader.position().index;
    nlmsghdr* header = begin_elements(record, reader.prefix());
    const uint32_t count = put_elements(header, reader);
    if (count == 0) return;
    end_elements(header, record, ElementRange{first, first + count - 1});
  }
}

nlmsghdr* Batch::begin_elements(const Record& record, const Span& prefix) {
  nlmsghdr* header = put_header(bytes_.room(kHeaderSize + prefix.size() + kElementsRoom), record, 0);
  put_attributes(header, prefix);
  return header;
}

void Batch::end_elements(const nlmsghdr* header, const Record& record, ElementRange range) {
  const size_t start = bytes_.size();
  bytes_.commit(header->nlmsg_len);
  messages_.push_back({start, record.operation, range, false});
}

uint32_t Batch::untold_generation() const {
  if (!changes_) return generation_;
  return generation_ == UINT32_MAX ? 1 : generation_ + 1;
}

std::optional<uint32_t> Batch::echoed(uint32_t sequence) const {
  const Message& message = messages_[sequence - sequence_];
  return message.echoes ? message.operation : std::nullopt;
}

Place Batch::place(uint32_t sequence, std::optional<uint32_t> offset) const {
  const Message& message = messages_[sequence - sequence_];
  Place place{message.operation, message.elements, std::nullopt, {}};
  const uint8_t* start = bytes_.data() + message.start;
  const uint32_t length = reinterpret_cast<const nlmsghdr*>(start)->nlmsg_len;
  if (!message.operation || !offset || *offset < kHeaderSize || *offset >= length) return place;

  const uint8_t* at = start + kHeaderSize;
  const uint8_t* end = start + length;
  const uint8_t* wanted = start + *offset;
  if (message.elements) {
    const nlattr* list = covering(at, end, wanted);
    if (list == nullptr || mnl_attr_get_type(list) != NFTA_SET_ELEM_LIST_ELEMENTS) {
      place.attribute = path_to(at, end, wanted);
      return place;
    }
    uint32_t index = 0;
    const nlattr* element = covering(payload(list), payload_end(list), wanted, &index);
    if (element == nullptr) return place;
    const uint32_t exact = message.elements->first + index;
    place.elements = ElementRange{exact, exact};
    if (wanted < payload(element)) return place;
    at = payload(element);
    end = payload_end(element);
  }
  place.offset = static_cast<uint32_t>(wanted - at);
  place.attribute = path_to(at, end, wanted);
  return place;
}

}  // namespace nftjs
