#include "elements.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>

#include <limits>

namespace nftjs {
namespace {

constexpr size_t kNestLimit = std::numeric_limits<uint16_t>::max();

size_t attribute_size(size_t payload) {
  return MNL_ATTR_HDRLEN + MNL_ALIGN(payload);
}

size_t nested_value_size(const Span& value) {
  return value.size() == 0 ? 0 : MNL_ATTR_HDRLEN + attribute_size(value.size());
}

size_t element_size(const Element& element) {
  return MNL_ATTR_HDRLEN + element.attributes.size() +
         (element.flags != 0 ? attribute_size(sizeof(uint32_t)) : 0) + nested_value_size(element.key) +
         nested_value_size(element.end) + nested_value_size(element.data);
}

void put_value(nlmsghdr* message, uint16_t type, const Span& value) {
  if (value.size() == 0) return;
  nlattr* nest = mnl_attr_nest_start(message, type);
  mnl_attr_put(message, NFTA_DATA_VALUE, value.size(), value.data());
  mnl_attr_nest_end(message, nest);
}

/** Attributes in libnftnl's order. */
void put_element(nlmsghdr* message, const Element& element) {
  nlattr* nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
  if (element.attributes.size() > 0) {
    std::memcpy(mnl_nlmsg_get_payload_tail(message), element.attributes.data(), element.attributes.size());
    message->nlmsg_len += static_cast<uint32_t>(element.attributes.size());
  }
  if (element.flags != 0) mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(element.flags));
  put_value(message, NFTA_SET_ELEM_KEY, element.key);
  put_value(message, NFTA_SET_ELEM_KEY_END, element.end);
  put_value(message, NFTA_SET_ELEM_DATA, element.data);
  mnl_attr_nest_end(message, nest);
}

}  // namespace

uint32_t put_elements(nlmsghdr* message, ElementReader& reader) {
  nlattr* nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
  const uint32_t start = message->nlmsg_len;
  const ElementReader::Position first = reader.position();
  // Where the last element that does not have to stay with the one before it begins.
  ElementReader::Position group = first;
  uint32_t group_start = start;

  Element element;
  for (;;) {
    const ElementReader::Position position = reader.position();
    if (!reader.next(element)) break;
    if (!element.together) {
      group = position;
      group_start = message->nlmsg_len;
    }
    if (MNL_ATTR_HDRLEN + (message->nlmsg_len - start) + element_size(element) > kNestLimit) {
      if (group.index == first.index) {
        reader.prefix().fail("elements " + std::to_string(first.index) + " to " +
                             std::to_string(position.index) + " belong together and pass 64 KiB");
      }
      message->nlmsg_len = group_start;
      reader.rewind(group);
      break;
    }
    put_element(message, element);
  }
  mnl_attr_nest_end(message, nest);
  return reader.position().index - first.index;
}

void put_elements(nlmsghdr* message, ElementRows& rows) {
  nlattr* nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
  const size_t written =
      rows.put(static_cast<uint8_t*>(mnl_nlmsg_get_payload_tail(message)), kNestLimit - MNL_ATTR_HDRLEN);
  message->nlmsg_len += static_cast<uint32_t>(written);
  mnl_attr_nest_end(message, nest);
}

}  // namespace nftjs
